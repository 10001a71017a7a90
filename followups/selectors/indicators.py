"""Does the loop close in time? Figures of a period, each computed from the facts and defined here once.

The words of each definition are in ``followups/indicator_words.py`` and stand on the page. Cases that were entered in
error are in none of them. Pages and files read ``of``: there is no second way to count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q

from clinic.memory import Memory
from followups.domain.figures import Gauge, Share, Times, gauge
from followups.domain.kinds import Closed
from followups.domain.period import Period
from followups.models import FollowUp, PatientContact, Review
from followups.models.contacts import TOLD
from followups.selectors import paging
from procedures.domain.states import Level, ProcedureStatus, ResultStatus
from procedures.models import ProtocolVersion, ResultVersion, Specimen

#: The order in which levels are shown.
LEVELS = (Level.CRITICAL, Level.ABNORMAL, Level.NORMAL)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """Results of one level and limit; all of them when ``level`` is empty. ``waiting``: not read, and still in time."""

    level: str
    limit: timedelta | None
    in_time: int
    late: int
    unread: int
    waiting: int
    times: Times

    @property
    def share(self) -> Share:
        return Share(self.in_time, self.in_time + self.late + self.unread)

    @property
    def picture(self) -> Gauge | None:
        return gauge(self.times, self.limit) if self.limit else None


@dataclass(frozen=True, kw_only=True)
class Turnaround:
    """From the needle to the first final result of one test. ``untimed``: taken, but nobody knows when."""

    procedure: str
    code: str
    label: str
    usual: timedelta
    outer: timedelta
    times: Times
    in_usual: Share
    in_outer: Share
    untimed: int

    @property
    def picture(self) -> Gauge | None:
        return gauge(self.times, self.outer, self.usual)


@dataclass(frozen=True, kw_only=True)
class Indicators:
    """Everything of one period as it stands now."""

    acknowledged: Acknowledged
    by_level: tuple[Acknowledged, ...]
    overdue: Share
    overdue_by_kind: tuple[tuple[str, Share], ...]
    lost: Share
    rejected: Share
    corrected: Share
    unreached: Share
    letters: int
    turnaround: tuple[Turnaround, ...]


#: Results, reviews and contacts are only ever added; of tubes and promises also the last one that was lost or closed.
NEWEST = """
SELECT (SELECT max(id) FROM procedures_resultversion),
       (SELECT max(id) FROM followups_review),
       (SELECT max(id) FROM followups_patientcontact),
       (SELECT max(id) FROM procedures_specimen),
       (SELECT max(loss_at) FROM procedures_specimen),
       (SELECT max(id) FROM followups_followup),
       (SELECT max(closed_at) FROM followups_followup)
