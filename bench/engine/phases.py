"""The phases that every contestant goes through; each begins with an empty store and new processes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.engine import effects, ours
from bench.engine.contestant import Contestant, Item

DAYS = 14
DAY = 86_400
#: What is not due in a phase is due this long after it at the earliest.
LATER = 3600
#: Seconds without a new effect after everything was done: a second one would have come.
QUIET = 2


@dataclass(frozen=True)
class Size:
    promises: int = 100_000
    burst: int = 10_000
    seconds: float = 60  # of the burst
    fault_burst: int = 1_000
    fault_seconds: float = 10
    waiting: int = 1_000  # not yet due while something is broken
    backlog: int = 10_000
    limit: float = 90  # seconds after the last moment
    patience: float = 1000  # at most; a contestant's own is shorter


@dataclass
class Fault:
    """``missing``: due, not done in the window, and still in the store. ``lost``: neither done nor in the store."""

    tally: effects.Tally
    waiting: int
    stuck: int
    lost: int
    seconds: float

    def words(self) -> str:
        stuck = f", {self.stuck:,} stuck" if self.stuck else ""
        return f"{self.lost:,} lost, {self.tally.doubled:,} doubled{stuck}"


@dataclass
class Result:
    """What one contestant did; what it did not finish stays None, and ``said`` says why."""

    name: str
    schedule: float | None = None  # seconds for all
    memory: tuple[float, float] | None = None
    burst: Fault | None = None
    drained: float | None = None  # due items a second
    drained_keeping: float | None = None
    commits: float | None = None  # for one item
    faults: dict[str, Fault | None] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


def spread(count: int, first: float, seconds: float, *, base: int = 0) -> list[Item]:
    """``count`` moments, evenly over ``seconds``; numbered from ``base + 1``."""
    return [(base + number + 1, first + seconds * number / max(count, 1)) for number in range(count)]


def weeks(count: int, *, base: int) -> list[Item]:
    """Moments of the next two weeks, in no order; the same ones for everybody."""
    pick, first = random.Random(base), time.time() + LATER
    return [(base + number + 1, first + pick.random() * DAYS * DAY) for number in range(count)]


# --- scheduling, waiting, the burst ----------------------------------------------------------------
def wait_and_burst(contestant: Contestant, size: Size, result: Result) -> None:
    begin(contestant)
    later = weeks(size.promises - size.burst, base=size.burst)
    contestant.start()
    began = time.perf_counter()
    contestant.schedule(later)
    seconds = time.perf_counter() - began
    _until(contestant.absorbed, size.limit)
    time.sleep(QUIET)
    result.memory = contestant.stand.megabytes(*contestant.stand.children)
    lead = 2 + 1.5 * size.burst * seconds / max(len(later), 1)
    due = spread(size.burst, time.time() + lead, size.seconds)
    began = time.perf_counter()
    contestant.schedule(due)
    result.schedule = seconds + time.perf_counter() - began
    tally, seconds = _watch(contestant, due, size)
    result.burst = judge(tally, waiting=len(later), kept=contestant.kept(), seconds=seconds)
    if tally.missing:
        result.said.append(f"burst: {tally.missing:,} of {size.burst:,} not done {seconds:.0f} s after its last moment")
    contestant.stand.stop()


# --- faults ------------------------------------------------------------------------------------------
def fault(contestant: Contestant, size: Size, strike: Callable[[], None]) -> Fault:
    """``strike`` comes in the middle of a smaller burst, while others are not due yet."""
    begin(contestant)
    contestant.start()
    later = weeks(size.waiting, base=size.fault_burst)
    contestant.schedule(later)
    _until(contestant.absorbed, 10)
    due = spread(size.fault_burst, time.time() + 2 + size.fault_burst / 500, size.fault_seconds)
    contestant.schedule(due)
    tally, seconds = _watch(contestant, due, size, strike=strike)
    kept = contestant.kept()
    contestant.stand.stop()
    return judge(tally, waiting=size.waiting, kept=kept, seconds=seconds)


def judge(tally: effects.Tally, *, waiting: int, kept: int, seconds: float) -> Fault:
    """Whatever has neither had its effect nor is still in the store is lost; what is only in the store is stuck."""
    lost = max(0, tally.missing + waiting - kept)
    return Fault(tally, waiting, max(0, tally.missing - lost), lost, seconds)


def kill_worker(contestant: Contestant) -> Callable[[], None]:
    def strike() -> None:
        assert contestant.worker is not None
        contestant.stand.kill(contestant.worker)
        contestant.stand.again(contestant.worker)

    return strike


def restart_broker(contestant: Contestant) -> Callable[[], None]:
    return contestant.stand.restart_broker


# --- the backlog -----------------------------------------------------------------------------------
def drain(contestant: Contestant, size: Size, result: Result, *, keep: bool = False) -> None:
    """Everything is due already when the worker starts; from its first readiness to the last effect."""
    begin(contestant)
    due = spread(size.backlog, time.time() - 60, 60)
    if keep:
        ours.clear_promises()
        ours.promise(due)
    contestant.schedule(due)
    before = _commits()
    contestant.start(keep=keep, drain=True)  # type: ignore[call-arg]
    began = time.time()
    tally, _ = _watch(contestant, due, size, poke=True)
    contestant.stand.stop()
    seconds = max(tally.last - min(began, tally.first), 0.001)
    rate = tally.done / seconds if tally.done else 0.0
    if tally.missing:
        result.said.append(f"backlog: {tally.missing:,} of {size.backlog:,} not done after {size.limit:.0f} s")
    if keep:
        result.drained_keeping = rate
        return
    result.drained = rate
    time.sleep(1.5)  # a backend says what it did when it ends
    result.commits = (_commits() - before) / max(tally.done, 1)


def _commits() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


# --- watching ----------------------------------------------------------------------------------------
def begin(contestant: Contestant) -> None:
    contestant.stand.stop()
    contestant.fresh()
    contestant.stand.effects.clear()


def _until(done: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(0.2)


def _watch(
    contestant: Contestant,
    due: Sequence[Item],
    size: Size,
    *,
    strike: Callable[[], None] | None = None,
    poke: bool = False,
) -> tuple[effects.Tally, float]:
    """Until all is done and settled, nothing comes any more, or the limit; and how long after the last moment."""
    said = contestant.stand.effects
    wanted, last = {item for item, _ in due}, due[-1][1]
    middle = (due[0][1] + last) / 2
    began = moved = time.time()
    seen = 0
    patience = min(contestant.patience, size.patience)
    while True:
        now = time.time()
        if strike is not None and now >= middle:
            strike()
            strike = None
        if poke:
            contestant.poke()
        if (count := said.look()) != seen:
            seen, moved = count, now
        else:
            contestant.stand.mend()
        idle, over = now - max(moved, last), now - max(began, last)
        if over > 0 and (
            over > max(size.limit, patience)
            or idle > patience
            or (idle > QUIET and wanted <= said.items and not contestant.in_hand())
        ):
            break
        time.sleep(0.1)
    said.look()
    return effects.tally(dict(due), said.said), max(time.time() - last, 0)
