"""Each closing clause keeps the case open by itself; together they close it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.roles import Role
from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import is_closed, plan
from procedures.domain.states import (
    TERMINAL,
    Disposition,
    EncounterClass,
    Outcome,
    ProcedureStatus,
    TestStatus,
    Urgency,
)
from tests.domain.cases import NOON, case, finished_test, hours, lab_fact, protocol, review, specimen, version

S = ProcedureStatus


def kinds(facts: f.ProcedureFacts) -> list[Kind]:
    return [p.kind for p in plan(facts)]


def only(facts: f.ProcedureFacts):
    promises = plan(facts)
    assert len(promises) == 1, [p.key for p in promises]
    assert not is_closed(facts, promises)
    return promises[0]


def test_a_finished_case_is_closed() -> None:
    facts = case(tests=(finished_test(),), specimens=(specimen(),))
    assert plan(facts) == ()
    assert is_closed(facts, ())


@pytest.mark.parametrize("urgency", list(Urgency))
def test_a_request_must_be_booked_in_time_for_its_urgency(urgency: Urgency) -> None:
    facts = case(status=S.REQUESTED, urgency=urgency, started_at=None, completed_at=None, outcome=None, symptoms=())
    promise = only(facts)
    assert promise.kind is Kind.BOOK_REQUEST
    assert promise.due_at == facts.requested_at + hours(facts.protocol.book_within_hours[str(urgency)])
    assert promise.role is (Role.PHYSICIAN if urgency is Urgency.EMERGENCY else Role.SCHEDULER)


@pytest.mark.parametrize("status", [S.SCHEDULED, S.ARRIVED, S.IN_PROGRESS])
def test_a_booked_case_must_be_carried_out_or_recorded(status: ProcedureStatus) -> None:
    facts = case(status=status, completed_at=None, outcome=None, record_signed_at=None, symptoms=())
    promise = only(facts)
    assert promise.kind is Kind.CARRY_OUT
    assert promise.due_at == NOON + hours(2)


def test_a_no_show_must_be_rebooked_or_ended() -> None:
    facts = case(status=S.NO_SHOW, started_at=None, completed_at=None, outcome=None, ended_at=NOON, symptoms=())
    assert only(facts).kind is Kind.REBOOK_NO_SHOW


def test_the_record_must_be_signed() -> None:
    promise = only(case(record_signed_at=None))
    assert promise.kind is Kind.SIGN_RECORD
    assert promise.responsible_id == 8  # the operator writes it


def test_no_record_is_owed_when_nothing_was_attempted_but_the_patient_must_hear_of_it() -> None:
    promise = only(case(outcome=Outcome.NOT_ATTEMPTED, record_signed_at=None))
    assert (promise.kind, promise.key) == (Kind.TELL_PATIENT, "tell:no_result")


def test_an_emergency_start_owes_the_rest_of_the_checklist_within_a_day() -> None:
    promise = only(case(emergency_start=True, unsigned_stages=("consent",)))
    assert promise.kind is Kind.CHECKLIST_AFTER_EMERGENCY
    assert promise.due_at == NOON + hours(24)


def test_ordered_tests_must_be_collected_after_the_needle() -> None:
    promise = only(case(tests=(lab_fact(status=TestStatus.ORDERED, specimen_id=None),)))
    assert promise.kind is Kind.COLLECT_TESTS


def test_a_specimen_that_did_not_arrive_alarms_once_however_many_tests_it_carries() -> None:
    tests = (lab_fact(1), lab_fact(2))
    facts = case(tests=tests, specimens=(specimen(received=False),))
    found = [p for p in plan(facts) if p.kind is Kind.SPECIMEN_NOT_RECEIVED]
    assert len(found) == 1
    assert found[0].due_at == NOON + hours(2)


@pytest.mark.parametrize("status", [TestStatus.REJECTED, TestStatus.LOST])
def test_a_lost_specimen_needs_a_decision(status: TestStatus) -> None:
    lost = lab_fact(status=status, ended_at=NOON + hours(3))
    promise = only(case(tests=(lost,), specimens=(specimen(lost_at=NOON + hours(3)),)))
    assert promise.kind is Kind.SPECIMEN_LOST


def test_awaited_tests_of_one_specimen_and_one_limit_are_one_promise() -> None:
    tests = (lab_fact(1), lab_fact(2), lab_fact(3, outer_at=NOON + hours(1344), extended=True))
    promises = plan(case(tests=tests, specimens=(specimen(),)))
    assert [(p.due_at, p.about["tests"]) for p in promises] == [
        (NOON + hours(24), ["test_1", "test_2"]),
        (NOON + hours(1344), ["test_3"]),
    ]
    assert [p.about["extended"] for p in promises] == [False, True]


def test_a_culture_stays_awaited_until_it_is_final() -> None:
    preliminary = version(status="preliminary", review=review())
    promise = only(case(tests=(lab_fact(status=TestStatus.PRELIMINARY, current=preliminary),), specimens=(specimen(),)))
    assert promise.kind is Kind.AWAITED_RESULT


@pytest.mark.parametrize(
    ("level", "counts_as"),
    [("normal", "normal"), ("abnormal", "abnormal"), ("critical", "critical"), ("unknown", "abnormal")],
)
def test_a_final_result_must_be_read_and_what_cannot_be_graded_is_never_normal(level: str, counts_as: str) -> None:
    facts = case(tests=(lab_fact(status=TestStatus.FINAL, current=version(level=level)),), specimens=(specimen(),))
    promise = only(facts)
    assert promise.kind is Kind.REVIEW_RESULT
    assert promise.level == counts_as
    assert promise.due_at == NOON + hours(5) + hours(facts.protocol.review_hours[counts_as])


def test_a_correction_is_a_new_promise_to_read() -> None:
    def final(v: f.VersionFact):
        return case(
            tests=(lab_fact(status=TestStatus.CORRECTED, current=v, reviewed_before=True),), specimens=(specimen(),)
        )

    before = only(final(version(10)))
    after = only(final(version(11, status="corrected")))
    assert before.key != after.key
    assert after.about["corrected"] is True


def test_an_abnormal_preliminary_is_read_at_once_and_a_negative_one_is_only_listed() -> None:
    def prelim(level: str):
        found = version(status="preliminary", level=level)
        return case(tests=(lab_fact(status=TestStatus.PRELIMINARY, current=found),), specimens=(specimen(),))

    assert set(kinds(prelim("critical"))) == {Kind.REVIEW_RESULT, Kind.AWAITED_RESULT}
    assert kinds(prelim("normal")) == [Kind.AWAITED_RESULT]


def test_an_action_keeps_the_case_open_until_it_is_done() -> None:
    action = f.ActionFact(id=3, plan="refer", created_at=NOON, due_at=NOON + hours(48), done=False, responsible_id=9)
    promise = only(case(actions=(action,)))
    assert (promise.kind, promise.responsible_id) == (Kind.DO_ACTION, 9)
    assert plan(case(actions=(replace(action, done=True),))) == ()


def read(id: int, **extra: object) -> f.TestFact:
    fields = {"review": review(), **extra}
    return lab_fact(id, status=TestStatus.FINAL, current=version(id * 10, **fields))


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


def test_every_symptom_check_is_asked_and_not_reached_is_no_answer() -> None:
    facts = case(symptoms=())
    due = [c for c in facts.protocol.symptom_checks if not c.only_if or facts.flags.intersection(c.only_if)]
    assert kinds(facts) == [Kind.SYMPTOM_CHECK] * len(due)
    silent = tuple(f.SymptomFact(check_code=c.code, outcome="not_reached", worst_tier="", at=NOON) for c in due)
    assert plan(replace(facts, symptoms=silent)) == plan(facts)


def test_a_held_medicine_survives_a_cancel_and_is_then_due_at_once() -> None:
    hold = f.HoldFact(id=4, decided_at=NOON - hours(48), restart_due_at=NOON + hours(24), decided=False)
    done = only(case(holds=(hold,)))
    assert (done.kind, done.due_at) == (Kind.RESTART_MEDICINE, NOON + hours(24))
    cancelled = case(
        status=S.CANCELLED,
        started_at=None,
        completed_at=None,
        outcome=None,
        ended_at=NOON - hours(20),
        holds=(hold,),
        symptoms=(),
    )
    restart = next(p for p in plan(cancelled) if p.kind is Kind.RESTART_MEDICINE)
    assert restart.due_at == NOON - hours(20)
    assert plan(case(holds=(replace(hold, decided=True),))) == ()


def test_the_dead_are_not_called_but_their_results_are_read() -> None:
    facts = case(
        deceased=True,
        symptoms=(),
        tests=(read(1), lab_fact(2, status=TestStatus.FINAL, current=version(99))),
        specimens=(specimen(),),
    )
    assert kinds(facts) == [Kind.REVIEW_RESULT]
    died = replace(facts, deceased=False, disposition=Disposition.DIED)
    assert kinds(died) == [Kind.REVIEW_RESULT]


def test_cancelled_is_not_an_empty_plan() -> None:
    facts = case(
        status=S.CANCELLED,
        started_at=None,
        completed_at=None,
        outcome=None,
        ended_at=NOON,
        symptoms=(),
        tests=(lab_fact(1), lab_fact(2, status=TestStatus.FINAL, current=version(7))),
        specimens=(specimen(received=False),),
    )
    assert set(kinds(facts)) == {
        Kind.SPECIMEN_NOT_RECEIVED,
        Kind.AWAITED_RESULT,
        Kind.REVIEW_RESULT,
        Kind.TELL_PATIENT,
    }


def test_a_third_procedure_needs_no_code() -> None:
    facts = case(protocol=protocol("thoracentesis"), record_signed_at=None, symptoms=())
    assert Kind.SIGN_RECORD in kinds(facts)


# --- whatever the facts are -------------------------------------------------------------------

times = st.integers(min_value=-200, max_value=400).map(lambda n: NOON + hours(n))
reviews = st.builds(
    f.ReviewFact,
    at=times,
    interpretation=st.sampled_from(["normal", "abnormal", "critical"]),
    plan=st.sampled_from(["none", "repeat", "treat", "refer"]),
    tell=st.sampled_from(["with_all", "now", "not_this"]),
)


@st.composite
def lab_facts(draw: st.DrawFn, id: int) -> f.TestFact:
    status = draw(st.sampled_from(list(TestStatus)))
    has_result = status in {TestStatus.PRELIMINARY, TestStatus.FINAL, TestStatus.CORRECTED}
    current = (
        f.VersionFact(
            id=id * 10,
            number=1,
            status=str(status),
            level=draw(st.sampled_from(["normal", "abnormal", "critical", "unknown"])),
            arrived_at=draw(times),
            review=draw(st.none() | reviews),
            told_at=draw(st.none() | times),
        )
        if has_result
        else None
    )
    collected = draw(times)
    return lab_fact(
        id,
        status=status,
        specimen_id=draw(st.none() | st.integers(1, 3)),
        collected_at=collected,
        usual_at=collected + hours(4),
        outer_at=collected + hours(draw(st.sampled_from([24, 168, 1344]))),
        extended=draw(st.booleans()),
        current=current,
        ended_at=draw(st.none() | times),
        told_before=draw(st.booleans()),
    )


@st.composite
def cases(draw: st.DrawFn) -> f.ProcedureFacts:
    status = draw(st.sampled_from(list(ProcedureStatus)))
    needle = status in {S.IN_PROGRESS, S.COMPLETED}
    ended = status in {S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR}
    count = draw(st.integers(0, 5))
    data = protocol(draw(st.sampled_from(["paracentesis", "lumbar_puncture"])))
    checks = [c.code for c in data.symptom_checks]
    return case(
        protocol=data,
        status=status,
        urgency=draw(st.sampled_from(list(Urgency))),
        slot_at=NOON if status is not S.REQUESTED else None,
        slot_ends_at=NOON + hours(2) if status is not S.REQUESTED else None,
        started_at=NOON if needle else None,
        completed_at=NOON + hours(1) if status is S.COMPLETED else None,
        ended_at=draw(times) if ended else None,
        outcome=draw(st.sampled_from(list(Outcome))) if status is S.COMPLETED else None,
        disposition=draw(st.none() | st.sampled_from(list(Disposition))),
        encounter_class=draw(st.sampled_from(list(EncounterClass))),
        deceased=draw(st.booleans()),
        emergency_start=draw(st.booleans()),
        unsigned_stages=tuple(draw(st.lists(st.sampled_from(["consent", "sign_in"]), unique=True))),
        record_signed_at=draw(st.none() | times),
        flags=frozenset(draw(st.lists(st.sampled_from(["first", "serial", "held", "large_volume"])))),
        tests=tuple(draw(lab_facts(n + 1)) for n in range(count)),
        specimens=tuple(
            specimen(n + 1, received=draw(st.booleans()), lost_at=draw(st.none() | times))
            for n in range(draw(st.integers(0, 3)))
        ),
        holds=tuple(
            f.HoldFact(
                id=n + 1, decided_at=draw(times), restart_due_at=draw(st.none() | times), decided=draw(st.booleans())
            )
            for n in range(draw(st.integers(0, 2)))
        ),
        actions=tuple(
            f.ActionFact(
                id=n + 1, plan="treat", created_at=NOON, due_at=draw(times), done=draw(st.booleans()), responsible_id=5
            )
            for n in range(draw(st.integers(0, 2)))
        ),
        symptoms=tuple(
            f.SymptomFact(
                check_code=code,
                outcome=draw(st.sampled_from(["answered", "not_reached", "not_needed"])),
                worst_tier="",
                at=NOON,
            )
            for code in draw(st.lists(st.sampled_from(checks), unique=True))
        ),
        contacts=tuple(
            f.ContactFact(
                purpose="cancellation", told=draw(st.booleans()), outcome="reached", at=draw(times), channel="phone"
            )
            for _ in range(draw(st.integers(0, 2)))
        ),
    )


@given(cases())
def test_not_closed_if_and_only_if_somebody_owes_something(facts: f.ProcedureFacts) -> None:
    promises = plan(facts)
    assert is_closed(facts, promises) == (not promises)
    if facts.status not in TERMINAL:
        assert promises
    for promise in promises:
        assert promise.role in Role
        assert promise.due_at.tzinfo is not None
        assert promise.level in {"normal", "abnormal", "critical"}


@given(cases())
def test_keys_are_unique_within_a_case(facts: f.ProcedureFacts) -> None:
    keys = [p.key for p in plan(facts)]
    assert len(keys) == len(set(keys))


@given(cases(), st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_of_facts(facts: f.ProcedureFacts, rng: random.Random) -> None:
    def shuffled(rows: tuple) -> tuple:
        out = list(rows)
        rng.shuffle(out)
        return tuple(out)

    names = ("tests", "specimens", "holds", "actions", "symptoms", "contacts")
    other = replace(facts, **{name: shuffled(getattr(facts, name)) for name in names})
    assert plan(other) == plan(facts)


@given(cases())
def test_nothing_unread_is_ever_without_a_promise(facts: f.ProcedureFacts) -> None:
    promised = {p.about.get("version") for p in plan(facts) if p.kind is Kind.REVIEW_RESULT}
    for test in facts.tests:
        current = test.current
        if current and current.review is None and not (current.status == "preliminary" and current.level == "normal"):
            assert current.id in promised
