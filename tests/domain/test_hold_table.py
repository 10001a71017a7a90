"""Every medicine × class of procedure × dose tier × renal band × boundary, against a table that was typed apart.

``tests/data/expected_holds.csv`` is the independent statement of what each rule must be. The rows are judged through
``evaluate`` itself, one minute before and at the end of each hold.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import pytest

from procedures.domain import safety
from procedures.domain.findings import Finding, Severity
from procedures.domain.rule_medicines import HoldRule
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import LabValue, Medicine
from tests.domain.protocol_files import ROOT
from tests.domain.safety_cases import MINUTE, NEEDLE, case, hours, one, rules, stopped, taken

CONSULT = {"neuraxial": Severity.STOP, "low_risk": Severity.CAUTION}
#: A value at the target, and one just beyond it.
VALUES = {
    "inr<=1.4": ("inr", 1.4, 1.5),
    "aptt_ratio<=1.4": ("aptt_ratio", 1.4, 1.5),
    "anti_xa<=0.1": ("anti_xa", 0.1, 0.2),
    "doac_level<30": ("doac_level", 29, 30),
    "fibrinogen>200": ("fibrinogen", 201, 200),
}
#: A level counts from this long after the last dose.
LEVEL_AFTER = 24


@dataclass(frozen=True)
class Expected:
    kind: str
    ingredient: str
    tier: str
    crcl_min: float | None
    crcl_max: float | None
    action: str
    hold: int | None
    labs: tuple[str, ...]
    combine: str
    restart: int | None
    traumatic: int | None

    def __str__(self) -> str:
        band = f"{self.crcl_min or 0:g}-{self.crcl_max or ''}"
        return f"{self.kind}-{self.ingredient}-{self.tier or 'any'}-{band}"

    @property
    def key(self) -> tuple[object, ...]:
        return self.kind, self.ingredient, self.tier, self.crcl_min, self.crcl_max

    def clearances(self) -> tuple[float, ...]:
        """At the lower edge of the band, just below its upper edge; anywhere if there are none."""
        edges = [] if self.crcl_min is None else [self.crcl_min]
        edges += [] if self.crcl_max is None else [self.crcl_max - 0.1]
        return tuple(edges) or (90.0, 15.0)


def _number(text: str) -> int | None:
    return int(text) if text else None


@cache
def expected() -> tuple[Expected, ...]:
    with (ROOT / "tests" / "data" / "expected_holds.csv").open(newline="", encoding="utf-8") as lines:
        return tuple(
            Expected(
                row["bleeding_class"], ingredient, row["tier"], _number(row["crcl_min"]), _number(row["crcl_max"]),
                row["action"], _number(row["hold_hours"]), tuple(row["labs"].split()), row["combine"],
                _number(row["restart"]), _number(row["traumatic"]),
            )
            for row in csv.DictReader(lines)
            for ingredient in row["ingredients"].split()
        )  # fmt: skip


def disagreements(row: Expected, found: RuleSet) -> list[str]:
    """Where the rules and the row differ; empty when they agree."""
    wrong = []
    for crcl in row.clearances():
        for name, holds in _checks(row, crcl, found):
            if not holds:
                wrong.append(f"{row} at {crcl:g} mL/min: {name}")
    return wrong


def _checks(row: Expected, crcl: float, found: RuleSet) -> Iterator[tuple[str, bool]]:
    def judged(medicine: Medicine, *labs: LabValue, **extra: object) -> Finding | None:
        snapshot = case(row.kind, medicines=(medicine,), labs=labs, crcl=crcl, **extra)
        result = safety.evaluate(snapshot, found, NEEDLE)
        return next((f for f in result if f.key == f"medicine:{row.ingredient}"), None)

    ongoing = judged(taken(row.ingredient, tier=row.tier))
    if row.action == "continue":
        yield "continues", ongoing is None or ongoing.code == "medicine_continue"
        yield "asks for no restart", not _restarts(row, crcl, found, traumatic=False)
        return
    assert ongoing is not None
    if row.action == "consult":
        yield "asks", (ongoing.code, ongoing.severity) == ("medicine_consult", CONSULT[row.kind])
        return
    yield "stops while it is taken", ongoing.severity is Severity.STOP
    yield "restart", _restarts(row, crcl, found, traumatic=False) == [row.restart]
    yield "restart after a traumatic tap", _restarts(row, crcl, found, traumatic=True) == [row.traumatic]
    if row.hold is None:
        yield "has no safe interval", ongoing.code == "medicine_avoid"
        old = judged(stopped(row.ingredient, NEEDLE - hours(5000), tier=row.tier))
        yield "is not released by time", old is not None and old.code == "medicine_avoid"
        return
    end = NEEDLE - hours(row.hold)
    good = [LabValue(code=VALUES[text][0], value=VALUES[text][1], at=NEEDLE - MINUTE) for text in row.labs]
    bad = [LabValue(code=VALUES[text][0], value=VALUES[text][2], at=NEEDLE - MINUTE) for text in row.labs]
    with_lab = good if row.combine == "all" else []
    over = judged(stopped(row.ingredient, end, tier=row.tier), *with_lab)
    soon = judged(stopped(row.ingredient, end + MINUTE, tier=row.tier), *with_lab)
    assert over is not None and soon is not None
    released = ("medicine_decide", Severity.CAUTION) if row.action == "avoid" else ("medicine_held", Severity.INFO)
    yield "passes when the hold is over", (over.code, over.severity) == released
    yield "stops one minute before", (soon.code, soon.severity) == ("medicine_too_soon", Severity.STOP)
    yield "says when", soon.earliest_safe_at == NEEDLE + MINUTE
    if row.combine == "all":
        for name, labs in (("no value", ()), ("a bad value", bad)):
            without = judged(stopped(row.ingredient, end, tier=row.tier), *labs)
            yield f"needs the laboratory too: {name}", without is not None and without.code == "medicine_lab_needed"
    if row.combine == "any":
        yield from _by_level(row, crcl, found, good, bad)


def _by_level(
    row: Expected, crcl: float, found: RuleSet, good: list[LabValue], bad: list[LabValue]
) -> Iterator[tuple[str, bool]]:
    last = NEEDLE - MINUTE - hours(LEVEL_AFTER)
    for value in good:
        for dose_at, code in ((last, "medicine_held_by_level"), (last + MINUTE, "medicine_too_soon")):
            medicine = stopped(row.ingredient, dose_at, tier=row.tier)
            result = safety.evaluate(case(row.kind, medicines=(medicine,), labs=(value,), crcl=crcl), found, NEEDLE)
            yield f"{value.code} {value.value}: {code}", one(result, f"medicine:{row.ingredient}").code == code
    for value in bad:
        medicine = stopped(row.ingredient, last, tier=row.tier)
        result = safety.evaluate(case(row.kind, medicines=(medicine,), labs=(value,), crcl=crcl), found, NEEDLE)
        yield f"{value.code} too high", one(result, f"medicine:{row.ingredient}").severity is Severity.STOP


def _restarts(row: Expected, crcl: float, found: RuleSet, *, traumatic: bool) -> list[int | None]:
    medicine = taken(row.ingredient, tier=row.tier)
    result = safety.restarts(
        medicine, case(row.kind, medicines=(medicine,), crcl=crcl), found, needle_at=NEEDLE, traumatic=traumatic
    )
    return [restart.hours for restart in result]


@pytest.mark.parametrize("row", expected(), ids=str)
def test_every_medicine_is_judged_as_the_table_says(row: Expected) -> None:
    assert disagreements(row, rules()) == []


def test_the_table_names_every_rule_and_no_other() -> None:
    in_data = sorted(
        (rule.bleeding_class, ingredient, rule.tier, rule.crcl_min or 0, rule.crcl_max or 0)
        for rule in rules().medicines.holds
        for ingredient in rule.ingredients
    )
    assert in_data == sorted((r.kind, r.ingredient, r.tier, r.crcl_min or 0, r.crcl_max or 0) for r in expected())


def _altered(rule: HoldRule, **changes: object) -> RuleSet:
    medicines = rules().medicines
    holds = tuple(replace(rule, **changes) if one_rule is rule else one_rule for one_rule in medicines.holds)  # type: ignore[arg-type]
    return replace(rules(), medicines=replace(medicines, holds=holds))


HELD = [rule for rule in rules().medicines.holds if rule.hold_hours]


@pytest.mark.parametrize("rule", HELD, ids=lambda r: f"{r.bleeding_class}-{r.ingredients[0]}-{r.tier}-{r.crcl_min}")
def test_changing_any_hold_restart_or_target_breaks_the_table(rule: HoldRule) -> None:
    rows = [
        r for r in expected()
        if r.key == (rule.bleeding_class, rule.ingredients[0], rule.tier, rule.crcl_min, rule.crcl_max)
    ]  # fmt: skip
    changes: list[dict[str, object]] = [{"hold_hours": (rule.hold_hours or 0) + n} for n in (1, -1)]
    changes.append({"restart_hours": (rule.restart_hours or 0) + 1})
    changes.append({"restart_if_traumatic_hours": (rule.restart_if_traumatic_hours or 0) + 1})
    for index, lab in enumerate(rule.labs):
        step = 1 if lab.value > 10 else 0.1
        for n in (step, -step):
            labs = [*rule.labs]
            labs[index] = replace(lab, value=lab.value + n)
            changes.append({"labs": tuple(labs)})
    assert rows and not disagreements(rows[0], rules())
    for change in changes:
        assert disagreements(rows[0], _altered(rule, **change)), change


def _strictest(kind: str, ingredient: str, tier: str | None, crcl: float | None) -> Expected:
    """By the table alone: what an unknown tier or renal function must be judged as."""
    possible = [
        r for r in expected()
        if (r.kind, r.ingredient) == (kind, ingredient)
        and (tier is None or r.tier in ("", tier))
        and (crcl is None or ((r.crcl_min or 0) <= crcl < (r.crcl_max or 1000)))
    ]  # fmt: skip
    return max(possible, key=lambda r: (r.action == "avoid" and r.hold is None, r.action == "consult", r.hold or 0))


MANY_RULES = sorted({r.ingredient for r in expected() if r.kind == "neuraxial" and r.tier})


@pytest.mark.parametrize("ingredient", MANY_RULES)
def test_an_unknown_dose_takes_the_strictest_tier_and_an_unknown_kidney_the_strictest_band(ingredient: str) -> None:
    tiers = {r.tier for r in expected() if r.ingredient == ingredient and r.tier}
    for tier, crcl in [(None, 90.0), (None, None), *((t, None) for t in tiers)]:
        wanted = _strictest("neuraxial", ingredient, tier, crcl)
        if wanted.hold is None:
            found = _one(ingredient, tier, crcl, hold=2000)
            assert found.severity is Severity.STOP, (tier, crcl)
            continue
        assert _one(ingredient, tier, crcl, hold=wanted.hold).severity is Severity.INFO, (tier, crcl)
        soon = _one(ingredient, tier, crcl, hold=wanted.hold, minutes=1)
        assert soon.severity is Severity.STOP, (tier, crcl)


def _one(ingredient: str, tier: str | None, crcl: float | None, *, hold: int, minutes: int = 0) -> Finding:
    medicine = stopped(ingredient, NEEDLE - hours(hold) + minutes * MINUTE, tier=tier or "")
    labs = (LabValue(code="aptt_ratio", value=1, at=NEEDLE - MINUTE),)
    found = safety.evaluate(case(medicines=(medicine,), crcl=crcl, labs=labs), rules(), NEEDLE)
    return one(found, f"medicine:{ingredient}")
