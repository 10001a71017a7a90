"""The safety rules: microseconds for one evaluation of a case, from somebody healthy to a list of twenty medicines."""

from __future__ import annotations

import time
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import ground
from procedures.domain import load, load_ruleset, safety
from procedures.domain import snapshot as s
from procedures.domain.answers import AnswerState
from procedures.domain.ruleset import RuleSet

PROTOCOLS = Path(__file__).resolve().parent.parent / "procedures" / "protocols"
TIMES = 2_000
NEEDLE = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
#: What one evaluation may take at most, so that live findings stay far below 100 ms.
MOST_MICROSECONDS = 10_000


def main(*, quick: bool = False) -> int:
    times = TIMES // 10 if quick else TIMES
    rules = load_ruleset.parse({name: _data(name) for name in load_ruleset.FILES})
    rows, slowest = [], 0.0
    for name, snapshot in _cases(rules):
        found = len(safety.evaluate(snapshot, rules, NEEDLE))
        taken = sorted(_microseconds(snapshot, rules) for _ in range(times))
        median, late = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
        slowest = max(slowest, median)
        rows.append((name, found, f"{median:.0f}", f"{late:.0f}"))
    print(
        f"{len(rules.medicines.ingredients)} ingredients, {len(rules.medicines.holds)} hold rules; {times} times each\n"
    )
    print(ground.table(("case", "findings", "median, µs", "p95, µs"), rows))
    return 1 if slowest > MOST_MICROSECONDS else 0


def _data(name: str) -> dict[str, object]:
    return tomllib.loads((PROTOCOLS / f"{name}.toml").read_text("utf-8"))


def _microseconds(snapshot: s.Snapshot, rules: RuleSet) -> float:
    began = time.process_time()
    safety.evaluate(snapshot, rules, NEEDLE)
    return (time.process_time() - began) * 1e6


def _cases(rules: RuleSet) -> list[tuple[str, s.Snapshot]]:
    apixaban = _stopped("apixaban", dose=5, unit="mg", times_per_day=2)
    twenty = tuple(_stopped(i.code) for i in rules.medicines.ingredients[:20])
    cases = []
    for code, words in (("lumbar_puncture", "lumbar puncture"), ("paracentesis", "paracentesis")):
        empty = _empty(code)
        cases += [
            (f"{words}, nothing known", empty),
            (f"{words}, apixaban", _with(empty, apixaban)),
            (f"{words}, 20 medicines of unknown dose", _with(empty, *twenty)),
        ]
    return cases


def _empty(code: str) -> s.Snapshot:
    """Every question answered with *unknown*: every rule has something to say."""
    protocol = load.parse(_data(code), name=code)
    unknown = s.AnswerFact(state=AnswerState.UNKNOWN)
    return s.Snapshot(
        procedure=s.ProcedureFacts(bleeding_class=protocol.bleeding_class, min_age=protocol.min_age),
        questions={q.code: q.stage for q in protocol.questions},
        answers={q.code: unknown for q in protocol.questions},
        moment="time_out",
    )


def _with(snapshot: s.Snapshot, *lines: s.Medicine) -> s.Snapshot:
    return replace(snapshot, medicines=s.MedicineList(asked=s.Asked.LISTED, entries=lines))


def _stopped(code: str, **dose: object) -> s.Medicine:
    last = NEEDLE - timedelta(hours=40)
    return s.Medicine(text=code, code=code, status=s.MedicineStatus.STOPPED, last_dose_at=last, **dose)  # type: ignore[arg-type]
