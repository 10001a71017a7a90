"""The rules of a checklist over a small protocol: what is asked, what counts, what may be signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from clinic.errors import Invalid
from procedures.domain import checklist
from procedures.domain.answers import AnswerState, Entry, matches, read, states_for
from procedures.domain.checklist import StageState, Status, Word
from procedures.domain.checklist_round import AllergyRow, AnswerRow, MedicineRow, Round, SignatureRow
from procedures.domain.items import Choice, Source
from procedures.domain.protocol import Protocol, Question, QuestionGroup, Stage
from procedures.models.checklists import AnswerState as StoredState

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
SOURCE = Source(source="test")


def question(code: str, kind: str = "yes_no", stage: str = "pre_visit", **more: Any) -> Question:
    return Question(
        code=code, group=more.pop("group", "bleeding"), stage=stage, kind=kind, text=code, source=SOURCE, **more
    )


QUESTIONS = (
    question("medicines", "medicines", group="medicines", reask_at=("sign_in",)),
    question("allergies", "allergies", group="allergies", minimum=True),
    question("bled_before"),
    question("bled_how", "text", asked_if="bled_before=yes|unknown"),
    question("inr", "number", unit="", valid_hours=24, required=False),
    question("identity", "confirm", stage="sign_in", minimum=True),
    question("site", "text", stage="time_out", minimum=True),
)
STAGES = tuple(
    Stage(code=code, label=code.title(), roles=("nurse",), blocks_start=code != "sign_out")
    for code in ("pre_visit", "sign_in", "time_out", "sign_out")
)
GROUPS = tuple(QuestionGroup(code=c, label=c) for c in ("medicines", "allergies", "bleeding"))


def protocol(questions: tuple[Question, ...] = QUESTIONS) -> Protocol:
    return cast(Protocol, SimpleNamespace(questions=questions, stages=STAGES, groups=GROUPS))


def answer(code: str, value: Any = None, state: str = "answered", at: datetime = NOW, **more: Any) -> AnswerRow:
    return AnswerRow(
        id=more.pop("id", 1),
        question=code,
        state=AnswerState(state),
        value=value,
        note="",
        confirmed=more.pop("confirmed", True),
        reported=False,
        answered_at=at,
        answered_by="Nurse",
        valid_until=more.pop("valid_until", None),
    )


def medicine(name: str = "Apixaban", **more: Any) -> MedicineRow:
    fields: dict[str, Any] = {"dose": "", "indication": "", "prescriber": "", "status": "ongoing", "last_dose_at": None}
    fields |= {"thins_blood": None, "confirmed": True, "recorded_at": NOW, "recorded_by": "Nurse"} | more
    return MedicineRow(id=1, name=name, **fields)


def signature(stage: str, digest: str, at: datetime = NOW) -> SignatureRow:
    return SignatureRow(id=1, stage=stage, signed_at=at, signed_by="Nurse", digest=digest)


COMPLETE = (
    answer("medicines", state="none"),
    answer("allergies", state="none"),
    answer("bled_before", "no"),
    answer("identity", True),
    answer("site", "L3/4"),
)


def round_of(*answers: AnswerRow, **more: Any) -> Round:
    return Round(id=1, number=1, opened_at=NOW, answers={a.question: a for a in answers}, **more)


def judge(found: Round | None, now: datetime = NOW, midnight: datetime = MIDNIGHT) -> checklist.ChecklistState:
    return checklist.evaluate(protocol(), found, now=now, day_began=midnight)


def status(stage: StageState, code: str) -> Status:
    return next(q.status for q in stage.questions if q.question.code == code)


def signed(found: Round, *stages: str, at: datetime = NOW) -> Round:
    state = judge(found)
    return replace(found, signatures=tuple(signature(s, state.stage(s).digest, at) for s in stages))


def test_the_states_of_the_rules_are_those_that_are_stored() -> None:
    assert [str(s) for s in AnswerState] == StoredState.values


def test_an_unopened_checklist_is_one_word_and_not_a_list_of_findings() -> None:
    summary = checklist.summarise(judge(None), on_the_day=False)
    assert summary.word is Word.NOT_STARTED
    assert (summary.unanswered, summary.unknown, summary.expired) == (0, 0, 0)


@pytest.mark.parametrize(
    ("parent", "shown"),
    [
        (None, False),
        (answer("bled_before", "no"), False),
        (answer("bled_before", "yes"), True),
        (answer("bled_before", state="unknown"), True),
        (answer("bled_before", state="declined"), True),
        (answer("bled_before", state="not_applicable"), False),
    ],
)
def test_a_question_is_asked_when_its_parent_says_so_and_not_known_is_never_no(
    parent: AnswerRow | None, shown: bool
) -> None:
    answers = {"bled_before": parent} if parent else {}
    assert ("bled_how" in checklist.shown_questions(protocol(), answers)) is shown


def test_a_hidden_parent_hides_its_child_and_a_circle_ends() -> None:
    chain = (
        question("a"),
        question("b", asked_if="a=yes"),
        question("c", asked_if="b=yes"),
        question("d", asked_if="e=yes"),
        question("e", asked_if="d=yes"),
    )
    answers = {c: answer(c, "yes") for c in "bde"} | {"a": answer("a", "no")}
    assert checklist.shown_questions(protocol(chain), answers) == {"a"}


@pytest.mark.parametrize("state", ["unknown", "declined", "not_asked"])
def test_what_nobody_knows_never_matches_no(state: str) -> None:
    assert not matches(AnswerState(state), None, "no")
    assert matches(AnswerState(state), None, "unknown")


def test_missing_to_confirm_expired_and_optional_are_told_apart() -> None:
    found = round_of(
        answer("allergies", state="none", confirmed=False),
        answer("bled_before", "no", valid_until=NOW - timedelta(minutes=1)),
    )
    stage = judge(found).stage("pre_visit")
    assert status(stage, "medicines") is Status.MISSING
    assert status(stage, "allergies") is Status.TO_CONFIRM
    assert status(stage, "bled_before") is Status.EXPIRED
    assert status(stage, "inr") is Status.OPTIONAL
    assert (stage.progress.total, stage.progress.open) == (3, 3)


def test_an_answer_is_good_until_its_last_minute() -> None:
    found = round_of(answer("bled_before", "no", valid_until=NOW))
    assert status(judge(found).stage("pre_visit"), "bled_before") is Status.COMPLETE


def test_unknown_is_an_answer_and_is_counted_apart() -> None:
    found = round_of(answer("bled_before", state="unknown"))
    progress = judge(found).stage("pre_visit").progress
    assert progress.unknown == 1
    assert progress.done == 1


def test_takes_these_without_a_line_is_no_answer() -> None:
    empty = round_of(answer("medicines"))
    assert status(judge(empty).stage("pre_visit"), "medicines") is Status.MISSING
    assert status(judge(replace(empty, medicines=(medicine(),))).stage("pre_visit"), "medicines") is Status.COMPLETE


def test_a_confirmation_that_was_taken_back_is_missing() -> None:
    found = round_of(answer("identity", False))
    assert status(judge(found).stage("sign_in"), "identity") is Status.MISSING


def test_a_line_to_confirm_makes_its_question_to_confirm() -> None:
    found = round_of(answer("medicines"), medicines=(medicine(confirmed=False),))
    assert status(judge(found).stage("pre_visit"), "medicines") is Status.TO_CONFIRM


def test_a_stage_is_signed_over_its_answers_and_another_answer_asks_to_sign_again() -> None:
    found = signed(round_of(*COMPLETE), "pre_visit")
    assert judge(found).stage("pre_visit").signed
    changed = replace(found, answers={**found.answers, "bled_before": answer("bled_before", state="unknown")})
    stage = judge(changed).stage("pre_visit")
    assert not stage.signed
    assert stage.changed


@pytest.mark.parametrize(
    "other",
    [
        medicine("Rivaroxaban"),
        medicine(dose="5 mg"),
        medicine(status="stopped", last_dose_at=NOW),
        medicine(thins_blood=True),
    ],
)
def test_every_part_of_a_medicine_line_is_signed(other: MedicineRow) -> None:
    answers = (answer("medicines"), *COMPLETE[1:])
    found = signed(round_of(*answers, medicines=(medicine(),)), "pre_visit")
    assert judge(found).stage("pre_visit").signed
    assert not judge(replace(found, medicines=(other,))).stage("pre_visit").signed


def test_an_allergy_line_is_signed_and_the_order_of_lines_does_not_matter() -> None:
    row = AllergyRow(
        id=1, substance="Latex", category="", reaction="", severity="reaction", confirmed=True, recorded_at=NOW,
        recorded_by="Nurse",
    )  # fmt: skip
    other = replace(row, id=2, substance="Iodine")
    found = round_of(COMPLETE[0], answer("allergies"), *COMPLETE[2:], allergies=(row, other))
    digest = judge(found).stage("pre_visit").digest
    assert judge(replace(found, allergies=(other, row))).stage("pre_visit").digest == digest
    assert judge(replace(found, allergies=(row,))).stage("pre_visit").digest != digest


def test_an_expired_answer_ends_a_signature_and_the_same_answer_again_restores_it() -> None:
    old = answer("bled_before", "no", valid_until=NOW + timedelta(hours=1))
    found = signed(round_of(*COMPLETE[:2], old, *COMPLETE[3:]), "pre_visit")
    later = NOW + timedelta(hours=2)
    assert judge(found).stage("pre_visit").signed
    assert not judge(found, now=later).stage("pre_visit").signed
    again = replace(found, answers={**found.answers, "bled_before": answer("bled_before", "no", at=later)})
    assert judge(again, now=later).stage("pre_visit").signed


def test_sign_in_of_an_earlier_day_counts_neither_as_answered_nor_as_signed() -> None:
    found = signed(round_of(*COMPLETE), "pre_visit", "sign_in")
    assert judge(found).stage("sign_in").signed
    tomorrow = judge(found, now=NOW + timedelta(days=1), midnight=MIDNIGHT + timedelta(days=1))
    assert not tomorrow.stage("sign_in").signed
    assert status(tomorrow.stage("sign_in"), "identity") is Status.EXPIRED
    assert tomorrow.stage("pre_visit").signed


def test_the_last_dose_is_asked_again_at_sign_in_after_the_visit_before_was_signed() -> None:
    days_ago = NOW - timedelta(days=3)
    answers = (answer("medicines", state="none", at=days_ago), *COMPLETE[1:])
    found = signed(round_of(*answers), "pre_visit", at=days_ago + timedelta(minutes=5))
    sign_in = judge(found).stage("sign_in")
    assert status(sign_in, "medicines") is Status.REASK
    assert status(judge(found).stage("pre_visit"), "medicines") is Status.COMPLETE
    asked = replace(found, answers={**found.answers, "medicines": answer("medicines", state="none", at=NOW)})
    assert status(judge(asked).stage("sign_in"), "medicines") is Status.COMPLETE
    assert judge(asked).stage("pre_visit").signed


def test_what_was_asked_again_at_sign_in_stays_asked_when_the_visit_before_is_signed_again() -> None:
    found = signed(round_of(*COMPLETE), "pre_visit", "sign_in")
    later = signature("pre_visit", judge(found).stage("pre_visit").digest, NOW + timedelta(hours=1))
    again = replace(found, signatures=(*found.signatures, later))
    assert judge(again).stage("sign_in").signed


def test_time_out_waits_for_sign_in() -> None:
    found = round_of(*COMPLETE)
    waiting = judge(found).waits_for("time_out")
    assert waiting is not None
    assert waiting.stage.code == "sign_in"
    assert judge(signed(found, "pre_visit", "sign_in")).waits_for("time_out") is None


def test_before_the_day_a_list_does_not_wait_for_sign_in() -> None:
    found = signed(round_of(*COMPLETE[:3]), "pre_visit")
    assert checklist.summarise(judge(found), on_the_day=False).word is Word.SIGNED
    assert checklist.summarise(judge(found), on_the_day=True).word is Word.UNANSWERED


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (answer("bled_before", "no"), Word.TO_SIGN),
        (answer("bled_before", "no", confirmed=False), Word.UNANSWERED),
        (answer("bled_before", "no", valid_until=NOW - timedelta(hours=1)), Word.FLAGGED),
    ],
)
def test_the_word_of_a_list_says_what_is_to_be_done(change: AnswerRow, word: Word) -> None:
    found = round_of(*COMPLETE[:2], change)
    assert checklist.summarise(judge(found), on_the_day=False).word is word


def test_an_unknown_answer_is_flagged_until_somebody_signs_over_it() -> None:
    child = answer("bled_how", state="unknown")
    found = round_of(*COMPLETE[:2], answer("bled_before", state="unknown"), child)
    assert checklist.summarise(judge(found), on_the_day=False).word is Word.FLAGGED
    after = checklist.summarise(judge(signed(found, "pre_visit")), on_the_day=False)
    assert (after.word, after.unknown) == (Word.SIGNED, 2)


def test_nothing_has_changed_never_confirms_the_medicines() -> None:
    old = [answer(c, state="none", confirmed=False) for c in ("medicines", "allergies")]
    stage = judge(round_of(*old)).stage("pre_visit")
    assert set(checklist.renewable(stage.questions)) == {"allergies"}


def test_groups_come_in_the_order_of_the_protocol_and_empty_ones_are_left_out() -> None:
    state = judge(round_of(*COMPLETE))
    assert [g.code for g, _ in checklist.sections(protocol(), state.stage("pre_visit"))] == [
        "medicines", "allergies", "bleeding",
    ]  # fmt: skip
    assert [g.code for g, _ in checklist.sections(protocol(), state.stage("time_out"))] == ["bleeding"]


# --- reading what was typed ----------------------------------------------------------------


def reading(kind: str, **entry: Any) -> tuple[str, Any]:
    more = entry.pop("more", {})
    found = read(question("q", kind, **more), Entry(**entry), zone=ZONE)
    return str(found.state), found.value


WARD = {"choices": (Choice(code="ward", label="Ward"), Choice(code="none", label="None", needs_reason=True))}


@pytest.mark.parametrize(
    ("kind", "entry", "expected"),
    [
        ("yes_no", {"pick": "=no"}, ("answered", "no")),
        ("yes_no", {"pick": "unknown"}, ("unknown", None)),
        ("yes_no", {"pick": "not_applicable", "note": "never had one"}, ("not_applicable", None)),
        ("choice", {"pick": "=ward", "more": WARD}, ("answered", "ward")),
        ("choice", {"pick": "=none", "note": "because", "more": WARD}, ("none", "none")),
        ("number", {"value": "1,5"}, ("answered", 1.5)),
        ("number", {"value": " 40 "}, ("answered", 40)),
        ("number", {"value": "40 kg", "more": {"unit": "kg"}}, ("answered", 40)),
        ("number", {"value": "", "pick": "declined"}, ("declined", None)),
        ("text", {"pick": "none"}, ("none", None)),
        ("text", {"value": " fell "}, ("answered", "fell")),
        ("date", {"value": "2026-11-23"}, ("answered", "2026-11-23")),
        ("datetime", {"value": "2026-11-23T14:30"}, ("answered", "2026-11-23T14:30-05:00")),
        ("confirm", {"pick": "=confirmed"}, ("answered", True)),
        ("confirm", {"pick": "=not_yet"}, ("answered", False)),
        ("medicines", {"pick": "none"}, ("none", None)),
        ("allergies", {"pick": "=listed"}, ("answered", None)),
    ],
)
def test_what_was_typed_becomes_a_state_and_a_value(
    kind: str, entry: dict[str, Any], expected: tuple[str, Any]
) -> None:
    assert reading(kind, **entry) == expected


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("yes_no", {}),
        ("yes_no", {"pick": "=maybe"}),
        ("yes_no", {"pick": "none"}),
        ("yes_no", {"pick": "not_applicable"}),
        ("choice", {"pick": "=elsewhere", "more": WARD}),
        ("choice", {"pick": "=none", "more": WARD}),
        ("number", {"value": "1,200"}),
        ("number", {"value": "about 4"}),
        ("number", {"value": "4", "pick": "unknown"}),
        ("text", {"value": "x" * 2001}),
        ("date", {"value": "23.11.2026"}),
        ("datetime", {"value": "2026-11-23"}),
        ("confirm", {"pick": "unknown"}),
        ("confirm", {"pick": "not_applicable", "note": "no", "more": {"minimum": True}}),
        ("medicines", {"pick": "not_applicable", "note": "no"}),
    ],
)
def test_what_cannot_be_an_answer_says_why_and_names_its_question(kind: str, entry: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        reading(kind, **entry)
    assert refused.value.field == "q"
    assert str(refused.value)


def test_not_asked_is_offered_only_where_the_question_need_not_be_asked() -> None:
    assert AnswerState.NOT_ASKED not in states_for(question("q"))
    assert AnswerState.NOT_ASKED in states_for(question("q", required=False))
