"""Errors that carry a message for a person.

The class docstring is the default message (gettext source string); parameters fill its
``%(name)s`` places at the edge, so that pure code needs no Django.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any


class DomainError(Exception):
    """Something about this request cannot be done."""

    status = 422

    def __init__(self, message: str = "", /, **params: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.params = params
        super().__init__(self.message % params if params else self.message)


class Invalid(DomainError):
    """Please correct the marked fields."""

    def __init__(self, message: str = "", /, *, field: str = "", **params: Any) -> None:
        self.field = field
        super().__init__(message, **params)


class Conflict(DomainError):
    """Somebody else changed this in the meantime. Nothing of yours was saved over it."""

    status = 409


class IllegalMove(Conflict):
    """%(noun)s cannot go from %(old)s to %(new)s."""


class NotPermitted(DomainError):
    """Your role does not allow this."""

    status = 403


def place_of(error: BaseException) -> str:
    """``file.py:12``, where it was raised. For logs: an error's own words may hold what nobody may read there."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
