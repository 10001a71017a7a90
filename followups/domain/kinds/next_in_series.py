"""The next one of a series. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain.facts import SeriesFacts
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.spec import About, Spec, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.series import Need
from procedures.domain.states import Urgency


def next_in_series(facts: SeriesFacts) -> Iterator[Promise]:
    """Fewer than wanted are booked ahead, or the next is booked too late after the one before it."""
    if not facts.active or facts.deceased:
        return
    need = facts.course.need(facts.timing)
    if need is None:
        return
    about = {"series": facts.code}
    if need.drift is not None:
        about["late"] = str(need.drift.drift)
    yield Promise(
        kind=Kind.NEXT_IN_SERIES,
        key="next",
        start_at=need.since,
        due_at=_due(facts, need),
        role=Role.SCHEDULER,
        about=about,
    )


def _due(facts: SeriesFacts, need: Need) -> datetime:
    """In time for the day it is needed. Whoever books has the time of an ordinary request, but not beyond that day."""
    ordinary = need.since + timedelta(hours=facts.protocol.book_within_hours[str(Urgency.ELECTIVE)])
    if need.needed_on is None:
        return ordinary
    needed = facts.begin_of(need.needed_on)
    before = facts.timing.book_days_before
    in_time = ordinary if before is None else needed - timedelta(days=before)
    return max(need.since, min(max(in_time, ordinary), max(needed, in_time)))


def _line(about: About, _key: str) -> str:
    if about.get("late"):
        return gettext_noop("Bring the next one of the series forward: %(late)s days later than its interval")
    return gettext_noop("Book the next one of the series")


def _kept(_about: About, facts: SeriesFacts) -> bool:
    return facts.active and not facts.deceased


SPEC = Spec(
    kind=Kind.NEXT_IN_SERIES,
    subject=Subject.SERIES,
    rules=(next_in_series,),
    label=gettext_noop("Book the next one of the series"),
    line=_line,
    mail=gettext_noop("A patient who comes at regular intervals is waiting for the next appointment."),
    opens="a series goes on and fewer than wanted are booked ahead, or the next one drifts too far from the interval",
    closes="the next one is booked in time, its distance is said to be right, or the series ends",
    page="procedures:series",
    args=("series",),
    kept=_kept,
    others_first=True,
    booking=True,
)
