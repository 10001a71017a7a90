"""What is pending goes with the patient, and somebody accepts it by name."""

from __future__ import annotations

from typing import Any

import pytest

from followups.domain import closing
from followups.domain import facts as f
from followups.domain.kinds import Closed, Kind
from followups.domain.planner import plan
from followups.domain.promise import Promise
from procedures.domain.protocol import TRANSFER_HOURS
from procedures.domain.states import Disposition, EncounterClass, ProcedureStatus
from procedures.domain.transfers import TransferAnswer, TransferWhy
from tests.domain.cases import NOON, case, finished_test, hours, kinds, lab_fact, protocol, replace

END = NOON + hours(1)
CARL = 9


def pending(**extra: Any) -> f.ProcedureFacts:
    """A case that goes to the ward while a result is awaited."""
    return case(**{"disposition": Disposition.WARD, "tests": (lab_fact(),), **extra})


def offer(id: int = 1, at: float = 2, **extra: Any) -> f.TransferFact:
    fields: dict[str, Any] = {
        "id": id,
        "why": TransferWhy.WARD,
        "to_id": CARL,
        "offered_at": NOON + hours(at),
        "answer": TransferAnswer.OPEN,
        "answered_at": None,
    }
    return f.TransferFact(**{**fields, **extra})


def answered(answer: TransferAnswer, id: int = 1, at: float = 2, **extra: Any) -> f.TransferFact:
    return offer(id, at, answer=answer, answered_at=NOON + hours(at + 1), **extra)


def promised(facts: f.ProcedureFacts) -> Promise | None:
    return next((p for p in plan(facts) if p.kind is Kind.ACCEPT_TRANSFER), None)


def wanted(facts: f.ProcedureFacts) -> Promise:
    found = promised(facts)
    assert found is not None
    return found


@pytest.mark.parametrize("to", ["ward", "admitted", "emergency_department"])
def test_whoever_goes_elsewhere_with_something_pending_needs_an_acceptor(to: str) -> None:
    promise = wanted(pending(disposition=Disposition(to)))
    assert (promise.start_at, promise.about["why"]) == (END, to)
    assert promise.due_at == END + hours(protocol().accept_within(to))
    assert promise.responsible_id == 7


@pytest.mark.parametrize("to", [Disposition.HOME, Disposition.DIED, None])
def test_nobody_is_asked_for_who_goes_home_or_has_died(to: Disposition | None) -> None:
    assert promised(pending(disposition=to)) is None
    assert promised(pending(deceased=True)) is None


def test_with_nothing_pending_there_is_nothing_to_accept() -> None:
    assert kinds(pending(tests=(finished_test(),))) == []
    assert promised(pending(tests=(), record_signed_at=None)) is None  # the record stays with us


def test_a_discharge_with_something_pending_needs_an_acceptor() -> None:
    gone = {"disposition": Disposition.HOME, "encounter_class": EncounterClass.OUTPATIENT}
    promise = wanted(pending(**gone, discharged_at=NOON + hours(30)))
    assert (promise.about["why"], promise.start_at) == ("discharge", NOON + hours(30))
    assert promised(pending(**gone, discharged_at=NOON - hours(30))) is None  # an earlier stay


def test_an_offer_is_the_acceptors_to_answer() -> None:
    promise = wanted(pending(transfers=(offer(),)))
    assert (promise.key, promise.responsible_id, promise.start_at) == ("transfer:1", CARL, NOON + hours(2))


def test_an_offer_to_somebody_outside_is_ours_to_ask_about() -> None:
    promise = wanted(pending(transfers=(offer(to_id=None),)))
    assert (promise.responsible_id, promise.about["outside"]) == (7, True)


def test_only_an_acceptance_ends_it() -> None:
    accepted = pending(transfers=(answered(TransferAnswer.ACCEPTED),))
    assert promised(accepted) is None
    assert closing.because(Kind.ACCEPT_TRANSFER, {"transfer": 1}, accepted) is Closed.KEPT
    for refused in (TransferAnswer.DECLINED, TransferAnswer.WITHDRAWN):
        facts = pending(transfers=(answered(refused),))
        assert wanted(facts).key == "transfer:name:1"
        assert closing.because(Kind.ACCEPT_TRANSFER, {"transfer": 1}, facts) is Closed.NO_LONGER_NEEDED


def test_who_declines_is_followed_by_another_name() -> None:
    declined = answered(TransferAnswer.DECLINED)
    promise = wanted(pending(transfers=(declined,)))
    assert (promise.about["declined"], promise.start_at) == (True, NOON + hours(3))
    named = pending(transfers=(declined, offer(2, 4)))
    assert wanted(named).key == "transfer:2"
    assert closing.because(Kind.ACCEPT_TRANSFER, promise.about, named) is Closed.KEPT
    assert promised(pending(transfers=(declined, answered(TransferAnswer.ACCEPTED, 2, 4)))) is None


def test_what_the_ward_accepted_does_not_cover_the_discharge() -> None:
    ward = answered(TransferAnswer.ACCEPTED)
    promise = wanted(pending(transfers=(ward,), discharged_at=NOON + hours(40)))
    assert promise.about["why"] == "discharge"
    late = answered(TransferAnswer.ACCEPTED, 2, 41, why=TransferWhy.DISCHARGE)
    assert promised(pending(transfers=(ward, late), discharged_at=NOON + hours(40))) is None


def test_a_list_that_was_offered_before_the_discharge_and_accepted_after_it_does_not_cover_it() -> None:
    ward = offer(answer=TransferAnswer.ACCEPTED, answered_at=NOON + hours(50))
    assert wanted(pending(transfers=(ward,), discharged_at=NOON + hours(40))).about["why"] == "discharge"


def test_another_clinician_accepts_everything_and_a_withdrawn_wish_is_gone() -> None:
    wish = {"why": TransferWhy.RESPONSIBLE}
    coming = {"status": ProcedureStatus.SCHEDULED, "started_at": None, "completed_at": None, "outcome": None}
    home = {"disposition": None, "tests": ()}
    assert wanted(pending(**coming, **home, transfers=(offer(**wish),))).responsible_id == CARL
    withdrawn = answered(TransferAnswer.WITHDRAWN, **wish)
    assert promised(pending(**coming, **home, transfers=(withdrawn,))) is None
    declined = answered(TransferAnswer.DECLINED, **wish)
    assert wanted(pending(**coming, **home, transfers=(declined,))).about["declined"] is True


def test_a_protocol_from_before_has_a_default() -> None:
    old = replace(protocol(), transfer_hours=None)
    assert wanted(pending(protocol=old)).due_at == END + hours(TRANSFER_HOURS)
