"""The same procedure again and again: begin a series, book ahead, change it, end it.

The patient's row is locked first, so that two people who plan for one patient take turns. Each booking stays a case of
its own: to cancel one changes nothing of the others, and what has begun, is over or lies in the past is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic import audit, clock, transitions
from clinic.actor import Actor
from clinic.errors import Conflict, DomainError, Invalid
from clinic.models import Room, User
from procedures import events
from procedures.domain.series import INTERVAL_DAYS, MOST_AT_ONCE, MOST_IN_ALL
from procedures.domain.states import SERIES, SeriesEnd, SeriesStatus, Urgency
from procedures.models import Patient, Procedure, Protocol, Series
from procedures.selectors import series as selector
from procedures.services import bookings, moves, slots
from procedures.services.bookings import Place, SomeRefused
from procedures.services.slots import Wish

CHANGED = "This series was changed in the meantime. Nothing of yours was saved over it."
ONE_ALREADY = "This patient has a series of this kind already: book its next ones, or end it first."


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the cases of a new series have in common."""

    protocol: str
    indication: str
    responsible: User
    interval_days: int
    at: time
    variant: str = ""
    location: str = "clinic"
    weekday: int | None = None
    operator: User | None = None
    room: Room | None = None
    total: int | None = None
    until: date | None = None
    note: str = ""

    def check(self) -> None:
        """Raises Invalid for numbers out of their range."""
        check_interval(self.interval_days)
        if self.total is not None and not 1 <= self.total <= MOST_IN_ALL:
            raise Invalid("A series has 1 to %(most)d procedures in all.", field="total", most=MOST_IN_ALL)
        if self.until is not None and self.until < timezone.localdate(clock.now()):
            raise Invalid("That day is past.", field="until")


@dataclass(frozen=True, kw_only=True)
class Tap:
    """One that is to be booked or moved. ``row``: its line on the page; ``case``: the one to be moved, as ``seen``."""

    row: int
    start: datetime
    room: Room | None = None
    operator: User | None = None
    case: Procedure | None = None
    seen: str = ""

    @property
    def wish(self) -> Wish:
        return Wish(start=self.start, room=self.room, operator=self.operator)


def check_interval(days: int) -> None:
    least, most = INTERVAL_DAYS
    if not least <= days <= most:
        raise Invalid("The interval is %(least)d to %(most)d days.", field="every", least=least, most=most)


def start(
    *, actor: Actor, patient: Patient, plan: Plan, taps: Sequence[Tap], code: str, first: Procedure | None = None
) -> Series:
    """A new series with its first bookings: all of them, or nothing at all.

    ``code`` is the name the page has shown for it: sent twice, it is one series. ``first``: a case that is there
    already becomes its first one. Raises SomeRefused with every tap that cannot be booked, Conflict when the patient
    has an active series of this kind, Invalid for what cannot be asked for.
    """
    plan.check()
    return _once(lambda: _start(actor, patient, plan, taps, code, first), code, patient)


def extend(*, actor: Actor, series: Series, taps: Sequence[Tap], seen: int) -> Series:
    """Book the next ones: all of them, or nothing. ``seen``: the ``facts_version`` that the page has shown.

    Raises SomeRefused, Conflict when the series was changed since, Invalid when there is nothing more to book.
    """
    with events.together():
        locked = _lock(series, taps=taps, seen=seen)
        _must_be_active(locked)
        if not 1 <= len(taps) <= MOST_AT_ONCE:
            raise Invalid("Choose at least one, and no more than %(most)d.", most=MOST_AT_ONCE)
        remaining = selector.course(locked).remaining
        if remaining is not None and len(taps) > remaining:
            raise Invalid("Only %(left)d more belong to this series.", left=remaining)
        _book(actor, locked, taps)
        audit.record(
            action="series.extended",
            actor=actor,
            subject=locked,
            patient_id=locked.patient_id,
            data={"booked": len(taps)},
        )
        events.series_changed(locked)
    return locked


