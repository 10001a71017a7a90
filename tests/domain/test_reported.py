"""What a patient says before the visit, read into answers, and how it stands to what a nurse has answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from procedures.domain import checklist, reported
from procedures.domain.answers import AnswerState, Reading
from procedures.domain.checklist import Status
from procedures.domain.checklist_round import AnswerRow, MedicineRow, Round
from procedures.domain.reported import Given, Line, Report
from tests.domain.protocol_files import protocol

LP = protocol("lumbar_puncture")
EARLIER = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
NOW = EARLIER + timedelta(days=1)
S = AnswerState


def reads(code: str, **given: Any) -> Reading | None:
    return reported.reading(LP.question(code), Given(**given))


@pytest.mark.parametrize(
    ("code", "given", "reading"),
    [
        ("latex", {"pick": "yes"}, Reading(state=S.ANSWERED, value="yes")),
        ("latex", {"pick": "unknown"}, Reading(state=S.UNKNOWN)),
        ("supplements", {"pick": "yes", "words": " Ginkgo "}, Reading(state=S.ANSWERED, value="yes", note="Ginkgo")),
        ("antiseptic_allergy", {"pick": "none"}, Reading(state=S.NONE, value="none")),
        ("antiseptic_allergy", {"pick": "not_known"}, Reading(state=S.UNKNOWN, value="not_known")),
        ("pregnancy_status", {"pick": "declined"}, Reading(state=S.DECLINED, value="declined")),
        ("medicines", {"pick": "none"}, Reading(state=S.NONE)),
        ("medicines", {"pick": "unknown"}, Reading(state=S.UNKNOWN)),
        ("medicines", {"pick": "some", "lines": (Line(name="Eliquis"),)}, Reading(state=S.ANSWERED)),
        ("bleeding_detail", {"words": "A tooth"}, Reading(state=S.ANSWERED, value="A tooth")),
        ("bleeding_detail", {"words": "  "}, None),
        ("stent_or_clot", {"words": "No."}, Reading(state=S.NONE)),
        ("stent_or_clot", {"words": "ninguna"}, Reading(state=S.NONE)),
    ],
)
def test_an_answer_is_read_as_it_was_meant(code: str, given: dict[str, Any], reading: Reading | None) -> None:
    assert reads(code, **given) == reading


def test_what_does_not_apply_has_its_reason() -> None:
    reading = reads("pregnancy_status", pick="not_applicable")
    assert reading is not None and reading.state is S.NOT_APPLICABLE and reading.note == reported.SAYS_SO


def test_the_story_of_a_bleeding_is_asked_only_of_whom_it_concerns() -> None:
    def asked(pick: str) -> set[str]:
        return {q.code for q in reported.asked(LP, {"bleeding_history": Given(pick=pick)})}

    assert "bleeding_detail" in asked("yes")
    assert "bleeding_detail" not in asked("no") | asked("")


def test_everything_must_be_answered_but_a_story() -> None:
    given = {q.code: Given(pick=q.answers[0].code) for q in LP.patient_questions if q.answers}
    assert reported.open_questions(LP, given) == ()
    del given["latex"]
    assert [q.code for q in reported.open_questions(LP, given)] == ["latex"]


def test_a_report_survives_the_way_through_plain_data() -> None:
    given = {"medicines": Given(pick="some", lines=(Line(name="Eliquis", more="5 mg", still="yes"),))}
    assert reported.from_data(reported.to_data(given)) == given


@pytest.mark.parametrize(
    ("code", "given", "stands", "differs"),
    [
        ("latex", Given(pick="yes"), (S.ANSWERED, "no"), True),
        ("latex", Given(pick="no"), (S.ANSWERED, "no"), False),
        ("latex", Given(pick="yes"), (S.UNKNOWN, None), True),
        ("latex", Given(pick="unknown"), (S.ANSWERED, "no"), False),
        ("pregnancy_status", Given(pick="declined"), (S.ANSWERED, "not_pregnant"), False),
        ("pregnancy_status", Given(pick="possible"), (S.ANSWERED, "not_pregnant"), True),
        ("stent_or_clot", Given(words="A stent in 2025"), (S.NONE, None), True),
        ("stent_or_clot", Given(words="A stent in 2025"), (S.ANSWERED, "Stent 2025, left"), False),
        ("stent_or_clot", Given(words="no"), (S.ANSWERED, "Stent 2025, left"), True),
    ],
)
def test_the_patient_may_say_something_else_but_never_by_not_knowing(
    code: str, given: Given, stands: tuple[S, Any], differs: bool
) -> None:
    assert reported.differs(LP.question(code), given, state=stands[0], value=stands[1]) is differs


@pytest.mark.parametrize(
    ("given", "state", "names", "differs"),
    [
        (Given(pick="some", lines=(Line(name="Aspirin 81 mg"),)), S.ANSWERED, ["aspirin"], False),
        (Given(pick="some", lines=(Line(name="Warfarin"),)), S.ANSWERED, ["Aspirin"], True),
        (Given(pick="some", lines=(Line(name="Warfarin"),)), S.NONE, [], True),
        (Given(pick="none"), S.NONE, [], False),
        (Given(pick="none"), S.ANSWERED, ["Aspirin"], True),
        (Given(pick="unknown"), S.ANSWERED, ["Aspirin"], False),
    ],
)
def test_a_list_differs_by_a_medicine_that_is_not_on_it(
    given: Given, state: S, names: list[str], differs: bool
) -> None:
    question = LP.question("medicines")
    assert reported.differs(question, given, state=state, value=None, names=names) is differs


# --- on the checklist
def row(
    code: str, value: Any = "no", *, at: datetime = EARLIER, by_patient: bool = False, state: S = S.ANSWERED
) -> Any:
    return AnswerRow(
        id=1, question=code, state=state, value=value, note="", confirmed=not by_patient, reported=by_patient,
        answered_at=at, answered_by="", valid_until=None,
    )  # fmt: skip


def judged(code: str, answer: AnswerRow, given: Given, medicines: tuple[MedicineRow, ...] = ()) -> Any:
    report = Report(id=1, at=NOW - timedelta(hours=1), answered_by="", given={code: given})
    found = Round(id=1, number=1, opened_at=EARLIER, answers={code: answer}, medicines=medicines, report=report)
    state = checklist.evaluate(LP, found, now=NOW, day_began=NOW)
    return next(q for q in state.questions if q.question.code == code), state


def test_what_a_nurse_confirmed_stands_and_waits_to_be_asked_again() -> None:
    question, state = judged("latex", row("latex", "no"), Given(pick="yes"))
    assert question.status is Status.TO_CONFIRM and question.answer.value == "no"
    assert question.differing == Given(pick="yes") and state.reported == 1
    assert checklist.renewable([question]) == {}, "one tap for a whole group would confirm it unread"


def test_an_answer_after_the_report_has_heard_it() -> None:
    question, state = judged("latex", row("latex", "no", at=NOW), Given(pick="yes"))
    assert question.status is Status.COMPLETE and question.differing is None and state.reported == 0


def test_what_agrees_is_left_in_peace() -> None:
    question, _ = judged("latex", row("latex", "no"), Given(pick="no"))
    assert question.status is Status.COMPLETE


def test_what_only_the_patient_said_is_to_confirm_and_one_tap_may_do_it() -> None:
    question, state = judged("latex", row("latex", "yes", by_patient=True), Given(pick="yes"))
    assert question.status is Status.TO_CONFIRM and question.differing is None and state.reported == 1
    assert checklist.renewable([question]) == {"latex": 1}


def test_a_blood_thinner_that_nobody_had_heard_of_opens_the_list_again() -> None:
    given = Given(pick="some", lines=(Line(name="Warfarin"),))
    question, _ = judged("medicines", row("medicines", None, state=S.NONE), given)
    assert question.status is Status.TO_CONFIRM
