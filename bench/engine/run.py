"""All contestants in turn, and the tables."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

from bench import ground
from bench.engine import floor, mails, ours, peers, phases, report, ticks
from bench.engine.contestant import Contestant
from bench.engine.phases import Result, Size
from bench.engine.stand import Stand, standing

CONTESTANTS: dict[str, type[Contestant]] = {
    "engine": ours.Engine,
    "eta": peers.Eta,
    "clocked": peers.Clocked,
    "jobs": peers.Jobs,
    "floor": floor.Floor,
    "floor-each": floor.FloorOneByOne,
    "floor-bare": floor.Barest,
}
NEEDS = {"clocked": "django_celery_beat", "jobs": "procrastinate"}
FLOORS = frozenset({"floor", "floor-each", "floor-bare"})
PARTS = ("burst", "faults", "backlog", "ticks", "mails")
MAILS = 4000
QUICK = Size(
    promises=2000, burst=200, seconds=3, fault_burst=100, fault_seconds=2, waiting=50, backlog=200, limit=10, patience=3
)


def main(*, quick: bool, arguments: Sequence[str]) -> int:
    given, size = read(arguments, QUICK if quick else Size())
    results: list[Result] = []
    rows: list[ticks.Row] = []
    rates: mails.Rates | None = None
    began = time.monotonic()
    with standing() as stand:
        for key in given.only:
            if key in NEEDS and find_spec(NEEDS[key]) is None:
                print(f"{key}: {NEEDS[key]} is not installed (make venv-bench)", flush=True)
                continue
            results.append(run(key, stand, size, given.parts))
        if "mails" in given.parts:
            rates = attempt("mails", lambda: mails.measure(stand, min(MAILS, size.backlog)))
        if "ticks" in given.parts:
            sizes = [n for n in ticks.SIZES if n <= given.ticks]
            for key, look in (("engine", ticks.engine), ("clocked", ticks.clocked), ("jobs", ticks.jobs)):
                if key in given.only and (key not in NEEDS or find_spec(NEEDS[key])):
                    rows += attempt(f"ticks of {key}", partial(look, sizes)) or []
    print(report.text(size, results, rows, rates))
    print(f"\nAll of it took {(time.monotonic() - began) / 60:.1f} minutes; {ground.machine()}")
    return 0


def read(arguments: Sequence[str], size: Size) -> tuple[Any, Size]:
    parser = argparse.ArgumentParser(prog="python -m bench engine", description=__doc__)
    parser.add_argument("--promises", type=int, default=size.promises, help="in all, over two weeks")
    parser.add_argument("--burst", type=int, default=size.burst, help="due in the burst; also the backlog")
    parser.add_argument("--seconds", type=float, default=size.seconds, help="over which the burst is spread")
    parser.add_argument("--fault-burst", type=int, default=None, help="due while something is broken; else a tenth")
    parser.add_argument("--limit", type=float, default=size.limit, help="seconds for each phase after its last moment")
    parser.add_argument("--patience", type=float, default=size.patience, help="seconds to wait for what does not come")
    parser.add_argument("--ticks", type=int, default=ticks.SIZES[-1], help="open promises at most, for a look's cost")
    parser.add_argument("--tick", type=int, default=1 if size is QUICK else ours.Engine.tick, help="of our beat, s")
    parser.add_argument("--only", nargs="*", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    given = parser.parse_args(arguments)
    tenth = max(given.burst // 10, 50)
    ours.Engine.tick = given.tick
    return given, replace(
        size,
        promises=max(given.promises, given.burst),
        burst=given.burst,
        backlog=given.burst,
        seconds=given.seconds,
        fault_burst=given.fault_burst or tenth,
        fault_seconds=given.seconds / 6 if given.seconds > 12 else 2,
        waiting=min(size.waiting, tenth),
        limit=given.limit,
        patience=given.patience,
    )


def run(key: str, stand: Stand, size: Size, parts: Sequence[str]) -> Result:
    """Whatever fails in one phase is said and keeps no other phase and nobody else from running."""
    contestant = CONTESTANTS[key](stand)
    result = Result(contestant.name)
    began = time.monotonic()

    def phase(words: str, work: Callable[[], Any]) -> Any:
        return attempt(f"{contestant.name}, {words}", work, result)

    phase("tables", contestant.prepare)
    if "burst" in parts and (key == "floor" or key not in FLOORS):
        phase("burst", lambda: phases.wait_and_burst(contestant, size, result))
    if "faults" in parts and key not in FLOORS:
        _faults(contestant, size, result, phase)
    if "backlog" in parts:
        phase("backlog", lambda: phases.drain(contestant, size, result))
        if key not in {"engine", *FLOORS} and result.drained:
            phase("backlog, keeping rows", lambda: phases.drain(contestant, size, result, keep=True))
    attempt("emptying", lambda: phases.begin(contestant))
    print(f"   {contestant.name}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"{report.main_table([result])}\n{report.fault_table([result])}", flush=True)
    return result


def _faults(contestant: Contestant, size: Size, result: Result, phase: Callable[..., Any]) -> None:
    stand = contestant.stand
    kill = phases.kill_worker(contestant)
    result.faults["kill"] = phase("worker killed", lambda: phases.fault(contestant, size, kill))
    if not contestant.broker:
        return
    for words, append_only in (("append-only file", True), ("no file", False)):
        stand.stop()
        stand.restart_broker(append_only=append_only)
        restart = phases.restart_broker(contestant)
        result.faults[words] = phase(
            f"broker restarted, {words}", lambda restart=restart: phases.fault(contestant, size, restart)
        )
    stand.stop()
    stand.restart_broker(append_only=True)


def attempt(words: str, work: Callable[[], Any], result: Result | None = None) -> Any:
    began = time.monotonic()
    try:
        return work()
    except (Exception, SystemExit) as error:
        said = f"{words}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
        print(f"   {said}", flush=True)
        if result is not None:
            result.said.append(said)
        return None
    finally:
        print(f"      {words}: {time.monotonic() - began:.0f} s", flush=True)