"""


@dataclass(frozen=True)
class Remembered:
    """What was found, and when."""

    found: Indicators
    at: datetime


#: By period and marker: what is newer has another marker, and at the latest after ``paging.FRESH`` so has time.
_KEPT: Memory[Remembered] = Memory(64)


def remembered(period: Period, marker: str, now: datetime) -> Remembered:
    """The figures as they were worked out for this marker: no query once the process has done so."""
    key = (period.first, period.last, marker)
    return _KEPT.get(key) or _KEPT.keep(key, Remembered(of(period, now), now))


def of(period: Period, now: datetime) -> Indicators:
    """Seven queries."""
    versions = published()
    everything, by_level = acknowledged(period, now, versions)
    overdue, by_kind = _overdue(period, now)
    tubes = _specimens(period)
    unreached, letters = _unreached(period)
    return Indicators(
        acknowledged=everything,
        by_level=by_level,
        overdue=overdue,
        overdue_by_kind=by_kind,
        lost=Share(tubes["lost"], tubes["all"]),
        rejected=Share(tubes["rejected"], tubes["all"]),
        corrected=_corrected(period),
        unreached=unreached,
        letters=letters,
        turnaround=turnaround(period, versions),
    )


def published() -> list[ProtocolVersion]:
    """Every version of every protocol, the oldest first: limits and names are theirs. One query."""
    return list(ProtocolVersion.objects.defer("data").order_by("number", "pk"))


def marker(period: Period, now: datetime) -> str:
    """A fingerprint of the facts behind the figures, for polls. One query: the newest row of what is only added to,
    and what can change of the rest.
    """
    found = _rows(NEWEST, {})[0]
    words = {str(number): value for number, value in enumerate(found)}
    return paging.marker(words | {"first": period.first, "last": period.last}, now)


# --- time to acknowledge -------------------------------------------------------------------------

ACKNOWLEDGED = """
WITH arrived AS (
    -- by which level it must be read: what no rule could tell is abnormal, and so is a correction of what was read
    SELECT v.*, p.protocol_version_id, CASE
               WHEN v.level = 'unknown' THEN 'abnormal'
               WHEN v.level = 'normal' AND v.status = 'corrected' AND EXISTS (
                   SELECT FROM followups_review r JOIN procedures_resultversion e ON e.id = r.version_id
                    WHERE e.test_id = v.test_id AND e.id <> v.id AND r.at < v.arrived_at
               ) THEN 'abnormal'
               ELSE v.level
           END AS graded
      FROM procedures_resultversion v
      JOIN procedures_labtest t ON t.id = v.test_id
      JOIN procedures_procedure p ON p.id = t.procedure_id
     WHERE v.arrived_at >= %(starts)s AND v.arrived_at < %(ends)s
       AND v.status <> 'withdrawn' AND NOT (v.status = 'preliminary' AND v.level = 'normal')
       AND p.status <> 'entered_in_error'
), asked AS (
    SELECT v.id, v.test_id, v.status, v.number, v.arrived_at, v.reported_at, limits.level, limits.hours,
           v.arrived_at + limits.hours * interval '1 hour' AS limit_at,
           (SELECT min(r.at) FROM followups_review r WHERE r.version_id = v.id) AS read_at
      FROM arrived v
      JOIN unnest(%(versions)s::bigint[], %(levels)s::text[], %(hours)s::int[])
           AS limits (protocol_version_id, level, hours)
        ON limits.protocol_version_id = v.protocol_version_id AND limits.level = v.graded
), judged AS (
    -- replaced: another version counted before the limit, so that nobody was asked to read this one any more
    SELECT asked.*, read_at IS NULL AND EXISTS (
        SELECT FROM procedures_resultversion o
         WHERE o.test_id = asked.test_id AND o.id <> asked.id AND o.arrived_at <= asked.limit_at
           AND (
               (o.status = 'withdrawn' AND o.reported_at >= asked.reported_at)
               OR (
                   o.status <> 'withdrawn'
                   AND (array_position(%(ranks)s::text[], o.status::text), o.reported_at, o.number)
                     > (array_position(%(ranks)s::text[], asked.status::text), asked.reported_at, asked.number)
                   AND NOT EXISTS (
                       SELECT FROM procedures_resultversion w
                        WHERE w.test_id = o.test_id AND w.status = 'withdrawn'
                          AND w.reported_at >= o.reported_at AND w.arrived_at <= asked.limit_at
                   )
               )
           )
    ) AS replaced
      FROM asked
)
SELECT level, hours,
       count(*) FILTER (WHERE read_at <= limit_at),
       count(*) FILTER (WHERE read_at > limit_at),
       count(*) FILTER (WHERE read_at IS NULL AND NOT replaced AND limit_at < %(now)s),
       count(*) FILTER (WHERE read_at IS NULL AND NOT replaced AND limit_at >= %(now)s),
       count(read_at),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY read_at - arrived_at),
       percentile_cont(0.9) WITHIN GROUP (ORDER BY read_at - arrived_at)
  FROM judged
 GROUP BY GROUPING SETS ((), (level, hours))
"""


def acknowledged(
    period: Period, now: datetime, versions: Iterable[ProtocolVersion]
) -> tuple[Acknowledged, tuple[Acknowledged, ...]]:
    """All results of the period, and apart by level and limit. One query."""
    limits = [(version.pk, str(level), version.parsed.review_hours[level]) for version in versions for level in LEVELS]
    asked = {
        "versions": [version for version, _level, _hours in limits],
        "levels": [level for _version, level, _hours in limits],
        "hours": [hours for _version, _level, hours in limits],
        "ranks": [str(ResultStatus.PRELIMINARY), str(ResultStatus.FINAL), str(ResultStatus.CORRECTED)],
        "starts": period.starts,
        "ends": period.ends,
        "now": now,
    }
    rows = [_acknowledged(row) for row in _rows(ACKNOWLEDGED, asked)]
    order = [str(level) for level in LEVELS]
    parts = sorted((row for row in rows if row.level), key=lambda row: (order.index(row.level), row.limit or HOUR))
    return next(row for row in rows if not row.level), tuple(parts)


def _acknowledged(row: Sequence[Any]) -> Acknowledged:
    level, hours, in_time, late, unread, waiting, read, median, p90 = row
    return Acknowledged(
        level=level or "",
        limit=hours * HOUR if hours else None,
        in_time=in_time,
        late=late,
        unread=unread,
        waiting=waiting,
        times=Times.of(read, median, p90),
    )


# --- turnaround ----------------------------------------------------------------------------------

TURNAROUND = """
WITH finals AS NOT MATERIALIZED (
    SELECT v.test_id, v.number, v.arrived_at
      FROM procedures_resultversion v
     WHERE v.status IN ('final', 'corrected')
       AND NOT EXISTS (
           SELECT FROM procedures_resultversion w
            WHERE w.test_id = v.test_id AND w.status = 'withdrawn' AND w.reported_at >= v.reported_at
       )
), firsts AS (
    SELECT f.test_id, f.arrived_at
      FROM finals f
     WHERE f.arrived_at >= %(starts)s AND f.arrived_at < %(ends)s
       AND NOT EXISTS (SELECT FROM finals e WHERE e.test_id = f.test_id AND e.number < f.number)
), took AS (
    SELECT pv.protocol_id, t.code, t.label, t.usual_hours, t.outer_hours,
           CASE WHEN t.collected_at <= firsts.arrived_at THEN firsts.arrived_at - t.collected_at END AS took
      FROM firsts
      JOIN procedures_labtest t ON t.id = firsts.test_id
      JOIN procedures_procedure p ON p.id = t.procedure_id
      JOIN procedures_protocolversion pv ON pv.id = p.protocol_version_id
     WHERE p.status <> 'entered_in_error'
)
SELECT protocol_id, code, label, usual_hours, outer_hours,
       count(took),
       count(*) FILTER (WHERE took <= usual_hours * interval '1 hour'),
       count(*) FILTER (WHERE took <= outer_hours * interval '1 hour'),
       count(*) FILTER (WHERE took IS NULL),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY took),
       percentile_cont(0.9) WITHIN GROUP (ORDER BY took)
  FROM took
 GROUP BY protocol_id, code, label, usual_hours, outer_hours
 ORDER BY outer_hours, label, protocol_id, code, usual_hours
