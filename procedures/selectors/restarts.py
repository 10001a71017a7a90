"""When a held medicine is to be taken again, by the rules of the day on which it was held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from procedures.domain import safety
from procedures.domain.case_snapshot import code_of
from procedures.domain.holds import Restart
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import Medicine, Snapshot
from procedures.models import Procedure
from procedures.selectors import safety as live


def rule_for(procedure: Procedure, name: str, now: datetime) -> dict[str, Any] | None:
    """Hours from the needle to the restart, ordinary and after a traumatic tap, for what was typed as ``name``.

    None: no rules, or none about it. Hours that are None: the physician sets the time before discharge. Kept with the
    hold, so that no later edit of the medicine list changes it.
    """
    version = live.rule_set()
    if version is None:
        return None
    rules = version.parsed
    code = code_of(rules, name)
    if not code:
        return None
    shot = live.snapshot(procedure, rules, now)
    medicine = _taken(shot, rules, code) or Medicine(text=name, code=code)
    ordinary = safety.restarts(medicine, shot, rules, needle_at=now, traumatic=False)
    traumatic = safety.restarts(medicine, shot, rules, needle_at=now, traumatic=True)
    if not ordinary or not traumatic:
        return None
    latest, worst = max(ordinary, key=_hours), max(traumatic, key=_hours)
    return {
        "code": code,
        "hours": latest.hours,
        "traumatic_hours": worst.hours,
        "source": latest.rule.source.source,
        "year": latest.rule.source.year,
        "approved_by": latest.rule.source.approved_by,
        "rule_set": version.number,
    }


def _taken(shot: Snapshot, rules: RuleSet, code: str) -> Medicine | None:
    """The line of the list that the held name is about: it says dose and tier."""
    wanted = {ingredient.code for ingredient in rules.ingredients_of(code)}
    lines = shot.medicines.entries
    return next((m for m in lines if wanted & {i.code for i in rules.ingredients_of(m.code)}), None)


def _hours(restart: Restart) -> float:
    return float("inf") if restart.hours is None else restart.hours