def change(
    *,
    actor: Actor,
    series: Series,
    taps: Sequence[Tap],
    seen: int,
    interval_days: int | None = None,
    at: time | None = None,
    weekday: int | None = None,
    room: Room | None = None,
    operator: User | None = None,
    lasting: bool = False,
) -> Series:
    """Move the cases named in ``taps``: all of them or none. ``lasting``: later bookings follow the change too.

    Raises SomeRefused, Conflict when series or booking were changed since, or a case has begun in the meantime.
    """
    with events.together():
        locked = _lock(series, taps=taps, seen=seen)
        cases = _changeable(locked, [tap.case.pk for tap in taps if tap.case is not None])
        places = [
            Place(row=tap.row, procedure=cases[tap.case.pk], wish=tap.wish, seen=tap.seen)
            for tap in taps
            if tap.case is not None
        ]
        new: dict[str, Any] = {}
        if lasting:
            new = {"at": at, "weekday": weekday, "room": room, "operator": operator, "interval_days": interval_days}
            new = {name: value for name, value in new.items() if value is not None}
        if interval_days is not None:
            check_interval(interval_days)
        _set(locked, new)
        bookings.schedule_all(actor=actor, places=places)
        accept_gaps(locked, [place.procedure.pk for place in places])
        audit.record(
            action="series.changed",
            actor=actor,
            subject=locked,
            patient_id=locked.patient_id,
            data={"cases": [place.procedure.pk for place in places], "set": sorted(new)},
        )
        events.series_changed(locked)
    return locked


@events.together()
def cancel(*, actor: Actor, series: Series, cases: Collection[int], reason: str, seen: int) -> Series:
    """Cancel some of its cases; the series stays. Raises Conflict for one that may not be changed any more."""
    locked = _lock(series, seen=seen)
    for case in _changeable(locked, cases).values():
        moves.cancel(actor=actor, procedure=case, reason=reason)
    events.series_changed(locked)
    return locked


@events.together()
def end(*, actor: Actor, series: Series, reason: str, cancel_booked: bool, seen: int) -> Series:
    """No further one is wanted. ``cancel_booked``: those that have not begun are cancelled; else they stay booked."""
    if not reason.strip():
        raise Invalid("Say why it ends.", field="reason")
    locked = _lock(series, seen=seen)
    if cancel_booked:
        for case in _cases(locked).values():
            if selector.tap(case).may_change(clock.now()):
                moves.cancel(actor=actor, procedure=case, reason=reason)
    _end(actor, locked, SeriesEnd.STOPPED, reason)
    return locked


def resume(*, actor: Actor, series: Series, seen: int) -> Series:
    """It goes on after all. Raises Conflict where another one of the kind has begun since, Invalid after a death."""

    def work() -> Series:
        locked = _lock(series, seen=seen)
        bookings.check_patient(locked.patient, selector.newest(locked).parsed)
        _resume(actor, locked)
        return locked

    return _once(work, "", series.patient)


@transaction.atomic
def accept_gap(*, actor: Actor, series: Series, case: Procedure, reason: str, seen: int) -> Series:
    """The distance of this one from the tap before is right although it drifts from the interval; with a reason."""
    if not reason.strip():
        raise Invalid("Say why this distance is right.", field="reason")
    locked = _lock(series, seen=seen)
    accept_gaps(locked, [case.pk])
    audit.record(action="series.gap_accepted", actor=actor, subject=case, patient_id=locked.patient_id, reason=reason)
    events.series_changed(locked)
    return locked


def end_for_death(*, actor: Actor, patient: Patient) -> None:
    """Nothing further is promised to who has died. The patient's row is locked."""
    for row in Series.objects.select_for_update(no_key=True).filter(patient=patient, status=str(SeriesStatus.ACTIVE)):
        _end(actor, row, SeriesEnd.DECEASED, "")


