"""A series as its pages show it, and where its next ones fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext as _

from clinic.models import Room, User
from procedures.domain import record as record_rules
from procedures.domain import series as rules
from procedures.domain.series import Course, Gap, Need, Proposal, Timing, Wanted
from procedures.domain.slots import Calendar
from procedures.domain.states import Outcome, SeriesStatus
from procedures.models import Patient, Procedure, ProcedureRecord, ProtocolVersion, Series
from procedures.selectors import records, slots

#: What the rules read of a case.
TAP_COLUMNS = (
    "series",
    "series_place",
    "series_gap_accepted",
    "status",
    "stay",
    "started_at",
    "completed_at",
    "ended_at",
    "outcome",
)


@dataclass(frozen=True)
class Row:
    """A case of a series on its page. ``shown``: what of the signed record is shown to who may see it."""

    case: Procedure
    tap: rules.Tap
    gap: Gap | None
    is_wide: bool  # further from the interval than is tolerated
    may_change: bool
    not_accepted: bool = False  # and nobody has said that it is right
    shown: tuple[str, ...] = ()

    @property
    def distance(self) -> str:
        return distance_words(self.gap)


@dataclass(frozen=True)
class Whole:
    """One series, read once. ``rows``: by time, those without a slot last."""

    series: Series
    version: ProtocolVersion
    course: Course
    timing: Timing
    rows: tuple[Row, ...]
    need: Need | None
    late: bool  # the next one should have been booked, or has drifted

    @property
    def book_by(self) -> date | None:
        """Until when the next one is to be booked."""
        if self.need is None or self.need.needed_on is None:
            return None
        return self.need.needed_on - timedelta(days=self.timing.book_days_before or 0)

    @property
    def next_row(self) -> Row | None:
        """The next one that is booked."""
        return next((row for row in self.rows if row.tap.is_booked), None)

    @property
    def changeable(self) -> list[Row]:
        return [row for row in self.rows if row.may_change]


def newest(series: Series) -> ProtocolVersion:
    """The version that the next case of a series is made under."""
    return series.protocol.versions.select_related("protocol").defer("data").latest("number")


def tap(case: Procedure) -> rules.Tap:
    """The case as the rules of a series read it."""
    return rules.Tap(
        pk=case.pk,
        status=case.state,
        at=case.needle_at,
        done_at=case.completed_at,
        ended_at=case.ended_at,
        outcome=Outcome(case.outcome) if case.outcome else None,
        gap_accepted=case.series_gap_accepted,
    )


def course(series: Series, cases: Iterable[Procedure] | None = None) -> Course:
    """Where a series stands; reads its cases unless they are given."""
    return Course(
        interval_days=series.interval_days,
        total=series.total,
        until=series.until,
        started_at=series.started_at,
        taps=tuple(tap(case) for case in (series.taps.all() if cases is None else cases)),
        day_of=local_day,
    )


def local_day(moment: datetime) -> date:
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


def whole(series: Series, now: datetime, *, chart: bool) -> Whole:
    """Everything that the series' page shows. ``chart``: with what the signed records say."""
    rows = series.taps.select_related("protocol_version__protocol", "operator", "room").defer("protocol_version__data")
    if chart:
        signed = ProcedureRecord.objects.filter(signed_at__isnull=False).order_by("number")
        rows = rows.prefetch_related(Prefetch("records", queryset=signed, to_attr="signed_records"))
    cases = list(rows)
    version = newest(series)
    timing = Timing.of(version.parsed)
    found = course(series, cases)
    distance = {t.pk: gap for t, gap in found.with_gaps()}
    lines = [
        Row(
            case=case,
            tap=one,
            gap=distance.get(case.pk),
            is_wide=_is_wide(distance.get(case.pk), timing),
            may_change=one.may_change(now),
            not_accepted=one.is_booked and _is_unaccepted(distance.get(case.pk), one, timing),
            shown=_shown(version, case) if chart else (),
        )
        for case, one in zip(cases, found.taps, strict=True)
    ]
    need = found.need(timing) if series.is_active else None
    return Whole(
        series=series,
        version=version,
        course=found,
        timing=timing,
        rows=tuple(sorted(lines, key=lambda r: (r.tap.at is None, r.tap.at or now, r.case.series_place or 0))),
        need=need,
        late=need is not None and is_late(need, timing, now),
    )


