"""What the checklist's page reads of a case, in one statement: its round, the rules, a draft, and the banner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from clinic.one_statement import OneStatement, Parts, Rows
from procedures.domain.checklist import ChecklistState
from procedures.domain.ruleset import RuleSet
from procedures.models import ChecklistDraft, Procedure
from procedures.selectors import banner, checklists, clearance, safety


@dataclass(frozen=True, kw_only=True)
class ChecklistRead:
    """One case's checklist at one moment. ``draft``: what was typed and could not be saved; ``rows`` as they came."""

    state: ChecklistState
    rules: RuleSet | None
    draft: dict[str, Any]
    rows: Rows


def read(procedure: Procedure, now: datetime) -> ChecklistRead:
    """One query."""
    statement = _statement(tuple(banner.codes_of(procedure)))
    rows = statement.rows(case=procedure.pk, patient=procedure.patient_id)
    return ChecklistRead(
        state=checklists.state_of_round(procedure, checklists.round_in(rows), now),
        rules=safety.rules_in(rows),
        draft=next(iter(rows["draft"]), {}),
        rows=rows,
    )


@cache  # for the questions that a protocol names
def _statement(codes: tuple[str, ...]) -> OneStatement:
    def write(case: Any, patient: Any) -> Parts:
        draft = ChecklistDraft.objects.filter(procedure=case).values_list("data", flat=True)[:1]
        return {**clearance.parts(case), "draft": draft, **banner.parts(patient, codes)}

    return OneStatement(write)
