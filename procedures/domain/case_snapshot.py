"""A round of the checklist as the safety rules see it. Pure.

Only confirmed answers count: what is taken over from an earlier round, or only reported by the patient, has not been
asked yet. An optional question that was left empty is silent. A last dose is confirmed on the day when the list of
medicines was asked again after the pre-visit was signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from procedures.domain import doses
from procedures.domain.allergy_findings import recognise
from procedures.domain.answers import NOT_KNOWN, AnswerState
from procedures.domain.checklist_round import AllergyRow, AnswerRow, MedicineRow, Round
from procedures.domain.medicine_search import exactly
from procedures.domain.names import spaced
from procedures.domain.protocol import Protocol
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import (
    Allergy,
    AllergyList,
    AnswerFact,
    Asked,
    LabValue,
    Medicine,
    MedicineList,
    MedicineStatus,
    PatientFacts,
    Pregnancy,
    ProcedureFacts,
    Snapshot,
)  # fmt: skip

#: Measures that the checklist asks for, each with the question for its time.
LABS = {
    "platelets": "platelets_at",
    "inr": "inr_at",
    "anti_xa": "anti_xa_at",
    "doac_level": "doac_level_at",
    "aptt_ratio": "aptt_ratio_at",
    "fibrinogen": "fibrinogen_at",
}
#: What people type when there is nothing.
NOTHING = frozenset({"NONE", "NO", "NIL", "NOTHING"})


def snapshot_of(
    found: Round | None,
    protocol: Protocol,
    rules: RuleSet,
    *,
    procedure: ProcedureFacts,
    patient: PatientFacts,
    moment: str,
    day_began: datetime,
    zone: tzinfo,
    labs: tuple[LabValue, ...] = (),
) -> Snapshot:
    """``found`` None: nobody has begun. ``labs``: values from elsewhere. ``day_began``: local midnight of the day."""
    answers = _confirmed(found)
    needle = max(day_began, procedure.slot_at) if procedure.slot_at else day_began
    valid = {code: a for code, a in answers.items() if a.valid_until is None or a.valid_until >= needle}
    return Snapshot(
        procedure=_procedure(procedure, answers, valid),
        patient=_patient(patient, valid),
        medicines=medicines_of(found, protocol, rules, day_began),
        allergies=_allergies(found, protocol, rules),
        pregnancy=_pregnancy(answers),
        labs=(*labs, *_labs(answers)),
        answers={code: _fact(answer) for code, answer in answers.items()},
        questions={q.code: q.stage for q in protocol.questions if q.required or q.code in answers},
        moment=moment,
        opened=found is not None,
        zone=zone,
    )


def _confirmed(found: Round | None) -> Mapping[str, AnswerRow]:
    return {code: answer for code, answer in (found.answers if found else {}).items() if answer.confirmed}


def _fact(answer: AnswerRow) -> AnswerFact:
    state, value = answer.state, "" if answer.value is None else str(answer.value)
    if state is AnswerState.ANSWERED and spaced(value) in NOTHING and value not in ("no", "none"):
        state = AnswerState.NONE  # "None." typed where "none" could have been picked
    return AnswerFact(state=state, value=value, valid_until=answer.valid_until)


def _asked(answer: AnswerRow | None, rows: tuple[Any, ...]) -> Asked:
    """Lines on a list are lines, whatever the answer about the list says."""
    if rows:
        return Asked.LISTED
    if answer is None or not answer.confirmed:
        return Asked.NOT_ASKED
    if answer.state in NOT_KNOWN:
        return Asked.UNKNOWN
    return Asked.NONE if answer.state is AnswerState.NONE else Asked.LISTED


def _list_answer(found: Round | None, protocol: Protocol, kind: str) -> AnswerRow | None:
    code = next((question.code for question in protocol.questions if question.kind == kind), "")
    return found.answers.get(code) if found else None


# --- medicines


def medicines_of(found: Round | None, protocol: Protocol, rules: RuleSet, day_began: datetime) -> MedicineList:
    """The list, and what the question about blood thinners names beyond it."""
    answer = _list_answer(found, protocol, "medicines")
    rows = found.medicines if found else ()
    asked = _asked(answer, rows)
    lines = [_line(row, rules, _asked_again(found, answer, day_began)) for row in rows]
    listed = {ingredient.code for line in lines for ingredient in rules.ingredients_of(line.code)}
    for extra in _blood_thinner(found, rules):
        named = {ingredient.code for ingredient in rules.ingredients_of(extra.code)}
        if not named or not named <= listed:
            lines.append(extra)
    if answer is not None and answer.confirmed and answer.state in NOT_KNOWN:
        asked = Asked.UNKNOWN
    return MedicineList(
        asked=Asked.LISTED if lines and asked is not Asked.UNKNOWN else asked,
        entries=tuple(lines),
        none_by=answer.answered_by if answer is not None and asked is Asked.NONE else "",
        valid_until=answer.valid_until if answer is not None else None,
    )


def _asked_again(found: Round | None, answer: AnswerRow | None, day_began: datetime) -> AnswerRow | None:
    """The answer, if it was given on the day and after the pre-visit was signed."""
    if found is None or answer is None or not answer.confirmed or answer.answered_at < day_began:
        return None
    signed = found.first_signed("pre_visit")
    return answer if signed is not None and answer.answered_at > signed else None


def _line(row: MedicineRow, rules: RuleSet, again: AnswerRow | None) -> Medicine:
    read = doses.read(row.dose)
    amount, unit, times = (read.amount, read.unit, read.times_per_day) if read else (None, "", None)
    if row.amount is not None:
        amount, unit = row.amount, row.unit
    line = Medicine(
        text=" ".join(filter(None, (row.name, row.dose or doses.words(row.amount, row.unit, row.times_per_day)))),
        code=row.code if rules.ingredients_of(row.code) else code_of(rules, row.name),
        dose=amount,
        unit=unit,
        times_per_day=times if row.times_per_day is None else row.times_per_day,
        route=row.route,
        tier=row.tier,
        status=MedicineStatus(row.status),
        last_dose_at=row.last_dose_at,
        planned_stop_at=row.planned_stop_at,
        thins_blood=row.thins_blood,
    )
    if again is None or not row.confirmed:
        return line
    later = row.recorded_at > again.answered_at
    return replace(
        line,
        confirmed_by=row.recorded_by if later else again.answered_by,
        confirmed_at=max(row.recorded_at, again.answered_at),
        confirmed_stage="sign_in",
    )


def code_of(rules: RuleSet, text: str) -> str:
    """The listed medicine that a typed name is: by the whole name, else by the one of its words that is a name."""
    whole = exactly(rules, text)
    if whole:
        return whole
    words = {code for word in text.split() if (code := exactly(rules, word))}
    return words.pop() if len(words) == 1 else ""


def _blood_thinner(found: Round | None, rules: RuleSet) -> Iterator[Medicine]:
    """The minimum of an emergency: which one, and when the last dose was, asked on the day."""
    answers = _confirmed(found)
    asked = answers.get("blood_thinner")
    if asked is None or asked.value not in ("last_dose_known", "last_dose_unknown"):
        return
    name, last = answers.get("blood_thinner_name"), _moment(answers.get("blood_thinner_last_dose"))
    text = str(name.value) if name is not None and name.state is AnswerState.ANSWERED else ""
    dose = doses.read(text)
    known = asked.value == "last_dose_known" and last is not None
    yield Medicine(
        text=text or "?",
        code=code_of(rules, text),
        dose=dose.amount if dose else None,
        unit=dose.unit if dose else "",
        times_per_day=dose.times_per_day if dose else None,
        status=MedicineStatus.STOPPED if known else MedicineStatus.UNKNOWN,
        last_dose_at=last if known else None,
        confirmed_by=asked.answered_by,
        confirmed_at=asked.answered_at,
        confirmed_stage="sign_in",
        thins_blood=True,
    )


# --- the rest


def _procedure(
    planned: ProcedureFacts, answers: Mapping[str, AnswerRow], valid: Mapping[str, AnswerRow]
) -> ProcedureFacts:
    """What is planned, as far as the checklist says it; what it leaves open stays unknown."""
    return replace(
        planned,
        indication_kind=planned.indication_kind or _indication(answers),
        antiseptic=planned.antiseptic or _picked(valid.get("antiseptic_planned")),
        anaesthetic=planned.anaesthetic or _picked(valid.get("anaesthetic_planned")),
        latex_free=_yes_no(valid.get("latex_free"), planned.latex_free),
        first_of_day=_yes_no(valid.get("first_of_day"), planned.first_of_day),
    )


def _patient(known: PatientFacts, valid: Mapping[str, AnswerRow]) -> PatientFacts:
    """Weight and kidney function from the checklist, where nothing else knows them."""
    return replace(
        known,
        weight_kg=known.weight_kg or _number(valid.get("weight")),
        creatinine_mg_dl=known.creatinine_mg_dl or _number(valid.get("creatinine")),
        crcl=known.crcl or _number(valid.get("crcl")),
        crcl_at=known.crcl_at or _moment(valid.get("crcl_at")),
    )


def _picked(answer: AnswerRow | None) -> str:
    return str(answer.value) if answer is not None and answer.state is AnswerState.ANSWERED else ""


def _yes_no(answer: AnswerRow | None, otherwise: bool | None) -> bool | None:
    return {"yes": True, "no": False}.get(_picked(answer), otherwise)


def _number(answer: AnswerRow | None) -> float | None:
    if answer is None or answer.state is not AnswerState.ANSWERED or not isinstance(answer.value, int | float):
        return None
    return float(answer.value)


def _allergies(found: Round | None, protocol: Protocol, rules: RuleSet) -> AllergyList:
    answer = _list_answer(found, protocol, "allergies")
    rows = found.allergies if found else ()
    asked = _asked(answer, rows)
    if answer is not None and answer.confirmed and answer.state in NOT_KNOWN:
        asked = Asked.UNKNOWN
    return AllergyList(
        asked=asked,
        entries=tuple(allergy for row in rows for allergy in _allergy(row, rules)),
        none_by=answer.answered_by if answer is not None and asked is Asked.NONE else "",
        valid_until=answer.valid_until if answer is not None else None,
    )


def _allergy(row: AllergyRow, rules: RuleSet) -> Iterator[Allergy]:
    """One line may be two kinds of allergy: *Novocaine* is said of amides and esters."""
    known = {allergen.code for allergen in rules.thresholds.allergens}
    codes = (row.category,) if row.category in known else recognise(rules, row.substance) or ("",)
    for code in codes:
        yield Allergy(text=row.substance, category=code, severity=row.severity)


def _pregnancy(answers: Mapping[str, AnswerRow]) -> Pregnancy | None:
    """A test within a day says more than what was told before it."""
    test, status, basis = (answers.get(f"pregnancy_{name}") for name in ("test", "status", "basis"))
    if test is not None and test.value in ("positive", "negative"):
        result = "pregnant" if test.value == "positive" else "not_pregnant"
        return Pregnancy(status=result, at=test.answered_at, by_test=True)
    if status is None:
        return None
    told = str(status.value or status.state)
    by_test = basis is not None and basis.value == "test"
    return Pregnancy(status=told, at=status.answered_at, by_test=by_test)


def _labs(answers: Mapping[str, AnswerRow]) -> Iterator[LabValue]:
    for code, when in LABS.items():
        answer = answers.get(code)
        if answer is None or answer.state is AnswerState.NOT_APPLICABLE:
            continue
        yield LabValue(code=code, value=_number(answer), at=_moment(answers.get(when)))


def _moment(answer: AnswerRow | None) -> datetime | None:
    if answer is None or answer.state is not AnswerState.ANSWERED:
        return None
    try:
        found = datetime.fromisoformat(str(answer.value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _indication(answers: Mapping[str, AnswerRow]) -> str:
    answer = answers.get("suspected_meningitis")
    if answer is None or answer.state is not AnswerState.ANSWERED:
        return ""
    return "meningitis" if answer.value == "yes" else "elective"
