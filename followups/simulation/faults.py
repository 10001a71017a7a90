"""What goes wrong with the machines of a year. Each is really done, to processes and servers of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections

from clinic import clock
from followups import channels, engine
from followups.engine import PassReport
from followups.models import Message
from followups.simulation.places import SATURDAY, at
from followups.simulation.sinks import Sink
from followups.simulation.timeline import Story
from followups.simulation.world import World
from procedures.models import Procedure

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KILLED = 9


@dataclass
class Fault:
    """One that was injected. ``failed``: what did not go as it must, in words."""

    name: str
    at: datetime
    failed: str = ""
    figures: dict[str, int] = field(default_factory=dict)


class Machines(Protocol):
    """The bundled servers of this simulation (``clinic.embedded_servers.Servers``)."""

    def restart_database(self) -> None: ...

    def restart_broker(self, *, empty: bool) -> None: ...


Injector: TypeAlias = Callable[[World, Sink, "Machines | None", list[Fault]], Story]


# --- processes ----------------------------------------------------------------------------------


def in_child(work: Callable[[], object]) -> int:
    """Let a child process do it; its wait status. Connections are not shared with it."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - another process
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def ended(pid: int) -> int:
    _, status = os.waitpid(pid, 0)
    return status


def worker_killed(world: World, sink: Sink, machines: Machines | None, injected: list[Fault]) -> Story:
    """A worker is ended by SIGKILL while it sends, before or after the provider took it. Its lease runs out."""
    for number, moment in enumerate(_often(world, rng_days=9)):
        yield moment
        world.time.pass_by = _killing(world, sink, injected, before=number % 3 == 0)


def _killing(world: World, sink: Sink, injected: list[Fault], *, before: bool) -> Callable[[datetime], PassReport]:
    """The next pass that queues something hands it to a worker that dies of it."""

    def run_pass(now: datetime) -> PassReport:
        report = engine.run_pass(now, hand_over=lambda _channel: None)
        due = Message.objects.filter(state="queued", not_before__lte=now)
        channel = due.order_by("not_before", "key").values_list("channel", flat=True).first()
        if channel is None:
            return report
        world.time.pass_by = engine.run_pass

        def work() -> None:
            sink.die_after, sink.before, sink.handed = 1, before, 0
            engine.send_on(channel, now)

        status = ended(in_child(work))
        fault = Fault("worker_killed", now, figures={"after": int(not before)})
        if os.WTERMSIG(status) != KILLED:
            fault.failed = f"the worker was to be killed and ended with {status}"
        injected.append(fault)
        for name in sorted(channels.NAMES - {channel}):
            engine.send_on(name, now)
        return report

    return run_pass


def two_beats(world: World, sink: Sink, machines: Machines | None, injected: list[Fault]) -> Story:
    """Two passes at the same time, by two processes."""
    for moment in _often(world, rng_days=11):
        yield moment
        world.time.pass_by = _doubled(world, injected)


def _doubled(world: World, injected: list[Fault]) -> Callable[[datetime], PassReport]:
    def run_pass(now: datetime) -> PassReport:
        world.time.pass_by = engine.run_pass
        statuses = [ended(pid) for pid in [in_child(lambda: engine.run_pass(now)) for _ in range(2)]]
        failed = "a pass did not come to its end" if any(statuses) else ""
        injected.append(Fault("two_beats", now, failed))
        return engine.run_pass(now)

    return run_pass


# --- servers ------------------------------------------------------------------------------------


def broker_emptied(world: World, sink: Sink, machines: Machines | None, injected: list[Fault]) -> Story:
    """Every nudge of some hours is lost with the broker: the engine's own look finds what it was about."""
    for moment in _often(world, rng_days=8):
        yield moment
        world.nudged = False
        if machines is not None:
            machines.restart_broker(empty=True)
        injected.append(Fault("broker_emptied", clock.now()))
        yield clock.now() + 6 * HOUR
        world.nudged = True


def database_restarted(world: World, sink: Sink, machines: Machines | None, injected: list[Fault]) -> Story:
    """PostgreSQL ends under our connection; whoever was at work finds it gone, and works again."""
    if machines is None:
        return
    for moment in _often(world, rng_days=13):
        yield moment
        fault = Fault("database_restarted", clock.now())
        before = Procedure.objects.count()
        machines.restart_database()
        try:
            Procedure.objects.count()
            fault.failed = "the connection has survived its server"
        except (DatabaseError, InterfaceError):
            connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit TO off")
        if Procedure.objects.count() != before:
            fault.failed = "cases are missing after the restart"
        injected.append(fault)


# --- clocks -------------------------------------------------------------------------------------


def clock_jump(world: World, sink: Sink, machines: Machines | None, injected: list[Fault]) -> Story:
    """A machine that sleeps for hours and wakes; and a clock that is put back by two minutes for a while."""
    for number, moment in enumerate(_often(world, rng_days=10)):
        yield moment
        injected.append(Fault("clock_jump", clock.now()))
        if number % 2 == 0:
            world.time.suspend(clock.now() + 5 * HOUR)
        else:
            world.time.shift = -2 * MINUTE
            yield world.time.now + 20 * MINUTE
            world.time.shift = timedelta(0)


def dst(world: World, sink: Sink, machines: Machines | None, injected: list[Fault]) -> Story:
    """After each change of the clocks: whoever agreed on nine o'clock comes at nine o'clock."""
    zone = ZoneInfo(settings.CLINIC_ZONE)
    for day in _changes(world, zone):
        yield at(day, 12)
        fault = Fault("dst", clock.now())
        rows = Procedure.objects.filter(pk__in=world.agreed, status="scheduled", stay__startswith__gt=clock.now())
        for row in rows:
            told = world.agreed[row.pk].astimezone(zone)
            booked = row.stay.lower.astimezone(zone)
            if (told.date(), told.time()) != (booked.date(), booked.time()):
                fault.failed = f"case {row.pk}: agreed {told}, booked {booked}"
        fault.figures["bookings"] = len(rows)
        injected.append(fault)


def _changes(world: World, zone: ZoneInfo) -> Iterator[date]:
    day = world.time.begin.astimezone(zone).date()
    while day < world.time.end.date():
        before, after = (datetime.combine(d, time(12), tzinfo=zone).utcoffset() for d in (day, day + DAY))
        if before != after:
            yield day + DAY
        day += DAY


def _often(world: World, rng_days: int) -> Iterator[datetime]:
    """In working hours, about every so many days; more often in a short time."""
    rng = world.rng("fault", rng_days)
    step = max(2, min(rng_days, (world.time.end - world.time.begin).days // 4))
    moment = world.time.begin
    while True:
        moment += timedelta(days=rng.uniform(0.6, 1.4) * step)
        local = moment.astimezone(ZoneInfo(settings.CLINIC_ZONE))
        if local.weekday() < SATURDAY:
            yield at(local.date(), rng.randrange(9, 16), rng.randrange(60))


NAMES: Mapping[str, Injector] = {
    "worker_killed": worker_killed,
    "broker_emptied": broker_emptied,
    "database_restarted": database_restarted,
    "clock_jump": clock_jump,
    "dst": dst,
    "two_beats": two_beats,
}