def is_late(need: Need, timing: Timing, now: datetime) -> bool:
    """The day to book the next one by has passed, or what is booked is too far away."""
    if need.drift is not None or need.needed_on is None:
        return need.drift is not None
    return local_day(now) > need.needed_on - timedelta(days=timing.book_days_before or 0)


def _is_wide(gap: Gap | None, timing: Timing) -> bool:
    return gap is not None and gap.is_beyond(timing.tolerance_days)


def _is_unaccepted(gap: Gap | None, one: rules.Tap, timing: Timing) -> bool:
    return gap is not None and gap.drift > timing.tolerance_days and gap.days > (one.gap_accepted or 0)


def _shown(version: ProtocolVersion, case: Procedure) -> tuple[str, ...]:
    """What the protocol wants to be seen side by side: *5200 mL*."""
    signed: list[ProcedureRecord] = getattr(case, "signed_records", [])
    wanted = version.parsed.series.shown_fields if version.parsed.series else ()
    if not signed or not wanted:
        return ()
    protocol, values = case.protocol_version.parsed, signed[-1].fields
    known = {item.code: item for item in protocol.record_fields}
    return tuple(
        records.words(known[code], values[code])
        for code in wanted
        if code in known and not record_rules.is_blank(values.get(code))
    )


# --- lists ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """A line of the list of series."""

    series: Series
    label: str
    next_at: datetime | None
    need: Need | None
    book_by: date | None
    late: bool
    left: int | None
    order: tuple[Any, ...] = ()


def active(now: datetime) -> list[Listed]:
    """Every series that goes on: what must be booked first. Three queries."""
    cases = Procedure.objects.only(*TAP_COLUMNS)
    rows = (
        Series.objects.filter(status=str(SeriesStatus.ACTIVE))
        .select_related("patient", "protocol", "responsible")
        .prefetch_related(Prefetch("taps", queryset=cases))
    )
    found = list(rows)
    versions = _newest_of({row.protocol_id for row in found})
    lines = [_listed(row, versions[row.protocol_id], now) for row in found]
    return sorted(lines, key=lambda line: line.order)


def _newest_of(protocols: Collection[int]) -> dict[int, ProtocolVersion]:
    rows = ProtocolVersion.objects.filter(protocol_id__in=protocols).select_related("protocol").defer("data")
    return {v.protocol_id: v for v in rows.order_by("protocol_id", "-number").distinct("protocol_id")}


def _listed(series: Series, version: ProtocolVersion, now: datetime) -> Listed:
    timing = Timing.of(version.parsed)
    found = course(series, series.taps.all())
    need = found.need(timing)
    coming = [t.at for t in found.booked if t.at and t.at > now]
    by = None
    if need is not None and need.needed_on is not None:
        by = need.needed_on - timedelta(days=timing.book_days_before or 0)
    return Listed(
        series=series,
        label=version.parsed.short,
        next_at=coming[0] if coming else None,
        need=need,
        book_by=by,
        late=need is not None and is_late(need, timing, now),
        left=found.remaining,
        order=(need is None, by or local_day(now), series.patient.family_name, series.pk),
    )


def of_patient(patient: Patient) -> QuerySet[Series]:
    """A patient's series, those that go on first."""
    return patient.series.select_related("protocol").order_by("status", "-started_at")


# --- proposals ------------------------------------------------------------------------------


def distance_words(gap: Gap | None) -> str:
    """*16 days after the one before, 2 more than the interval*."""
    if gap is None:
        return ""
    count = {"n": gap.days}
    days = ngettext("%(n)d day after the one before", "%(n)d days after the one before", gap.days) % count
    if gap.drift == 0:
        return days
    more = _("%(n)d more than the interval") if gap.drift > 0 else _("%(n)d fewer than the interval")
    return f"{days}, {more % {'n': abs(gap.drift)}}"


