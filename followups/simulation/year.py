"""A clinic's year: everybody and everything set up, time let pass, and what came of it."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

from clinic import clock
from followups.checker import Report
from followups.simulation import care, fates, faults, laboratory, people, sinks, staff
from followups.simulation.case import Clinic
from followups.simulation.diary import Diary
from followups.simulation.faults import Fault, Machines
from followups.simulation.passing import Passing
from followups.simulation.places import SATURDAY, Places, at
from followups.simulation.sinks import Accepted, Sink
from followups.simulation.timeline import Story
from followups.simulation.work import Lists
from followups.simulation.world import World
from procedures.services import couriers

#: Both changes of the clocks lie in the year that begins here.
SPRING = date(2025, 3, 9)
BEFORE_SPRING = 34
WORKDAYS = 5 / 7
LOOK = timedelta(minutes=5)
#: One of so many paracenteses begins a series, and how far its taps lie apart.
SERIES, EVERY = 25, 14
MOST_LINES = 12


#: The clinic's time, what providers took, digests of what was acknowledged, how far apart the engine's looks are.
Check = Callable[["Year", datetime], Report]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """``faults``: names of ``faults.NAMES``. ``look``: so far apart are the engine's looks."""

    procedures: int = 10_000
    days: int = 365
    seed: int = 1
    faults: frozenset[str] = frozenset()
    look: timedelta = LOOK
    password: str = "simulated"

    @property
    def per_day(self) -> float:
        return self.procedures / max(1, self.days * WORKDAYS)

    @property
    def begin(self) -> datetime:
        """A Monday, so that the first change of the clocks is inside."""
        day = SPRING - timedelta(days=min(BEFORE_SPRING, self.days // 2))
        return at(day - timedelta(days=day.weekday()), 7)


@dataclass
class Year:
    """What came of it. ``reports``: what the checker said, at each month's end and at the last."""

    wanted: Wanted
    world: World
    sink: Sink
    reports: list[Report] = field(default_factory=list)
    injected: list[Fault] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0

    @property
    def content(self) -> bool:
        return all(report.content for report in self.reports) and not self.failed and not self.world.baseless

    @property
    def failed(self) -> list[Fault]:
        return [fault for fault in self.injected if fault.failed]

    @property
    def accepted(self) -> list[Accepted]:
        return self.sink.accepted()

    def judged_by(self, check: Check) -> None:
        """Ask the checker about this moment."""
        self.reports.append(check(self, clock.now()))

    @property
    def doubled(self) -> int:
        """Copies beyond the first of one key."""
        return sum(count - 1 for count in Counter(row.key for row in self.accepted).values())


def run(
    wanted: Wanted,
    folder: Path,
    *,
    check: Check | None = None,
    machines: Machines | None = None,
    tell: Callable[[datetime, World], object] = lambda moment, world: None,
) -> Year:
    """Let a year pass in an empty, migrated database. ``machines``: its servers, for the faults that end them."""
    begun, cpu = time.perf_counter(), time.process_time()
    passing = Passing(wanted.begin, wanted.begin + timedelta(days=wanted.days), look=wanted.look)
    with _hurried(), clock.held(passing.clock), sinks.opened(folder / "accepted.log") as sink:
        world = _world(wanted, passing)
        year = Year(wanted, world, sink)
        for story in _stories(wanted, world):
            world.begin(story)
        world.time.add(Lists(world).story())
        for name in sorted(wanted.faults):
            world.time.add(faults.NAMES[name](world, sink, machines, year.injected))
        if check is not None:
            world.time.add(_months(year, check))
        passing.run(lambda moment: tell(moment, world))
        passing.finish()
        if check is not None:
            year.judged_by(check)
    year.seconds, year.cpu = time.perf_counter() - begun, time.process_time() - cpu
    return year


def _world(wanted: Wanted, passing: Passing) -> World:
    call_command("load_protocols", verbosity=0, stdout=_Quiet())
    cast = staff.hire(wanted.per_day, wanted.password)
    crew = staff.furnish(cast, wanted.per_day)
    staff.roster(crew, wanted.begin.date(), math.ceil(wanted.days / 7) + 1)
    lab = laboratory.establish(cast.actor("nora"))
    couriers.arrange(
        laboratory=lab,
        actor=cast.actor("dora"),
        rooms=list(crew.rooms),
        is_default=True,
        running_days=range(5),
        last_pickups=dict.fromkeys(range(5), at(wanted.begin.date(), 16).time()),
        receipt_minutes=90,
    )
    rooms = {room.name: room for room in crew.rooms}
    where = Places(rooms=rooms, closed=frozenset(), today=wanted.begin.date())
    world = World(
        seed=wanted.seed,
        clinic=None,  # type: ignore[arg-type]
        staff=crew,
        time=passing,
        diary=Diary(crew),
    )
    rng = world.rng("clinic")
    world.clinic = Clinic(cast=cast, places=where, rng=rng, names=people.Names(rng), timeline=passing)
    return world


def _stories(wanted: Wanted, world: World) -> Iterable[Story]:
    """So many cases, requested on working days from the first to the last week."""
    days = [wanted.begin.date() + timedelta(days=n) for n in range(max(1, wanted.days - 2))]
    workdays = [day for day in days if day.weekday() < SATURDAY]
    number = 0
    while number < wanted.procedures:
        rng = world.rng("case", number)
        fate = fates.draw(rng)
        day = rng.choice(days if fate.emergency else workdays)
        minute = rng.randrange(24 * 60) if fate.emergency else rng.randrange(8 * 60, 16 * 60)
        moment = at(day, minute // 60, minute % 60)
        if fate.indication == "serial_relief" and rng.random() * SERIES < 10 and number + 3 <= wanted.procedures:
            yield care.series(world, number, moment, fate, EVERY)
            number += 3
        else:
            yield care.course(world, number, moment, fate)
            number += 1


def _months(year: Year, check: Check) -> Story:
    """At the end of each month."""
    moment = year.wanted.begin
    while True:
        following = (moment.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield following
        year.judged_by(check)
        moment = following


@contextmanager
def _hurried() -> Iterator[None]:
    """Do not wait for the disk at each step: whoever loses an unfinished simulation makes another."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
    yield


class _Quiet:
    def write(self, *_words: Any) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""
