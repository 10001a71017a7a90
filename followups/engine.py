"""One pass of the follow-up engine: sweep, advance, reap, have it sent, and say that it was here.

A pass may be lost, doubled or late and the outcome is the same: each rung is taken under the promise's row lock, each
message has a key. One poisoned row is set aside and does not stop the pass.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.models import Heartbeat
from clinic.nudge import nudge
from clinic.roles import Role
from clinic.turns import turn
from followups import channels, dispatch, reconcile, rungs
from followups.domain.kinds import Subject
from followups.domain.roster import Roster
from followups.selectors import duty, texts, undelivered, watch
from followups.selectors import engine as engine_selector
from followups.services import ladders
from procedures.interfaces.hl7 import waiting
from procedures.models import InboundMessage, Procedure, Series
from procedures.models.inbound import InboundState
from procedures.services import safety

logger = logging.getLogger(__name__)

HEARTBEAT = "engine"
#: Of a channel: written when everything that was due on it has been tried.
CHANNEL_HEARTBEAT = "channel.{}"
DAY = timedelta(days=1)
SATURDAY = 5
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


def advance(now: datetime, roster: Roster, report: PassReport) -> None:
    """Take every step that is due, one rung of each promise at a time."""
    report.empty_roles = [str(role) for role in _empty_roles(roster)]
    report.empty_ends = [str(role) for role in roster.empty_roles(ladders.load().end_roles)]
    taken = rungs.take_due(now, roster)
    report.rungs += taken.rungs
    report.queued += taken.queued
    report.empty_ladders += taken.empty_ladders
    report.set_aside += taken.set_aside


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
        except Exception:  # set aside: the other channels must not wait for this one
            logger.exception("channel %s set aside", channel)
            report.set_aside += 1
            continue
        report.delivered = dict(Counter(report.delivered) + counts)
    return set(channels.NAMES) - busy
