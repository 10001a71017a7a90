"""What must still happen for one case. Pure: facts in, promises out, no clock.

Each clause is one function: while it returns a promise the case stays open. Whatever order the facts arrived in, the
plan is the same. Cancelled is not an empty plan: holds, specimens in flight, unread results and an untold patient
stay promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from followups.domain import booking_clauses as booking
from followups.domain import laboratory_clauses as laboratory
from followups.domain import patient_clauses as patient
from followups.domain.facts import ProcedureFacts
from followups.domain.promise import Promise
from procedures.domain.states import TERMINAL

CLAUSES: tuple[Callable[[ProcedureFacts], Iterator[Promise]], ...] = (
    booking.book_request,
    booking.carry_out,
    booking.rebook_no_show,
    booking.sign_record,
    booking.checklist_after_emergency,
    laboratory.collect_tests,
    laboratory.specimen_not_received,
    laboratory.specimen_lost,
    laboratory.awaited_result,
    laboratory.review_result,
    laboratory.do_action,
    patient.tell_results,
    patient.tell_no_result,
    patient.symptom_check,
    patient.restart_medicine,
)


def plan(facts: ProcedureFacts) -> tuple[Promise, ...]:
    """Every promise that should exist now, in a stable order."""
    promises = [p for clause in CLAUSES for p in clause(facts)]
    return tuple(sorted(promises, key=lambda p: (p.due_at, p.key)))


def is_closed(facts: ProcedureFacts, promises: Iterable[Promise]) -> bool:
    """Closed: nothing further will be done with the needle, and nothing is promised."""
    return facts.status in TERMINAL and not tuple(promises)
