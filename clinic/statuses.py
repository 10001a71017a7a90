"""The words, icons and tones of states.

A state is never said by colour alone: each kind has a word, an icon and a shape (the tone). There are five tones:
critical, overdue, due, waiting, and done, which recedes; every kind of the product wears one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Status:
    """How a kind looks: tone (a CSS class suffix), icon (a Bootstrap Icons name) and the word beside it."""

    tone: str
    icon: str
    word: str | Promise


STATUSES: dict[str, Status] = {
    # the four that ask for something, and the one that recedes
    "critical": Status("critical", "exclamation-octagon-fill", _("Critical")),
    "overdue": Status("overdue", "exclamation-triangle-fill", _("Overdue")),
    "due": Status("due", "clock-fill", _("Due")),
    "waiting": Status("waiting", "hourglass-split", _("Waiting")),
    "done": Status("done", "check2", _("Done")),
    # findings of the safety rules
    "stop": Status("critical", "sign-stop-fill", _("Stop")),
    "caution": Status("overdue", "cone-striped", _("Caution")),
    "info": Status("waiting", "info-circle", _("For information")),
    "clear": Status("done", "check2-circle", _("Clear")),
    # what is not known is never "no"
    "unknown": Status("due", "question-circle-fill", _("Unknown")),
    "not_asked": Status("waiting", "chat-square-dots", _("Not asked yet")),
    "undelivered": Status("overdue", "envelope-exclamation-fill", _("Reminder not delivered")),
    # results
    "abnormal": Status("overdue", "arrow-up-right-circle", _("Abnormal")),
    "flagged": Status("due", "flag-fill", _("Flagged by the laboratory")),
    "preliminary": Status("waiting", "hourglass-split", _("Preliminary")),
    "corrected": Status("overdue", "pencil-square", _("Corrected")),
    "final": Status("done", "check2-all", _("Final")),
    "normal": Status("done", "check2", _("Normal")),
    "extended": Status("waiting", "calendar-range", _("Takes longer")),
    # cases
    "requested": Status("due", "inbox", _("Requested")),
    "scheduled": Status("waiting", "calendar-check", _("Scheduled")),
    "arrived": Status("waiting", "person-check-fill", _("Arrived")),
    "in_progress": Status("due", "play-circle-fill", _("In progress")),
    "completed": Status("done", "check2-circle", _("Completed")),
    "cancelled": Status("done", "x-circle", _("Cancelled")),
    "no_show": Status("overdue", "person-x-fill", _("Did not come")),
    "entered_in_error": Status("done", "eraser", _("Entered in error")),
    "closed": Status("done", "lock-fill", _("Closed")),
    # series
    "series_active": Status("waiting", "arrow-repeat", _("Goes on")),
    "series_ended": Status("done", "stop-circle", _("Ended")),
    # urgency
    "emergency": Status("critical", "lightning-charge-fill", _("Emergency")),
    "urgent": Status("overdue", "exclamation-triangle-fill", _("Urgent")),
    "elective": Status("done", "calendar", _("Elective")),
}


def status(kind: str) -> Status:
    """How this kind looks; ``KeyError`` names a kind that has no look yet."""
    try:
        return STATUSES[str(kind)]
    except KeyError:
        raise KeyError(f"no status {kind!r}: add it to clinic/statuses.py") from None
