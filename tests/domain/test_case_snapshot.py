"""From a round of the checklist to what the safety rules see: nothing is made up, nothing that counts is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from procedures.domain import safety
from procedures.domain import snapshot as s
from procedures.domain.case_snapshot import code_of, snapshot_of
from procedures.domain.checklist_round import AllergyRow, AnswerRow, Round
from procedures.domain.findings import Severity
from tests.domain.protocol_files import protocol
from tests.domain.safety_cases import NEEDLE, hours, one, rules
from tests.domain.test_checklist_rules import answer, medicine, signature

MIDNIGHT = NEEDLE.replace(hour=0, minute=0)
PRE_VISIT = NEEDLE - timedelta(days=2)
SIGN_IN = NEEDLE - hours(1)


def seen(*answers: AnswerRow, moment: str = "sign_in", **lists: Any) -> s.Snapshot:
    found = Round(
        id=1, number=1, opened_at=PRE_VISIT, answers={a.question: a for a in answers},
        signatures=(signature("pre_visit", "x", PRE_VISIT),), **lists,
    )  # fmt: skip
    return snapshot(found, moment)


def snapshot(found: Round | None, moment: str = "sign_in") -> s.Snapshot:
    return snapshot_of(
        found, protocol("lumbar_puncture"), rules(), procedure=s.ProcedureFacts(bleeding_class="neuraxial"),
        patient=s.PatientFacts(age=60), moment=moment, day_began=MIDNIGHT, zone=NEEDLE.tzinfo or s.UTC,
    )  # fmt: skip


def judged(found: s.Snapshot, key: str) -> tuple[str, Severity]:
    finding = one(safety.evaluate(found, rules(), NEEDLE), key)
    return finding.code, finding.severity


def listed(at: datetime = SIGN_IN) -> AnswerRow:
    return answer("medicines", at=at)


def row(**more: Any) -> Any:
    fields = {"dose": "5 mg twice daily", "status": "stopped", "last_dose_at": NEEDLE - hours(80)}
    return medicine("Eliquis", **fields | {"recorded_at": PRE_VISIT} | more)


def test_a_checklist_that_nobody_began_is_one_grey_finding() -> None:
    assert [f.code for f in safety.evaluate(snapshot(None, "pre_visit"), rules(), NEEDLE)] == ["not_asked_yet"]


def test_a_line_is_recognised_and_its_dose_read() -> None:
    line = seen(listed(), medicines=(row(),)).medicines.entries[0]
    assert (line.code, line.dose, line.unit, line.times_per_day) == ("apixaban", 5, "mg", 2)
    assert (line.confirmed_by, line.confirmed_at, line.confirmed_stage) == ("Nurse", SIGN_IN, "sign_in")


@pytest.mark.parametrize(
    ("asked_at", "extra", "code"),
    [
        (SIGN_IN, {}, "medicine_held"),
        (PRE_VISIT - hours(1), {}, "medicine_not_confirmed"),
        (SIGN_IN, {"confirmed": False}, "medicine_not_confirmed"),
        (SIGN_IN, {"recorded_at": SIGN_IN + hours(0.5)}, "medicine_held"),
    ],
    ids=["asked again on the day", "asked before", "reported only", "corrected on the day"],
)
def test_a_last_dose_counts_when_the_list_was_asked_again_on_the_day(
    asked_at: datetime, extra: dict[str, Any], code: str
) -> None:
    assert judged(seen(listed(asked_at), medicines=(row(**extra),)), "medicine:apixaban")[0] == code


def test_takes_none_carries_the_name_of_who_asked() -> None:
    found = seen(answer("medicines", state="none", at=SIGN_IN))
    assert (found.medicines.asked, found.medicines.none_by) == (s.Asked.NONE, "Nurse")
    unconfirmed = seen(answer("medicines", state="none", confirmed=False))
    assert unconfirmed.medicines.asked is s.Asked.NOT_ASKED
    assert seen(answer("medicines", state="unknown")).medicines.asked is s.Asked.UNKNOWN


def test_an_unknown_list_stays_unknown_even_with_a_line_on_it() -> None:
    found = seen(answer("medicines", state="unknown"), medicines=(row(),))
    assert judged(found, "medicines") == ("medicines_unknown", Severity.STOP)
    assert len(found.medicines.entries) == 1


def test_the_minimum_of_an_emergency_names_a_medicine_that_the_list_does_not() -> None:
    asked = answer("blood_thinner", "last_dose_known", at=SIGN_IN)
    name = answer("blood_thinner_name", "apixaban 5 mg bid", at=SIGN_IN)
    last = answer("blood_thinner_last_dose", (NEEDLE - hours(40)).isoformat(timespec="minutes"), at=SIGN_IN)
    assert judged(seen(asked, name, last), "medicine:apixaban") == ("medicine_too_soon", Severity.STOP)
    assert len(seen(asked, name, last, listed(), medicines=(row(),)).medicines.entries) == 1
    mystery = replace(name, value="the red pill")
    assert judged(seen(asked, mystery, last), "medicine:?the red pill")[1] is Severity.STOP
    unknown = replace(asked, value="last_dose_unknown")
    assert judged(seen(unknown, name), "medicine:apixaban") == ("medicine_last_dose_unknown", Severity.STOP)
    assert judged(seen(unknown, name), "rule:lp_blood_thinner_unknown")[1] is Severity.STOP


def test_a_name_is_found_by_itself_or_by_the_one_word_that_is_a_name() -> None:
    assert code_of(rules(), "Eliquis 5 mg") == "apixaban"
    assert code_of(rules(), "fish oil") == "fish_oil"
    assert code_of(rules(), "aspirin and Plavix") == ""
    assert code_of(rules(), "") == ""


def test_values_come_with_the_time_they_were_drawn_and_unknown_stays_unknown() -> None:
    drawn = answer("inr_at", (NEEDLE - hours(3)).isoformat())
    found = seen(answer("inr", 1.1), drawn, answer("platelets", state="unknown"))
    assert [(v.code, v.value, v.at) for v in found.labs] == [("platelets", None, None), ("inr", 1.1, NEEDLE - hours(3))]
    assert [v.at for v in seen(answer("inr", 1.1)).labs] == [None]


def test_pregnancy_is_told_or_tested_and_unknown_is_unknown() -> None:
    told = answer("pregnancy_status", "not_pregnant", at=PRE_VISIT)
    assert seen(told).pregnancy == s.Pregnancy(status="not_pregnant", at=PRE_VISIT)
    tested = seen(answer("pregnancy_status", "possible"), answer("pregnancy_test", "negative", at=SIGN_IN))
    assert tested.pregnancy == s.Pregnancy(status="not_pregnant", at=SIGN_IN, by_test=True)
    declined = seen(answer("pregnancy_status", "declined", state="declined", at=PRE_VISIT))
    assert declined.pregnancy == s.Pregnancy(status="declined", at=PRE_VISIT)
    assert seen().pregnancy is None


def test_an_allergy_is_sorted_by_its_category_or_by_its_words() -> None:
    rows = [
        AllergyRow(id=1, substance=text, category=category, reaction="", severity="reaction", confirmed=True,
                   recorded_at=PRE_VISIT, recorded_by="Nurse")
        for text, category in (("gloves", "latex"), ("Betadine", ""), ("peanuts", ""), ("Novocaine", "food"))
    ]  # fmt: skip
    found = seen(answer("allergies"), allergies=tuple(rows)).allergies
    assert [a.category for a in found.entries] == ["latex", "povidone_iodine", "", "amide"]


def test_the_kind_of_indication_follows_the_question_and_is_never_guessed() -> None:
    for given, wanted in (("yes", "meningitis"), ("no", "elective")):
        assert seen(answer("suspected_meningitis", given)).procedure.indication_kind == wanted
    assert seen(answer("suspected_meningitis", state="unknown")).procedure.indication_kind == ""


def test_a_typed_none_is_none() -> None:
    assert seen(answer("stent_or_clot", "None.")).answers["stent_or_clot"].state == "none"
    assert seen(answer("skin_infection", "no")).answers["skin_infection"].state == "answered"


def test_an_optional_question_may_stay_empty_and_its_unknown_is_one() -> None:
    keys = {f.key for f in safety.evaluate(seen(), rules(), NEEDLE)}
    assert "allergy:adhesive" not in keys
    assert "allergy:latex_kit" in keys
    assert judged(seen(answer("adhesive_allergy", state="unknown")), "allergy:adhesive")[1] is Severity.CAUTION


def test_what_is_not_confirmed_has_not_been_asked() -> None:
    assert "skin_infection" not in seen(answer("skin_infection", "no", confirmed=False)).answers


def test_the_fields_of_a_line_say_more_than_its_words() -> None:
    line = row(dose="", code="apixaban", amount=2.5, unit="mg", times_per_day=2.0, route="oral", tier="low")
    found = seen(listed(), medicines=(line,)).medicines.entries[0]
    assert (found.code, found.dose, found.unit, found.times_per_day) == ("apixaban", 2.5, "mg", 2)
    assert (found.route, found.tier, found.text) == ("oral", "low", "Eliquis 2.5 mg twice daily")


def test_a_planned_stop_is_seen_and_is_no_last_dose() -> None:
    stop = NEEDLE - hours(72)
    found = seen(listed(), medicines=(row(status="ongoing", last_dose_at=None, planned_stop_at=stop),))
    assert found.medicines.entries[0].planned_stop_at == stop
    assert judged(found, "medicine:apixaban") == ("medicine_hold_from", Severity.STOP)


def test_a_line_signed_before_the_details_were_kept_reads_as_it_was_signed() -> None:
    assert len(row().signed_part()) == 7
    assert row(route="oral").signed_part() != row().signed_part()


def test_what_is_planned_and_measured_comes_from_the_checklist() -> None:
    found = seen(
        answer("antiseptic_planned", "povidone_iodine"), answer("anaesthetic_planned", state="unknown"),
        answer("latex_free", "yes"), answer("first_of_day", "no"), answer("weight", 58), answer("creatinine", 1.6),
        answer("crcl", 42), answer("crcl_at", PRE_VISIT.isoformat()),
    )  # fmt: skip
    planned, patient = found.procedure, found.patient
    assert (planned.antiseptic, planned.anaesthetic) == ("povidone_iodine", "")
    assert (planned.latex_free, planned.first_of_day) == (True, False)
    assert (patient.weight_kg, patient.creatinine_mg_dl, patient.crcl) == (58, 1.6, 42)
    assert patient.crcl_at == PRE_VISIT


def test_an_expired_weight_is_no_weight() -> None:
    assert seen(answer("weight", 58, valid_until=MIDNIGHT - hours(1))).patient.weight_kg is None


def test_a_confirmed_room_lifts_the_stop_of_a_latex_allergy() -> None:
    latex = AllergyRow(
        id=1, substance="latex", category="latex", reaction="", severity="anaphylaxis", confirmed=True,
        recorded_at=PRE_VISIT, recorded_by="Nurse",
    )  # fmt: skip
    asked = answer("allergies", at=SIGN_IN)
    assert judged(seen(asked, allergies=(latex,)), "allergy:latex_kit")[1] is Severity.STOP
    room = seen(asked, answer("latex_free", "yes"), allergies=(latex,))
    assert "allergy:latex_kit" not in {f.key for f in safety.evaluate(room, rules(), NEEDLE)}