"""


def turnaround(period: Period, versions: Iterable[ProtocolVersion]) -> tuple[Turnaround, ...]:
    """By test, those with the shortest limit first. One query."""
    short = {version.protocol_id: version.parsed.short for version in versions}
    rows = _rows(TURNAROUND, {"starts": period.starts, "ends": period.ends})
    return tuple(
        Turnaround(
            procedure=short[protocol],
            code=code,
            label=label,
            usual=usual * HOUR,
            outer=outer * HOUR,
            times=Times.of(timed, median, p90),
            in_usual=Share(in_usual, timed),
            in_outer=Share(in_outer, timed),
            untimed=untimed,
        )
        for protocol, code, label, usual, outer, timed, in_usual, in_outer, untimed, median, p90 in rows
    )


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


# --- the others ----------------------------------------------------------------------------------


def _right(path: str) -> Q:
    """Of a case that was not entered in error."""
    return ~Q(**{f"{path}__status": str(ProcedureStatus.ENTERED_IN_ERROR)})


def _overdue(period: Period, now: datetime) -> tuple[Share, tuple[tuple[str, Share], ...]]:
    """Promises that fell due, and which of them were open a moment later; in all and by kind."""
    fell_due = FollowUp.objects.filter(_right("procedure"), due_at__gte=period.starts, due_at__lt=min(period.ends, now))
    needed = fell_due.exclude(closed_because=str(Closed.NO_LONGER_NEEDED), closed_at__lte=F("due_at"))
    late = Q(closed_at__isnull=True) | Q(closed_at__gt=F("due_at"))
    rows = needed.order_by().values("kind").annotate(whole=Count("pk"), part=Count("pk", filter=late))
    kinds = sorted(
        ((row["kind"], Share(row["part"], row["whole"])) for row in rows), key=lambda row: (-row[1].part, row[0])
    )
    whole = Share(sum(share.part for _kind, share in kinds), sum(share.whole for _kind, share in kinds))
    return whole, tuple(kinds)


def _specimens(period: Period) -> dict[str, int]:
    taken = Specimen.objects.filter(_right("procedure"), collected_at__gte=period.starts, collected_at__lt=period.ends)
    found: dict[str, int] = taken.aggregate(
        all=Count("pk"), lost=Count("pk", filter=Q(loss="lost")), rejected=Count("pk", filter=Q(loss="rejected"))
    )
    return found


def _corrected(period: Period) -> Share:
    """Corrections and withdrawals, and which of them came after somebody had read what they change."""
    read = Review.objects.filter(version__test=OuterRef("test"), at__lt=OuterRef("arrived_at")).exclude(
        version=OuterRef("pk")
    )
    changes = ResultVersion.objects.filter(
        _right("test__procedure"),
        arrived_at__gte=period.starts,
        arrived_at__lt=period.ends,
        status__in=[str(ResultStatus.CORRECTED), str(ResultStatus.WITHDRAWN)],
    ).annotate(read=Exists(read))
    found = changes.aggregate(whole=Count("pk"), part=Count("pk", filter=Q(read=True)))
    return Share(found["part"], found["whole"])


def _unreached(period: Period) -> tuple[Share, int]:
    """Cases in which somebody tried to tell the patient something, and which of them reached nobody in any try."""
    tries = PatientContact.objects.filter(
        _right("procedure"),
        at__gte=period.starts,
        at__lt=period.ends,
        purpose__in=["results", "cancellation"],
    )
    cases = (
        tries.order_by()
        .values("procedure")
        .annotate(told=Count("pk", filter=Q(outcome__in=TOLD)), posted=Count("pk", filter=Q(outcome="letter_sent")))
    )
    found = cases.aggregate(
        whole=Count("procedure"),
        part=Count("procedure", filter=Q(told=0)),
        letters=Count("procedure", filter=Q(told=0, posted__gt=0)),
    )
    return Share(found["part"], found["whole"]), found["letters"]
