"""The ways a message can leave. A channel gets a frozen message and returns an outcome; it imports no models."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from followups.channels.base import Channel

#: Name → module. A channel is loaded when it is first used.
MODULES = {
    "email": "followups.channels.email",
    "patient_email": "followups.channels.patient_email",
    "sms": "followups.channels.sms",
}
NAMES = frozenset(MODULES)
#: Those that reach patients: their messages keep the quiet hours. A patient's mails have a queue of their own, so that
#: a burst of reminders for staff holds none of them up.
FOR_PATIENTS = frozenset({"patient_email", "sms"})


def get(name: str) -> Channel:
    """The channel of that name. Raises KeyError for one that is not there."""
    return cast(Channel, import_module(MODULES[name]).CHANNEL)
