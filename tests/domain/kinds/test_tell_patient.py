"""The patient hears of it."""

from __future__ import annotations

from dataclasses import replace

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from procedures.domain.states import (
    Outcome,
    ProcedureStatus,
    TestStatus,
)
from tests.domain.cases import (
    NOON,
    case,
    hours,
    only,
    protocol,
    read,
    review,
    specimen,
)

S = ProcedureStatus


def test_no_record_is_owed_when_nothing_was_attempted_but_the_patient_must_hear_of_it() -> None:
    promise = only(case(outcome=Outcome.NOT_ATTEMPTED, record_signed_at=None))
    assert (promise.kind, promise.key) == (Kind.TELL_PATIENT, "tell:no_result")


def test_normal_results_are_told_together_and_what_is_not_normal_at_once() -> None:
    urgent = read(3, review=review(interpretation="abnormal", tell="now"))
    promises = plan(case(tests=(read(1), read(2), urgent), specimens=(specimen(),)))
    assert {p.key: p.about["versions"] for p in promises} == {"tell:results": [10, 20], "tell:now": [30]}


def test_a_correction_of_what_was_told_is_told_again_at_once() -> None:
    corrected = replace(read(1), told_before=True)
    assert only(case(tests=(corrected,), specimens=(specimen(),))).key == "tell:now"


def test_told_is_told_about_this_version() -> None:
    assert plan(case(tests=(read(1, told_at=NOON + hours(30)),), specimens=(specimen(),))) == ()


def test_a_cancelled_booking_is_told_until_the_patient_knows() -> None:
    cancelled = case(status=S.CANCELLED, started_at=None, completed_at=None, outcome=None, ended_at=NOON, symptoms=())
    assert only(cancelled).key == "tell:no_result"
    call = f.ContactFact(purpose="cancellation", told=True, outcome="reached", at=NOON + hours(1), channel="phone")
    assert plan(replace(cancelled, contacts=(call,))) == ()
    early = replace(call, at=NOON - hours(1))
    assert plan(replace(cancelled, contacts=(early,))) != ()


def test_a_cancelled_slot_is_told_before_the_patient_sets_out() -> None:
    def cancelled(slot: float):
        return case(
            status=S.CANCELLED,
            started_at=None,
            completed_at=None,
            outcome=None,
            ended_at=NOON,
            slot_at=NOON + hours(slot),
            symptoms=(),
        )

    limit = protocol().tell_hours["abnormal"]
    assert only(cancelled(20)).due_at == NOON + hours(20)
    assert only(cancelled(limit + 50)).due_at == NOON + hours(limit)
    assert only(cancelled(-3)).due_at == NOON + hours(limit)


def test_three_tries_by_two_channels_and_a_letter_end_the_telling_but_nothing_less() -> None:
    cancelled = case(status=S.CANCELLED, started_at=None, completed_at=None, outcome=None, ended_at=NOON, symptoms=())

    def tried(n: int, outcome: str = "no_answer", channel: str = "phone") -> f.ContactFact:
        return f.ContactFact(purpose="cancellation", told=False, outcome=outcome, at=NOON + hours(n), channel=channel)

    calls = (tried(1), tried(2), tried(3, channel="caregiver"))
    letter = tried(4, outcome="letter_sent", channel="letter")
    assert plan(replace(cancelled, contacts=calls)) != ()
    assert plan(replace(cancelled, contacts=(*calls[:2], letter))) != ()
    assert plan(replace(cancelled, contacts=(*calls, letter))) == ()


def test_a_test_that_must_be_taken_again_is_told_until_it_is_taken_or_the_patient_knows() -> None:
    again = replace(read(1), current=None, status=TestStatus.REJECTED, ended_at=NOON, recollect_at=NOON + hours(1))
    promises = {p.key: p for p in plan(case(tests=(again,), specimens=(specimen(),)))}
    assert promises["tell:no_result"].about == {"no_result": True, "again": True}
    assert promises["tell:no_result"].start_at == NOON + hours(1)
    call = f.ContactFact(purpose="cancellation", told=True, outcome="reached", at=NOON + hours(2), channel="phone")
    told = plan(case(tests=(again,), specimens=(specimen(),), contacts=(call,)))
    assert "tell:no_result" not in {p.key for p in told}
    undecided = replace(again, recollect_at=None)
    assert "tell:no_result" not in {p.key for p in plan(case(tests=(undecided,), specimens=(specimen(),)))}
