"""One pass of the follow-up engine: sweep, advance, reap, have it sent, and say that it was here.

A pass may be lost, doubled or late and the outcome is the same: each rung is taken under the promise's row lock, each
message has a key. One poisoned row is set aside and does not stop the pass.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from clinic import audit, clock
from clinic.actor import Actor
from clinic.models import Heartbeat
from clinic.nudge import nudge
from clinic.roles import Role
from clinic.turns import turn
from followups import channels, dispatch, reconcile
from followups.domain.kinds import Subject
from followups.domain.ladder import Do, Rung, To
from followups.domain.roster import Roster
from followups.models import FollowUp, FollowUpNote
from followups.selectors import duty, texts, undelivered, watch
from followups.selectors import engine as engine_selector
from followups.services import ladders, messages, outreach
from procedures.interfaces.hl7 import waiting
from procedures.models import InboundMessage, Procedure, Series
from procedures.models.inbound import InboundState
from procedures.services import safety

logger = logging.getLogger(__name__)

HEARTBEAT = "engine"
#: Of a channel: written when everything that was due on it has been tried.
CHANNEL_HEARTBEAT = "channel.{}"
#: By which staff hear that a patient cannot be written to.
STAFF_CHANNEL = "email"
DAY = timedelta(days=1)
SATURDAY = 5
BATCH = 200
#: A pass takes no more steps than this, nor spends more wall-clock time on them: what it has taken is sent, and the
#: next one goes on.
MOST_RUNGS = 20_000
ADVANCING = timedelta(seconds=30)
#: Wall-clock time that one run of a channel may spend on sending. Below the task's time limit.
SENDING = timedelta(seconds=90)


@dataclass(kw_only=True)
class PassReport:
    """What one pass did; its numbers are the heartbeat's data."""

    inbound: dict[str, int] = field(default_factory=dict)  # messages of laboratories that this pass read itself
    swept: int = 0  # cases whose plan was behind: there should be none
    set_aside: int = 0  # cases and promises that raised
    reruns: int = 0  # runs of the safety rules, the day before
    rungs: int = 0
    queued: int = 0  # new messages
    empty_ladders: int = 0  # rungs that found nobody but the administrators
    empty_roles: list[str] = field(default_factory=list)
    empty_ends: list[str] = field(default_factory=list)  # those of them in which a ladder ends
    reaped: int = 0
    delivered: dict[str, int] = field(default_factory=dict)  # by this pass itself, where it hands nothing over
    watch: dict[str, Any] = field(default_factory=dict)  # how long things wait: ``Readings``
    alarms: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def data(self) -> dict[str, Any]:
        return asdict(self)


HandOver = Callable[[str], None]


def run_pass(now: datetime, *, hand_over: HandOver | None = None) -> PassReport:
    """Do everything that is due at ``now`` (the clinic's time) and write the heartbeat (wall clock).

    ``hand_over`` tells another process to send on a channel; without it everything is sent here, channel by channel.
    """
    began = clock.real_now()
    report = PassReport()
    read_inbound(report, by_worker=hand_over is not None)
    sweep(report)
    rerun(now, report)
    roster = duty.roster(now)
    plan_own(now, roster, report)
    advance(now, roster, report)
    report.reaped = dispatch.reap(now=now)
    idle: set[str] = set()
    if hand_over is not None:
        for name in sorted(channels.NAMES):
            hand_over(name)
    else:
        idle = _send_here(now, report)
    _look(now, report)
    ended = clock.real_now()
    report.seconds = round((ended - began).total_seconds(), 3)
    _beat({HEARTBEAT: report.data()} | {CHANNEL_HEARTBEAT.format(name): {} for name in sorted(idle)}, ended)
    return report


def _beat(data: dict[str, dict[str, Any]], at: datetime) -> None:
    """Say, under each of these names, that it was done."""
    rows = [Heartbeat(name=name, at=at, data=said) for name, said in data.items()]
    Heartbeat.objects.bulk_create(rows, update_conflicts=True, unique_fields=["name"], update_fields=["at", "data"])


def _look(now: datetime, report: PassReport) -> None:
    """What the banner and the boards read from the heartbeat, so that they need not count themselves."""
    readings = watch.readings(now)
    report.watch = readings.data()
    report.alarms = engine_selector.alarms(readings=readings, empty_roles=report.empty_roles)


# --- what laboratories sent -----------------------------------------------------------------------


def read_inbound(report: PassReport, *, by_worker: bool) -> None:
    """What is stored is read, should the nudge of whoever stored it have been lost. It raises nothing here."""
    try:
        if by_worker:
            if InboundMessage.objects.filter(state=InboundState.STORED).exists():
                nudge(waiting.READ)
        else:
            report.inbound = dict(waiting.read_waiting())
    except Exception as error:  # reminders must not wait for this
        logger.error("reading what laboratories sent failed: %s", type(error).__name__)
        report.set_aside += 1


# --- sweep --------------------------------------------------------------------------------------


