"""The second signature under an emergency start."""

from __future__ import annotations

from followups.domain import closing
from followups.domain.kinds import Closed, Kind
from procedures.domain.states import ProcedureStatus
from tests.domain.cases import NOON, case, hours, kinds, only

STARTER, RESPONSIBLE = 8, 7


def test_an_emergency_start_is_countersigned_within_a_day() -> None:
    promise = only(case(emergency_start=True, emergency_by_id=STARTER))
    assert (promise.kind, promise.due_at) == (Kind.COUNTERSIGN_START, NOON + hours(24))
    assert promise.responsible_id == RESPONSIBLE


def test_it_is_not_addressed_to_who_started_it() -> None:
    assert only(case(emergency_start=True, emergency_by_id=RESPONSIBLE)).responsible_id is None


def test_it_is_owed_while_the_needle_is_in_and_after_death() -> None:
    begun = {"status": ProcedureStatus.IN_PROGRESS, "completed_at": None, "outcome": None}
    assert Kind.COUNTERSIGN_START in kinds(case(emergency_start=True, **begun))
    assert Kind.COUNTERSIGN_START in kinds(case(emergency_start=True, deceased=True))


def test_a_signature_keeps_it_and_a_mistaken_case_does_not() -> None:
    signed = case(emergency_start=True, countersigned=True)
    assert kinds(signed) == []
    assert closing.because(Kind.COUNTERSIGN_START, {}, signed) is Closed.KEPT
    mistaken = case(emergency_start=True, status=ProcedureStatus.ENTERED_IN_ERROR)
    assert Kind.COUNTERSIGN_START not in kinds(mistaken)
    assert closing.because(Kind.COUNTERSIGN_START, {}, mistaken) is Closed.NO_LONGER_NEEDED
