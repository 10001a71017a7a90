"""What happens to the demonstration's patients. A story is told to its end; where the present comes first, it stops.

So the same few stories, begun on different days, leave cases in every state: waiting, under way, overdue, told, closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from followups.demo.case import Case, Clinic
from followups.demo.people import register
from followups.demo.timeline import Story
from procedures.domain.answers import Entry
from procedures.domain.states import Disposition, Outcome
from procedures.models import Patient

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DOAC_HOLD = timedelta(hours=74)
QUICK, LONG = 24, 2000  # hours: what is there within a day, and everything


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One story. ``day``: the working day of the needle, counted from today; ``start`` and ``room`` say exactly when.

    ``lead`` working days lie between the request and the needle. What is named in ``never`` (``pre_visit``,
    ``arrive``, ``deliver``, ``receive``, ``record``, ``review``, ``tell``, ``ask``, ``restart``, ``act``) nobody does.
    """

    protocol: str = "paracentesis"
    indication: str = "relief_up_to_5_l"
    day: int = 0
    start: datetime | None = None
    room: str = ""
    lead: int = 4
    operator: str = "pia"
    location: str = "clinic"
    patient: Mapping[str, Any] = field(default_factory=dict)
    known_as: str = ""  # the same patient comes again
    more_tests: tuple[str, ...] = ()
    held: str = ""
    allergy: str = ""
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # results out of the ordinary
    missing: tuple[str, ...] = ()  # tests that the laboratory never reports
    lost: str = ""  # a container
    corrected: tuple[str, Mapping[str, Any], datetime] | None = None
    outcome: Outcome = Outcome.DONE
    signs: Mapping[str, str] = field(default_factory=dict)  # danger signs on the second day
    never: frozenset[str] = frozenset()
    half: bool = False  # the checklist was begun and not finished
    ends: str = ""  # cancelled, no_show, entered_in_error: instead of the needle
    ended_at: datetime | None = None
    taken: str = ""  # a kind of promise that the nurse has taken


def told(clinic: Clinic, plan: Plan) -> Story:
    """From the request to the last question."""
    case, rng = Case(clinic, operator=plan.operator), clinic.rng
    slot = yield from _booking(clinic, case, plan)
    if plan.held:
        yield from _holding(case, plan, slot)
    if "pre_visit" not in plan.never:
        yield max(slot - DAY - rng.randrange(30, 240) * MINUTE, slot - 2 * DAY)
        _pre_visit(case, plan, slot)
    if plan.ends:
        yield plan.ended_at or slot + 40 * MINUTE
        {"cancelled": case.cancel, "no_show": lambda _: case.no_show(), "entered_in_error": case.entered_in_error}[
            plan.ends
        ](ENDS[plan.ends])
        return
    yield from _needle(case, plan, slot)
    yield from _results_and_questions(clinic, case, plan, slot)


ENDS = {
    "cancelled": "The referring clinic no longer needs it",
    "no_show": "",
    "entered_in_error": "Booked for the wrong patient of the same name",
}


def _booking(clinic: Clinic, case: Case, plan: Plan) -> Story2:
    ...
