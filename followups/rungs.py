"""Taking the steps that are due: the next rung of each promise, many at once.

Under the promises' row locks, so that two passes never take the same rung. What is the same for many is written by one
statement; a batch that raises is taken one by one, so that a poisoned promise is set aside alone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from clinic import audit, clock
from clinic.actor import Actor
from clinic.roles import Role
from followups.domain.ladder import Do, Rung, To
from followups.domain.roster import Roster
from followups.models import FollowUp, FollowUpNote
from followups.services import ladders, messages, outreach
from procedures.models import Procedure

logger = logging.getLogger(__name__)

#: By which staff hear that a patient cannot be written to.
STAFF_CHANNEL = "email"
BATCH = 200
#: A pass takes no more steps than this, nor spends more wall-clock time on them: what it has taken is sent, and the
#: next one goes on.
MOST_RUNGS = 20_000
ADVANCING = timedelta(seconds=30)


@dataclass
class Advanced:
    """What was done. ``empty_ladders``: rungs that found nobody but the administrators; ``set_aside``: promises that
    raised.
    """

    rungs: int = 0
    queued: int = 0  # new messages
    empty_ladders: int = 0
    set_aside: int = 0


def due(now: datetime) -> QuerySet[FollowUp]:
    """Open promises whose next step is due and that nobody has snoozed."""
    awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now)
    return FollowUp.objects.filter(awake, closed_at__isnull=True, next_action_at__lte=now)


def take_due(now: datetime, roster: Roster) -> Advanced:
    """Every step that is due at ``now``, as far as there is time."""
    done, aside = Advanced(), set[int]()
    until = clock.real_now() + ADVANCING
    while done.rungs < MOST_RUNGS and _advance_batch(now, roster, done, aside):
        if clock.real_now() > until:
            break
    return done


def _advance_batch(now: datetime, roster: Roster, done: Advanced, aside: set[int]) -> bool:
    """One batch in one transaction. False when nothing is left that is due."""
    with transaction.atomic():
        rows = list(
            due(now)
            .exclude(pk__in=aside)
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
            .order_by("next_action_at", "pk")[:BATCH]
        )
        more = bool(rows) and _all_or_each(rows, now, roster, done, aside)
    return more or len(rows) == BATCH


def _all_or_each(rows: list[FollowUp], now: datetime, roster: Roster, done: Advanced, aside: set[int]) -> bool:
    """The rungs of a batch together; should that raise, one after the other, so that what is poisoned is set aside
    alone. Each way in a savepoint. True when something of it is due again already.
    """
    try:
        with transaction.atomic():
            return _steps(rows, now, roster).add_to(done, now)
    except Exception as error:
        logger.warning("%s rungs are taken one by one: %s", len(rows), type(error).__name__)
    more = False
    for row in rows:
        try:
            with transaction.atomic():
                more |= _steps([row], now, roster).add_to(done, now)
        except Exception:  # a poisoned row is left as it is and looked at again in the next pass
            logger.exception("promise %s set aside", row.pk)
            aside.add(row.pk)
            done.set_aside += 1
    return more


@dataclass(frozen=True)
class _Next:
    """The step of one promise, and where it stands afterwards."""

    row: FollowUp
    rung: Rung
    step: messages.Step
    taken: int
    repeat: int
    next_action_at: datetime

    @property
    def needs_case(self) -> bool:
        return self.rung.do is Do.MOVE or self.rung.to is To.PATIENT


@dataclass
class _Taken:
    """What the rungs of a batch add up to."""

    steps: list[_Next]
    drafts: list[messages.Draft] = field(default_factory=list)
    moves: list[_Next] = field(default_factory=list)
    queued: int = 0
    empty: list[tuple[int, str]] = field(default_factory=list)  # promises for which nobody was left, and who was asked

    def add_to(self, done: Advanced, now: datetime) -> bool:
        """Count it, once it is written. True when some promise has another step that is due already."""
        done.rungs += len(self.steps)
        done.queued += self.queued
        done.empty_ladders += len(self.empty)
        for pk, to in self.empty:
            logger.error("promise %s: empty ladder, nobody answers for %s", pk, to)
        return any(found.next_action_at <= now for found in self.steps)


def _steps(rows: list[FollowUp], now: datetime, roster: Roster) -> _Taken:
    """Take the next rung of each of these locked promises. What is the same for many is written by one statement."""
    taken = _Taken([_step(row, now) for row in rows])
    _fetch_cases([found.row for found in taken.steps if found.needs_case])
    waiting = messages.waiting(rows)
    for found in taken.steps:
        _take(found, waiting, roster, taken)
    taken.queued += messages.insert(taken.drafts)
    _move(taken.moves, now)
    _write(taken.steps)
    return taken


def _step(row: FollowUp, now: datetime) -> _Next:
    """The next rung of one promise, and when the one after it comes."""
    ladder = ladders.of(row)
    times = {"start_at": row.start_at, "due_at": row.due_at}
    repeat = row.repeat
    if row.rung >= len(ladder.rungs):
        repeat = ladder.latest_repeat(repeat=repeat, now=now, **times)
    rung, taken = ladder.next_rung(row.rung), min(row.rung + 1, len(ladder.rungs))
    at = ladder.action_at(rung=taken, repeat=repeat, **times)
    return _Next(row, rung, messages.Step(row.rung, repeat, rung.channel, now), taken, repeat, at)


def _fetch_cases(rows: list[FollowUp]) -> None:
    """The cases and patients of those whose rung needs them. One query, or none."""
    cases = Procedure.objects.select_related("patient").in_bulk({row.procedure_id for row in rows} - {None})
    for row in rows:
        row.procedure = cases.get(row.procedure_id or 0)


def _take(found: _Next, waiting: set[messages.Waiting], roster: Roster, taken: _Taken) -> None:
    row, rung, step, to = found.row, found.rung, found.step, found.rung.to
    if rung.do is Do.MOVE:
        taken.moves.append(found)
        return
    if to is To.PATIENT:
        written = outreach.write(follow_up=row, rung=rung, step=step)
        taken.queued += written.new
        if not written.refused:
            return
        to, step = To.ROLE, replace(step, channel=STAFF_CHANNEL)  # nobody may write: somebody calls
    asked = roster.asked(
        to,
        role=Role(row.role),
        owners=(row.taken_by_id, row.responsible_id),
        involved=row.about.get("involved", ()),
        on_call_too=ladders.load().wakes(row.level, open_now=roster.open_now),
    )
    if asked.empty:
        taken.empty.append((row.pk, str(to)))
    if rung.digest:
        taken.drafts += messages.digests(step=step, recipients=asked.people)
    else:
        taken.drafts += messages.reminders(follow_up=row, step=step, recipients=asked.people, waiting=waiting)


def _move(moves: list[_Next], now: datetime) -> None:
    """The promises also stand on the list of the rung's role; their owners stay until somebody takes them."""
    if not moves:
        return
    FollowUpNote.objects.bulk_create(
        FollowUpNote(follow_up=found.row, at=now, by=None, action="escalated", text=str(found.rung.to))
        for found in moves
    )
    audit.record_all(
        audit.entry(
            action="promise.escalated",
            actor=Actor.system(),
            subject=found.row,
            patient_id=found.row.procedure.patient_id if found.row.procedure else None,
            data={"to": str(found.rung.to), "generation": found.row.generation},
        )
        for found in moves
    )


WRITE = """
UPDATE followups_followup SET rung = v.rung, repeat = v.repeat, next_action_at = v.at,
    escalated_role = coalesce(v.role, escalated_role)
FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::timestamptz[], %s::text[]) AS v(id, rung, repeat, at, role)
WHERE followups_followup.id = v.id
"""


def _write(steps: list[_Next]) -> None:
    """Where each promise stands now. One statement."""
    moved = [str(found.rung.to) if found.rung.do is Do.MOVE else None for found in steps]
    rows = [(found.row.pk, found.taken, found.repeat, found.next_action_at) for found in steps]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [*columns, moved])