def resume_after_error(*, actor: Actor, patient: Patient) -> None:
    """The death was recorded by mistake: what it ended goes on, unless another one has begun since."""
    ended = Series.objects.select_for_update(no_key=True).filter(patient=patient, ended_because=SeriesEnd.DECEASED)
    running = set(patient.series.filter(status=str(SeriesStatus.ACTIVE)).values_list("protocol_id", flat=True))
    for row in ended.order_by("-ended_at"):
        if row.protocol_id not in running:
            running.add(row.protocol_id)
            _resume(actor, row)


def accept_gaps(series: Series, cases: Collection[int]) -> None:
    """Whoever books them has seen how far from the tap before they are, and means it."""
    for tap, gap in selector.course(series).with_gaps():
        if tap.pk in cases and gap is not None:
            Procedure.objects.filter(pk=tap.pk).update(series_gap_accepted=max(0, gap.days))


# --- inside ---------------------------------------------------------------------------------


def _once(work: Callable[[], Series], code: str, patient: Patient) -> Series:
    """Run ``work`` in a transaction; the second of two who begin a series finds the first one's."""
    try:
        with events.together():
            return work()
    except IntegrityError as exc:
        name = getattr(getattr(exc.__cause__, "diag", None), "constraint_name", "") or ""
        same = Series.objects.filter(code=code, patient=patient).first() if code else None
        if same is not None:
            return same
        if name == "series_once_for_a_patient":
            raise Conflict(ONE_ALREADY) from exc
        raise


def _start(
    actor: Actor, patient: Patient, plan: Plan, taps: Sequence[Tap], code: str, first: Procedure | None
) -> Series:
    locked = slots.lock_ground(patient.pk, rooms=_rooms(taps), operators=_operators(taps))
    same = Series.objects.filter(code=code, patient=locked).first()
    if same is not None:
        return same
    if not taps and first is None:
        raise Invalid("Choose at least one to book.")
    if len(taps) > MOST_AT_ONCE:
        raise Invalid("No more than %(most)d are booked at once.", field="count", most=MOST_AT_ONCE)
    if plan.total is not None and len(taps) + (first is not None) > plan.total:
        raise Invalid("More are chosen than the series has in all.", field="total")
    fields = bookings.checked(
        patient=locked,
        protocol=plan.protocol,
        indication=plan.indication,
        responsible=plan.responsible,
        urgency=str(Urgency.ELECTIVE),
        variant=plan.variant,
        location=plan.location,
    )
    row = Series.objects.create(
        code=code,
        patient=locked,
        protocol=Protocol.objects.get(code=plan.protocol),
        **{name: fields[name] for name in ("indication", "variant", "location", "responsible")},
        **{
            name: getattr(plan, name)
            for name in ("operator", "room", "note", "interval_days", "weekday", "at", "total", "until")
        },
        started_at=clock.now(),
        started_by_id=actor.user_id,
    )
    data = {"interval_days": row.interval_days, "total": row.total, "booked": len(taps)}
    audit.record(action="series.started", actor=actor, subject=row, patient_id=locked.pk, data=data)
    if first is not None:
        _adopt(actor, row, first)
    _book(actor, row, taps)
    events.series_changed(row)
    return row


def _adopt(actor: Actor, series: Series, case: Procedure) -> None:
    """A case that is there already becomes the first of the series."""
    locked = slots.lock_case(case)
    if locked.series_id is not None:
        raise Conflict("This case belongs to a series already.")
    if not selector.tap(locked).stands:
        raise Conflict("This case was given up: it cannot begin a series.")
    if locked.patient_id != series.patient_id or locked.protocol_version.protocol_id != series.protocol_id:
        raise Invalid("A series begins with a case of the same patient and kind.")
    locked.series, locked.series_place = series, 1
    locked.save(update_fields=["series", "series_place"])
    audit.record(
        action="series.case_adopted",
        actor=actor,
        subject=locked,
        patient_id=locked.patient_id,
        data={"series": series.pk},
    )
    events.changed(locked)


