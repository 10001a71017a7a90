"""Laboratory values as the safety rules see them: the one that counts, in the first unit, and how old it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from procedures.domain.rule_medicines import LabTarget
from procedures.domain.rule_thresholds import Measure, Validity
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import LabValue, Snapshot


@dataclass(frozen=True, kw_only=True)
class Current:
    """``value`` None: not known. ``absent``: nobody has asked for it either."""

    value: float | None = None
    at: datetime | None = None
    absent: bool = False
    abnormal_before: bool = False


def current(snapshot: Snapshot, rules: RuleSet, code: str, at: datetime) -> Current:
    """The newest value drawn up to ``at``. One that cannot be read is unknown, never skipped for an older one."""
    values = [lab for lab in snapshot.labs if lab.code == code]
    if not values:
        return Current(absent=True)
    undated = [lab for lab in values if lab.at is None]
    drawn = sorted((lab for lab in values if lab.at is not None and lab.at <= at), key=_drawn_at)
    if undated or not drawn:
        return Current()
    measure = rules.measures[code]
    newest, before = drawn[-1], drawn[:-1]
    return Current(
        value=canonical(measure, newest.value, newest.unit),
        at=newest.at,
        abnormal_before=bool(before) and is_abnormal(measure, before[-1]),
    )


def canonical(measure: Measure, value: float | None, unit: str) -> float | None:
    """In the measure's first unit; None for a unit it does not know. No unit named: the first."""
    if value is None:
        return None
    if not unit:
        return value
    factors = dict(zip(measure.units, measure.factors, strict=True))
    return value * factors[unit] if unit in factors else None


def is_abnormal(measure: Measure, lab: LabValue) -> bool:
    """Outside the limits; a value that cannot be read is."""
    value = canonical(measure, lab.value, lab.unit)
    if value is None:
        return True
    low, high = measure.abnormal_below, measure.abnormal_above
    return (low is not None and value < low) or (high is not None and value > high)


def within(validity: Validity, drawn: datetime, at: datetime, zone: tzinfo) -> bool:
    """Whether a value drawn then is young enough at the needle."""
    if validity.same_day and drawn.astimezone(zone).date() != at.astimezone(zone).date():
        return False
    return validity.hours is None or at - drawn <= timedelta(hours=validity.hours)


def meets(target: LabTarget, value: float) -> bool:
    return {
        "at_most": value <= target.value,
        "below": value < target.value,
        "at_least": value >= target.value,
        "above": value > target.value,
    }[target.op]


def _drawn_at(lab: LabValue) -> datetime:
    assert lab.at is not None
    return lab.at