def sentences(proposal: Proposal) -> list[str]:
    """*moved from Thu 24 Dec: clinic closed (Christmas)*."""
    day = date_format(proposal.wanted.day, "D j M")
    found = []
    for reason in proposal.why:
        why = gettext(reason.message) % reason.params
        if proposal.slot is None:
            found.append(_("no place near %(day)s: %(why)s") % {"day": day, "why": why})
        elif reason.kind == "time":
            found.append(_("moved from %(at)s: %(why)s") % {"at": f"{proposal.wanted.at:%H:%M}", "why": why})
        else:
            found.append(_("moved from %(day)s: %(why)s") % {"day": day, "why": why})
    return found


def proposals(
    *,
    patient: Patient,
    version: ProtocolVersion,
    variant: str,
    location: str,
    wanted: Sequence[Wanted],
    interval_days: int,
    now: datetime,
    after: date | None = None,
    rooms: Sequence[Room] | None = None,
    operators: Mapping[int, User | None] | User | None = None,
    moving: Collection[int] = (),
) -> list[Proposal]:
    """Where each of the wanted ones fits.

    ``operators``: one for all, or by number. ``rooms`` None: any of the place. ``moving``: cases that give theirs up.
    """
    if not wanted:
        return []
    case = Procedure(patient=patient, protocol_version=version, variant=variant, location=location)
    places = list(slots.rooms_for(case)) if rooms is None else list(rooms)
    near = rules.reach(interval_days)
    first, last = min(w.day for w in wanted), max(w.day for w in wanted)
    known: dict[int | None, Calendar] = {}

    def calendar_of(number: int) -> Calendar:
        operator = operators.get(number) if isinstance(operators, Mapping) else operators
        key = operator.pk if operator else None
        if key not in known:
            known[key] = slots.calendar(
                procedure=case,
                rooms=places,
                operator=operator,
                first=first - timedelta(days=near),
                last=last + timedelta(days=near + len(wanted)),
                now=now,
                moving=moving,
            )
        return known[key]

    return rules.propose(wanted, calendar_of, days_around=near, after=after)


def scope(rows: Sequence[Row], of: Procedure | None, which: str) -> list[Row]:
    """The changeable cases that a change is about: ``this``, ``following`` (this one and later ones) or ``all``."""
    able = [row for row in rows if row.may_change]
    if which == "all" or of is None:
        return able
    if which == "this":
        return [row for row in able if row.case.pk == of.pk]
    at = of.needle_at
    return [row for row in able if row.case.pk == of.pk or _is_later(row, at, of.series_place or 0)]


def _is_later(row: Row, at: datetime | None, place: int) -> bool:
    if at is None or row.tap.at is None:
        return (row.case.series_place or 0) >= place
    return row.tap.at >= at


def day_before(whole_: Whole, rows: Sequence[Row]) -> date | None:
    """The day of the last standing tap before those of ``rows``."""
    chosen = {row.case.pk for row in rows}
    first = min((row.tap.at for row in rows if row.tap.at), default=None)
    days = [
        local_day(t.at)
        for t in whole_.course.standing
        if t.at and t.pk not in chosen and (first is None or t.at < first)
    ]
    return max(days, default=None)


def day_after(whole_: Whole, rows: Sequence[Row]) -> date | None:
    """The day of the first standing tap after those of ``rows``."""
    chosen = {row.case.pk for row in rows}
    last = max((row.tap.at for row in rows if row.tap.at), default=None)
    days = [local_day(t.at) for t in whole_.course.standing if t.at and t.pk not in chosen and last and t.at > last]
    return min(days, default=None)


def wanted_for(row: Row, day: date, at: time) -> Wanted:
    return Wanted(day=day, at=at, room=row.case.room_id)


def open_for(patient: Patient, protocol: str) -> Series | None:
    """The series of this kind that goes on."""
    return patient.series.filter(protocol__code=protocol, status=str(SeriesStatus.ACTIVE)).first()


def next_wanted(whole_: Whole, count: int, now: datetime) -> list[Wanted]:
    """The days that the interval gives for the next ones, from the last standing one on; never past."""
    series = whole_.series
    first = whole_.course.next_day or local_day(now) + timedelta(days=1)
    first = max(first, local_day(now) + timedelta(days=1))
    room = series.room_id
    days = rules.ideal_days(first, series.interval_days, count)
    if series.weekday is not None:
        days = [max(day, first) for day in rules.moved(days, weekday=series.weekday)]
    return [Wanted(day=day, at=series.at, room=room) for day in days]
