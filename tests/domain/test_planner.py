"""The plan as a whole: what holds whatever the facts are. Each kind has its own tests in ``tests/domain/kinds``."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime

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
from procedures.domain.transfers import TransferAnswer, TransferWhy
from tests.domain.cases import (
    NOON,
    case,
    finished_test,
    hours,
    kinds,
    lab_fact,
    protocol,
    read,
    specimen,
    version,
)

S = ProcedureStatus
#: Whose work a promise can be.
WORK = {Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN}
#: What only a case that has, or waits for, its needle can owe.
OF_THE_NEEDLE = {
    Kind.ACCEPT_TRANSFER,
    Kind.BOOK_REQUEST,
    Kind.CARRY_OUT,
    Kind.REBOOK_NO_SHOW,
    Kind.SIGN_RECORD,
    Kind.CHECKLIST_NOT_DONE,
    Kind.ANSWERS_EXPIRING,
    Kind.CHECKLIST_AFTER_EMERGENCY,
    Kind.COLLECT_TESTS,
    Kind.SYMPTOM_CHECK,
}


def test_a_finished_case_is_closed() -> None:
    facts = case(tests=(finished_test(),), specimens=(specimen(),))
    assert plan(facts) == ()
    assert is_closed(facts, ())


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
        reviewed_before=draw(st.booleans()),
        involved=frozenset(draw(st.lists(st.integers(1, 9), max_size=3))),
    )


@st.composite
def transfers(draw: st.DrawFn, id: int, *, last: bool) -> f.TransferFact:
    """Only the last offer can still wait for its answer."""
    answers = [a for a in TransferAnswer if last or a is not TransferAnswer.OPEN]
    answer = draw(st.sampled_from(answers))
    return f.TransferFact(
        id=id,
        why=draw(st.sampled_from(list(TransferWhy))),
        to_id=draw(st.none() | st.integers(5, 9)),
        offered_at=draw(times),
        answer=answer,
        answered_at=draw(times) if answer else None,
    )


#: Read once, before anything is drawn.
PROTOCOLS = [protocol("paracentesis"), protocol("lumbar_puncture")]


@st.composite
def cases(draw: st.DrawFn) -> f.ProcedureFacts:
    status = draw(st.sampled_from(list(ProcedureStatus)))
    needle = status in {S.IN_PROGRESS, S.COMPLETED}
    ended = status in {S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR}
    count = draw(st.integers(0, 5))
    data = draw(st.sampled_from(PROTOCOLS))
    offers = draw(st.integers(0, 2))
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
        stages_owed=tuple(draw(st.lists(st.sampled_from(["pre_visit", "consent"]), unique=True))),
        answers=tuple(
            f.AnswerFact(question=f"q{n}", valid_until=draw(times), valid_for=hours(draw(st.integers(1, 800))))
            for n in range(draw(st.integers(0, 3)))
        ),
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
                purpose=draw(st.sampled_from(["cancellation", "results"])),
                told=draw(st.booleans()),
                outcome=draw(st.sampled_from(["reached", "no_answer", "letter_sent"])),
                at=draw(times),
                channel=draw(st.sampled_from(["phone", "caregiver", "letter"])),
            )
            for _ in range(draw(st.integers(0, 5)))
        ),
        emergency_by_id=draw(st.none() | st.sampled_from([7, 8])),
        countersigned=draw(st.booleans()),
        discharged_at=draw(st.none() | times),
        transfers=tuple(draw(transfers(n, last=n == offers)) for n in range(1, offers + 1)),
        later_decided=frozenset(draw(st.lists(st.sampled_from(["bloods_after_drainage"])))),
    )


@given(cases())
def test_not_closed_if_and_only_if_somebody_owes_something(facts: f.ProcedureFacts) -> None:
    promises = plan(facts)
    assert is_closed(facts, promises) == (not promises)
    if facts.status not in TERMINAL:
        assert promises
    kinds_owed = {promise.kind for promise in promises}
    assert kinds_owed != {Kind.ACCEPT_TRANSFER}  # nothing is handed on but what is pending
    for promise in promises:
        assert promise.role in WORK  # never the ladder's end
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

    names = ("tests", "specimens", "holds", "actions", "symptoms", "contacts", "answers", "transfers")
    other = replace(facts, **{name: shuffled(getattr(facts, name)) for name in names})
    assert plan(other) == plan(facts)


@given(cases())
def test_nothing_unread_is_ever_without_a_promise(facts: f.ProcedureFacts) -> None:
    promised = {p.about.get("version") for p in plan(facts) if p.kind in {Kind.REVIEW_RESULT, Kind.REREAD_CORRECTION}}
    for test in facts.tests:
        current = test.current
        if current and current.review is None and not (current.status == "preliminary" and current.level == "normal"):
            assert current.id in promised


@given(cases(), times)
def test_cancelling_takes_nothing_from_the_patient_and_opening_again_takes_nothing_back(
    facts: f.ProcedureFacts, at: datetime
) -> None:
    """Specimens in flight, unread results, decided actions, held medicines and an untold patient stay promised."""
    if facts.status not in {S.REQUESTED, S.SCHEDULED, S.ARRIVED, S.NO_SHOW}:
        return
    cancelled = replace(facts, status=S.CANCELLED, ended_at=at)
    again = replace(cancelled, status=facts.status, ended_at=facts.ended_at)
    before = {p.key for p in plan(facts) if p.kind not in OF_THE_NEEDLE}
    assert before <= {p.key for p in plan(cancelled)} | {"tell:no_result"}
    assert plan(again) == plan(facts)


@given(cases())
def test_a_promise_is_never_due_before_it_can_be_kept(facts: f.ProcedureFacts) -> None:
    late = [
        p.key for p in plan(facts) if p.due_at < p.start_at and p.kind not in {Kind.DO_ACTION, Kind.RESTART_MEDICINE}
    ]
    assert late == []


@given(cases())
def test_whoever_dies_is_not_called_and_what_is_unread_is_still_read(facts: f.ProcedureFacts) -> None:
    dead = {p.kind for p in plan(replace(facts, deceased=True))}
    assert not dead & {Kind.TELL_PATIENT, Kind.SYMPTOM_CHECK, Kind.RESTART_MEDICINE, Kind.UNREACHABLE_PATIENT}
    unread = {Kind.REVIEW_RESULT, Kind.REREAD_CORRECTION}
    alive = {p.key for p in plan(replace(facts, deceased=False)) if p.kind in unread}
    assert alive == {p.key for p in plan(replace(facts, deceased=True)) if p.kind in unread}