def sweep(report: PassReport) -> None:
    """Plan whatever has a plan behind its facts. Facts are planned when they change: finding any is a fault."""
    for subject, model in ((Subject.PROCEDURE, Procedure), (Subject.SERIES, Series), (Subject.MESSAGE, InboundMessage)):
        behind: QuerySet[Any] = model._default_manager.filter(planned_version__lt=F("facts_version")).order_by("pk")
        for pk in list(behind.values_list("pk", flat=True)):
            try:
                planned = reconcile.or_promise_repair(pk, subject)
            except Exception:  # set aside: the others must not wait for this one
                logger.exception("%s %s: no plan, and no promise to repair it", subject, pk)
                planned = False
            report.swept += planned
            report.set_aside += not planned
    if report.swept or report.set_aside:
        logger.warning("sweep: %s plans were behind their facts, %s cannot be made", report.swept, report.set_aside)


# --- the engine's own promises ------------------------------------------------------------------


def plan_own(now: datetime, roster: Roster, report: PassReport) -> None:
    """Promise that somebody sees to people whom messages do not reach, and to roles that nobody holds."""
    empty = _empty_roles(roster)
    people, clinic = undelivered.to_plan()
    work: list[Callable[[], None]] = [partial(reconcile.person, pk, now) for pk in sorted(people)]
    work += [partial(reconcile.text, pk) for pk in texts.unplanned()]
    if empty or clinic:
        work.append(partial(reconcile.clinic, empty, now))
    for plan in work:
        try:
            plan()
        except Exception:  # set aside: reminders must not wait for this
            logger.exception("a plan of the engine's own failed")
            report.set_aside += 1


# --- the day before ------------------------------------------------------------------------------


def rerun(now: datetime, report: PassReport) -> None:
    """The safety rules once more over the cases up to the next working day, while there is time."""
    today = timezone.localdate(now)
    last = today + DAY
    while last.weekday() >= SATURDAY:
        last += DAY
    made, aside = safety.day_before(actor=Actor.system("engine"), first=today + DAY, last=last)
    report.reruns += made
    report.set_aside += aside


# --- advance ------------------------------------------------------------------------------------


def due(now: datetime) -> QuerySet[FollowUp]:
    """Open promises whose next step is due and that nobody has snoozed."""
    awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now)
    return FollowUp.objects.filter(awake, closed_at__isnull=True, next_action_at__lte=now)


def advance(now: datetime, roster: Roster, report: PassReport) -> None:
    """Take every step that is due, one rung of each promise at a time."""
    report.empty_roles = [str(role) for role in _empty_roles(roster)]
    report.empty_ends = [str(role) for role in roster.empty_roles(ladders.load().end_roles)]
    aside: set[int] = set()
    until = clock.real_now() + ADVANCING
    while report.rungs < MOST_RUNGS and _advance_batch(now, roster, report, aside):
        if clock.real_now() > until:
            break


def _advance_batch(now: datetime, roster: Roster, report: PassReport, aside: set[int]) -> bool:
    """One batch in one transaction. False when nothing is left that is due."""
    with transaction.atomic():
        rows = list(
            due(now)
            .exclude(pk__in=aside)
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
            .order_by("next_action_at", "pk")[:BATCH]
        )
        more = bool(rows) and _all_or_each(rows, now, roster, report, aside)
    return more or len(rows) == BATCH


def _all_or_each(rows: list[FollowUp], now: datetime, roster: Roster, report: PassReport, aside: set[int]) -> bool:
    """The rungs of a batch together; should that raise, one after the other, so that what is poisoned is set aside
    alone. Each way in a savepoint. True when something of it is due again already.
    """
    try:
        with transaction.atomic():
            return _steps(rows, now, roster).add_to(report, now)
    except Exception as error:
        logger.warning("%s rungs are taken one by one: %s", len(rows), type(error).__name__)
    more = False
    for row in rows:
        try:
            with transaction.atomic():
                more |= _steps([row], now, roster).add_to(report, now)
        except Exception:  # a poisoned row is left as it is and looked at again in the next pass
            logger.exception("promise %s set aside", row.pk)
            aside.add(row.pk)
            report.set_aside += 1
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

    def add_to(self, report: PassReport, now: datetime) -> bool:
        """Count it, once it is written. True when some promise has another step that is due already."""
        report.rungs += len(self.steps)
        report.queued += self.queued
        report.empty_ladders += len(self.empty)
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


def empty_roles(now: datetime) -> list[Role]:
    """Roles that some ladder asks and that nobody answers for."""
    return _empty_roles(duty.roster(now))


def _empty_roles(roster: Roster) -> list[Role]:
    """Of those that some ladder asks, and those that own promises."""
    return list(roster.empty_roles(ladders.load().asked_roles | {Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN}))


# --- send ---------------------------------------------------------------------------------------


def send_on(channel: str, now: datetime) -> Counter[str]:
    """Send what is due on one channel, unless another process is at it, and say that it was done.

    A channel that is down raises here, in its own task, and keeps no other from sending.
    """
    with turn(channel) as ours:
        if not ours:
            return Counter(busy=1)
        counts = dispatch.run(channel=channel, now=now, until=clock.real_now() + SENDING)
        _beat({CHANNEL_HEARTBEAT.format(channel): dict(counts)}, clock.real_now())
        return counts


def _send_here(now: datetime, report: PassReport) -> set[str]:
    """Channel by channel. Returns those on which nothing waits: all that was due on them has been tried."""
    busy = dispatch.channels_due(now)
    for channel in sorted(busy):
        try:
            counts = send_on(channel, now)
        except Exception:
            logger.exception("channel %s set aside", channel)
            report.set_aside += 1
            continue
        report.delivered = dict(Counter(report.delivered) + counts)
    return set(channels.NAMES) - busy
