"""The ways a message can leave. A channel gets a frozen message and returns an outcome; it imports no models."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from followups.channels.base import Channel

#: Name → module. A channel is loaded when it is first used.
MODULES = {"email": "followups.channels.email"}
NAMES = frozenset(MODULES)
#: Those that reach patients: their messages keep the quiet hours.
FOR_PATIENTS: frozenset[str] = frozenset()


def get(name: str) -> Channel:
    """The channel of that name. Raises KeyError for one that is not there."""
    return cast(Channel, import_module(MODULES[name]).CHANNEL)
