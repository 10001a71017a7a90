"""The tables, and the targets with what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench import ground
from bench.engine.floor import Barest, Floor, FloorOneByOne
from bench.engine.mails import Rates
from bench.engine.ours import Engine
from bench.engine.peers import Clocked, Eta, Jobs
from bench.engine.phases import Fault, Result, Size
from bench.engine.ticks import SIZES, Row

NONE = "–"
OUR_ROWS = (Engine.name, Floor.name, FloorOneByOne.name)
PEERS = (Eta.name, Clocked.name, Jobs.name)
FAULTS = (
    ("kill", "worker killed"),
    ("append-only file", "broker restarted, append-only file"),
    ("no file", "broker restarted, nothing on disk"),
)
FLAT, HALF, LATE, MAILS = 1.2, 0.5, 60, 390
#: Messages that a killed worker may have handed over and not settled: one, as it sends by one process, one by one.
IN_HAND = 1


def text(size: Size, results: Sequence[Result], rows: Sequence[Row], rates: Rates | None) -> str:
    parts = [
        f"{size.promises:,} promises over two weeks; {size.burst:,} of them due within {size.seconds:g} s. Backlog: "
        f"{size.backlog:,}. Faults: {size.fault_burst:,} due within {size.fault_seconds:g} s, {size.waiting:,} later.",
        main_table(results),
        fault_table(results),
    ]
    if rows:
        parts += ["One look, milliseconds (of the asking process alone)", tick_table(rows)]
    if rates:
        parts += [mail_table(rates)]
    parts += ["Targets", "\n".join(targets(results, rows, rates))]
    if said := [f"- {result.name}: {words}" for result in results for words in result.said]:
        parts += ["Did not finish", "\n".join(said)]
    return "\n" + "\n\n".join(parts)


HEAD = ("", "schedule all, s", "waiting: RSS MB", "PSS MB")
BURST = ("late p50, s", "p99, s", "lost", "not done", "doubled", "early")
RATES = ("due items/s", "leaving our rows", "commits each")


def main_table(results: Sequence[Result]) -> str:
    return ground.table((*HEAD, *BURST, *RATES), [_row(result) for result in results])


def _row(result: Result) -> tuple[object, ...]:
    memory = [f"{value:,.0f}" for value in result.memory] if result.memory else [NONE] * 2
    burst: list[object] = [NONE] * 6
    if result.burst:
        of = result.burst.tally
        burst = [_number(of.p50, 2), _number(of.p99, 2), result.burst.lost, result.burst.stuck, of.doubled, of.early]
    keeping = result.drained if result.name in OUR_ROWS else result.drained_keeping
    rates = (_number(result.drained), _number(keeping), _number(result.commits, 2))
    return (result.name, _number(result.schedule, 1), *memory, *burst, *rates)


def fault_table(results: Sequence[Result]) -> str:
    rows = []
    for r in results:
        if r.faults:
            rows.append((r.name, *(_fault(r.faults.get(key), key in r.faults) for key, _ in FAULTS)))
    return ground.table(("", *(words for _, words in FAULTS)), rows)


def _fault(found: Fault | None, tried: bool) -> str:
    if found is None:
        return "did not finish" if tried else "needs no broker"
    return found.words()


def _number(value: float | None, places: int = 0) -> str:
    return NONE if value is None or math.isnan(value) else f"{value:,.{places}f}"


def tick_table(rows: Sequence[Row]) -> str:
    sizes = SIZES[: max(len(costs) for _, costs in rows)]
    head = ("", *(f"{size:,} open" for size in sizes), "last/first")
    return ground.table(head, [(words, *costs, f"{costs[-1].wall / costs[0].wall:.2f}") for words, costs in rows])


def mail_table(rates: Rates) -> str:
    rows = [
        ("this engine: claimed, worded, sent, settled", f"{rates.engine:,.0f}"),
        ("smtplib, each mail made anew", f"{rates.made:,.0f}"),
        ("smtplib, the same bytes: the sink's own limit", f"{rates.bare:,.0f}"),
    ]
    return ground.table((f"{rates.count:,} mails over one connection", "mails/s"), rows)


# --- targets -----------------------------------------------------------------------------------------
def targets(results: Sequence[Result], rows: Sequence[Row], rates: Rates | None) -> list[str]:
    by_name = {result.name: result for result in results}
    said = [*_ours(by_name.get(Engine.name)), *_floors(by_name), *_peers(by_name), *_flat(rows)]
    if rates:
        wanted = min(MAILS, rates.bare)
        words = f"mails/s: {rates.engine:,.0f} (target {wanted:,.0f}: {MAILS} or the sink's own limit)"
        said.append(_line(rates.engine >= wanted, words))
    return said


def _line(met: bool, words: str) -> str:
    return f"- {'met' if met else 'MISSED'}: {words}"


def _ours(engine: Result | None) -> list[str]:
    if engine is None:
        return []
    said = []
    if engine.burst:
        missing, of = engine.burst.lost + engine.burst.stuck, engine.burst.tally
        said.append(
            _line(not missing and not of.doubled, f"undisturbed: {missing} lost, {of.doubled} doubled (target 0)")
        )
        said.append(_line(of.p99 < LATE, f"burst p99 lateness: {_number(of.p99, 1)} s (target < {LATE} s)"))
    unfinished = sum(found is None for found in engine.faults.values())
    faults = [found for found in engine.faults.values() if found is not None]
    if unfinished:
        said.append(_line(False, f"faults: {unfinished} did not finish"))
    if faults:
        lost = sum(found.lost + found.stuck for found in faults)
        said.append(_line(not lost, f"faults: {lost} lost or not done in the window (target 0)"))
        doubled = max(found.tally.doubled for found in faults)
        words = f"faults: {doubled} doubled at most in one of them (the design: {IN_HAND}, handed over and not settled)"
        said.append(_line(doubled <= IN_HAND, words))
    return said


def _floors(by_name: dict[str, Result]) -> list[str]:
    """The target is taken of the one that leaves the same rows in batches; the others stand beside it."""
    engine, said = by_name.get(Engine.name), []
    if engine is None or engine.drained is None:
        return []
    for name in (Floor.name, FloorOneByOne.name, Barest.name):
        most = by_name[name].drained if name in by_name else None
        if most:
            words = f"{engine.drained:,.0f} due items/s are {engine.drained / most:.0%} of {most:,.0f} ({name})"
            met = engine.drained >= HALF * most
            said.append(_line(met, f"{words}; target {HALF:.0%}") if name == Floor.name else f"- beside it: {words}")
    return said


def _peers(by_name: dict[str, Result]) -> list[str]:
    engine, said = by_name.get(Engine.name), []
    peers = [by_name[name] for name in PEERS if name in by_name]
    if engine is None or engine.drained is None:
        return []
    for words, found in (
        ("every peer", [(peer.drained, peer.name) for peer in peers]),
        ("every peer that leaves the same rows", [(peer.drained_keeping, peer.name) for peer in peers]),
    ):
        known = [(rate, name) for rate, name in found if rate is not None]
        if known:
            most, name = max(known)
            said.append(
                _line(engine.drained > most, f"above {words}: {engine.drained:,.0f}/s, {name} has {most:,.0f}/s")
            )
    return said


def _flat(rows: Sequence[Row]) -> list[str]:
    said = []
    for words, costs in rows:
        if words.startswith(f"{Engine.name}, a pass") and len(costs) > 1:
            ratio = costs[-1].wall / costs[0].wall
            sizes = f"from {SIZES[0]:,} to {SIZES[len(costs) - 1]:,} open"
            said.append(_line(ratio <= FLAT, f"{words}: {ratio:.2f} × {sizes} (target ≤ {FLAT})"))
    return said