def _book(actor: Actor, series: Series, taps: Sequence[Tap]) -> None:
    """New cases at the end of the series, each requested and booked. Raises SomeRefused for all that cannot be."""
    place = (series.taps.order_by("-series_place").values_list("series_place", flat=True).first() or 0) + 1
    refused: dict[int, DomainError] = {}
    places: list[Place] = []
    for number, tap in enumerate(sorted(taps, key=lambda t: (t.start, t.row))):
        case = bookings.request(
            actor=actor,
            patient=series.patient,
            protocol=series.protocol.code,
            indication=series.indication,
            variant=series.variant,
            responsible=series.responsible,
            location=series.location,
            note=series.note,
            route=False,  # a series is longer than a leave
            series=series,
            series_place=place + number,
        )
        places.append(Place(row=tap.row, procedure=case, wish=tap.wish))
        if series.until is not None and timezone.localdate(tap.start) > series.until:
            refused[tap.row] = Invalid("This is after the end of the series.")
    if refused:
        raise SomeRefused(refused)
    bookings.schedule_all(actor=actor, places=places)
    accept_gaps(series, [p.procedure.pk for p in places])


def _rooms(taps: Iterable[Tap]) -> list[Room | None]:
    return [tap.room for tap in taps]


def _operators(taps: Iterable[Tap]) -> list[User | None]:
    return [tap.operator for tap in taps]


def _lock(series: Series, *, taps: Sequence[Tap] = (), seen: int) -> Series:
    """The series, fresh, its patient and everything that the taps need: patient, rooms, operators, cases, series.

    Raises Conflict when it has changed since it was shown.
    """
    slots.lock_ground(series.patient_id, rooms=_rooms(taps), operators=_operators(taps))
    list(Procedure.objects.select_for_update(no_key=True).filter(series=series).order_by("pk").values_list("pk"))
    rows = Series.objects.select_related("patient", "protocol", "responsible", "operator", "room")
    locked = rows.select_for_update(of=("self",), no_key=True).get(pk=series.pk)
    if locked.facts_version != seen:
        raise Conflict(CHANGED)
    return locked


def _cases(series: Series) -> dict[int, Procedure]:
    rows = series.taps.select_related("patient", "protocol_version__protocol", "responsible", "operator", "room")
    return {case.pk: case for case in rows.defer("protocol_version__data").order_by("series_place")}


def _changeable(series: Series, wanted: Collection[int]) -> dict[int, Procedure]:
    """Raises Invalid when nothing was chosen, Conflict for a case of another series, begun, over or past."""
    if not wanted:
        raise Invalid("Choose at least one.")
    cases, now = _cases(series), clock.now()
    for pk in wanted:
        if pk not in cases or not selector.tap(cases[pk]).may_change(now):
            raise Conflict("One of these has begun, is over, or lies in the past. Nothing was changed.")
    return {pk: case for pk, case in cases.items() if pk in wanted}


def _must_be_active(series: Series) -> None:
    if not series.is_active:
        raise Conflict("This series has ended.")


def _set(series: Series, values: dict[str, Any]) -> None:
    if not values:
        return
    for name, value in values.items():
        setattr(series, name, value)
    series.save(update_fields=list(values))


def _end(actor: Actor, series: Series, because: SeriesEnd, reason: str) -> None:
    transitions.apply(
        series,
        machine=SERIES,
        to=SeriesStatus.ENDED,
        action="series.ended",
        actor=actor,
        patient_id=series.patient_id,
        reason=reason,
        data={"because": str(because)},
        also={"ended_at": clock.now(), "ended_because": str(because), "end_reason": reason},
    )
    events.series_changed(series)


def _resume(actor: Actor, series: Series) -> None:
    transitions.apply(
        series,
        machine=SERIES,
        to=SeriesStatus.ACTIVE,
        action="series.resumed",
        actor=actor,
        patient_id=series.patient_id,
        also={"ended_at": None, "ended_because": "", "end_reason": ""},
    )
    events.series_changed(series)
