"""The safety rules on cases with a name: what a nurse, a physician and a director would expect to read."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from procedures.domain import findings as f
from procedures.domain import safety
from procedures.domain import snapshot as s
from procedures.domain.findings import Severity
from tests.domain.protocol_files import protocol
from tests.domain.safety_cases import (
    MINUTE,
    NEEDLE,
    PROTOCOLS,
    UNKNOWN,
    case,
    changed,
    hours,
    lab,
    one,
    rules,
    said,
    stopped,
    taken,
)  # fmt: skip

BOTH = pytest.mark.parametrize("kind", ["neuraxial", "low_risk"])
APIXABAN = {"dose": 5, "unit": "mg", "times_per_day": 2}


def judged(snapshot: s.Snapshot, at: object = NEEDLE) -> tuple[f.Finding, ...]:
    return safety.evaluate(snapshot, rules(), at)  # type: ignore[arg-type]


def keys(snapshot: s.Snapshot) -> list[str]:
    return [finding.key for finding in judged(snapshot)]


# --- medicines


@BOTH
def test_somebody_with_nothing_that_matters_has_no_findings(kind: str) -> None:
    assert judged(case(kind)) == ()


def test_apixaban_5_mg_twice_daily_40_hours_ago_stops_a_lumbar_puncture_and_says_until_when() -> None:
    last = NEEDLE - hours(40)
    found = one(judged(case(medicines=[stopped("apixaban", last, **APIXABAN)])), "medicine:apixaban")
    assert (found.code, found.severity, found.blocks) == ("medicine_too_soon", Severity.STOP, "start")
    assert found.earliest_safe_at == last + hours(72)
    assert found.todo.render() == (
        "Earliest safe time: Fri 6 Mar 22:30, 72 h after the last dose; or from Wed 4 Mar 22:30 with a value: "
        "Anti-Xa activity ≤ 0.1 IU/mL / Drug-calibrated level of the anticoagulant < 30 ng/mL."
    )
    assert found.choices == ("doac_full_dose",)
    assert (found.year, found.approved_by) == (2025, "")
    assert "Full dose" in found.evidence[1].render()


def test_the_same_patient_goes_on_to_a_paracentesis() -> None:
    found = judged(case("low_risk", medicines=[stopped("apixaban", NEEDLE - hours(40), **APIXABAN)]))
    assert [(x.code, x.severity) for x in found] == [("medicine_continue", Severity.INFO)]


def test_moved_past_the_earliest_safe_time_and_confirmed_it_passes() -> None:
    last = NEEDLE - hours(72)
    found = judged(case(medicines=[stopped("apixaban", last, **APIXABAN)]))
    assert [(x.code, x.severity) for x in found] == [("medicine_held", Severity.INFO)]


def test_twice_daily_asked_ten_days_before_is_hold_from_and_never_a_pass() -> None:
    ten_days_before = NEEDLE - timedelta(days=10)
    for plan in (None, NEEDLE - hours(96)):
        medicine = taken("apixaban", last_dose_at=ten_days_before, planned_stop_at=plan, **APIXABAN)
        found = one(judged(case(medicines=[medicine], moment="pre_visit")), "medicine:apixaban")
        assert (found.code, found.severity) == ("medicine_hold_from", Severity.STOP)
        assert found.hold_from == NEEDLE - hours(72)
        assert found.title.render() == "apixaban: hold from Mon 2 Mar 14:30"


def test_before_sign_in_a_held_medicine_waits_to_be_confirmed_and_at_sign_in_it_must_be() -> None:
    medicine = stopped("apixaban", NEEDLE - hours(80), confirmed=False, **APIXABAN)
    before = one(judged(case(medicines=[medicine], moment="pre_visit")), "medicine:apixaban")
    assert (before.code, before.severity) == ("medicine_to_confirm", Severity.CAUTION)
    for moment in ("sign_in", "time_out"):
        found = one(judged(case(medicines=[medicine], moment=moment)), "medicine:apixaban")
        assert (found.code, found.severity) == ("medicine_not_confirmed", Severity.STOP)


@pytest.mark.parametrize(
    "told",
    [
        {"confirmed_by": ""},
        {"confirmed_stage": "pre_visit"},
        {"confirmed_at": NEEDLE - hours(25)},
        {"confirmed_at": NEEDLE + MINUTE},
        {"confirmed_at": None},
    ],
    ids=["by nobody", "at the pre-visit", "yesterday", "afterwards", "at no time"],
)
def test_a_last_dose_that_was_not_confirmed_by_somebody_on_the_day_never_passes(told: dict[str, object]) -> None:
    medicine = dataclasses.replace(stopped("apixaban", NEEDLE - hours(80), **APIXABAN), **told)  # type: ignore[arg-type]
    assert one(judged(case(medicines=[medicine])), "medicine:apixaban").severity is Severity.STOP


@pytest.mark.parametrize("status", [s.MedicineStatus.UNKNOWN, s.MedicineStatus.STOPPED])
def test_an_unknown_last_dose_is_never_a_safe_one(status: s.MedicineStatus) -> None:
    medicine = s.Medicine(text="Eliquis", code="apixaban", status=status)
    found = one(judged(case(medicines=[medicine])), "medicine:apixaban")
    assert (found.code, found.severity) == ("medicine_last_dose_unknown", Severity.STOP)


def test_warfarin_with_inr_2_6_stops_a_lumbar_puncture_by_time_and_by_value() -> None:
    medicine = stopped("warfarin", NEEDLE - hours(121))
    found = judged(case(medicines=[medicine], labs=(lab("inr", 2.6), lab("platelets", 200))))
    assert [(x.key, x.code, x.severity) for x in found] == [
        ("medicine:warfarin", "medicine_lab_needed", Severity.STOP),
        ("lab:inr", "lp_inr_stop", Severity.STOP),
    ]


def test_warfarin_with_inr_2_6_goes_on_to_a_paracentesis() -> None:
    found = judged(case("low_risk", medicines=[taken("warfarin")], labs=(lab("inr", 2.6),)))
    assert [(x.code, x.severity) for x in found] == [("medicine_continue", Severity.INFO)]


def test_warfarin_without_cirrhosis_and_inr_above_3_is_a_caution_before_a_paracentesis_never_a_stop() -> None:
    labs = (lab("inr", 3.1),)
    found = judged(case("low_risk", medicines=[taken("warfarin")], labs=labs))
    assert one(found, "rule:para_vka_inr").severity is Severity.CAUTION
    cirrhosis = {"cause_of_ascites": said("cirrhosis")}
    assert "rule:para_vka_inr" not in keys(
        case("low_risk", medicines=[taken("warfarin")], labs=labs, answers=cirrhosis)
    )


def test_an_inr_of_yesterday_does_not_count_on_warfarin_in_the_clinic_s_own_day() -> None:
    medicine = stopped("warfarin", NEEDLE - hours(130))
    platelets = lab("platelets", 200)
    drawn = s.LabValue(code="inr", value=1.1, at=NEEDLE - hours(14))
    utc = case(medicines=[medicine], labs=(drawn, platelets))
    assert one(judged(utc), "medicine:warfarin").code == "medicine_held"
    assert one(judged(dataclasses.replace(utc, zone=ZoneInfo("America/New_York"))), "medicine:warfarin").code == (
        "medicine_lab_needed"
    )


def test_two_agents_together_take_the_stricter_rule_and_a_clinician() -> None:
    enoxaparin = stopped("enoxaparin", NEEDLE - hours(13), dose=40, unit="mg", times_per_day=1)
    assert one(judged(case(medicines=[enoxaparin])), "medicine:enoxaparin").severity is Severity.INFO
    found = judged(case(medicines=[enoxaparin, taken("aspirin")]))
    assert one(found, "medicine:enoxaparin").severity is Severity.STOP
    assert one(found, "medicine:combination").severity is Severity.CAUTION
    alone = judged(case(medicines=[taken("aspirin")]))
    assert [(x.key, x.severity) for x in alone] == [("medicine:aspirin", Severity.INFO)]


def test_a_combination_product_is_judged_by_each_ingredient() -> None:
    found = judged(case(medicines=[taken("aggrenox")]))
    assert one(found, "medicine:dipyridamole").severity is Severity.STOP
    assert one(found, "medicine:aspirin").severity is Severity.INFO
    assert one(found, "medicine:combination").code == "medicine_combination"


def test_an_unlisted_medicine_is_kept_and_never_ignored() -> None:
    for kind, hard in (("neuraxial", Severity.STOP), ("low_risk", Severity.CAUTION)):
        for said_so, severity in ((None, hard), (True, hard), (False, Severity.INFO)):
            medicine = s.Medicine(text="<b>Mystery</b>", thins_blood=said_so)
            found = one(judged(case(kind, medicines=[medicine])), "medicine:?<b>Mystery</b>")
            assert (found.code, found.severity) == ("medicine_not_recognised", severity)


def test_herbs_need_not_be_stopped() -> None:
    assert judged(case(medicines=[taken("ginkgo"), taken("garlic"), taken("fish_oil")])) == ()


def test_takes_none_needs_the_name_of_who_said_so() -> None:
    nameless = dataclasses.replace(case(), medicines=s.MedicineList(asked=s.Asked.NONE))
    assert one(judged(nameless), "medicines").severity is Severity.STOP
    unknown = dataclasses.replace(case(), medicines=s.MedicineList(asked=s.Asked.UNKNOWN))
    assert one(judged(unknown), "medicines").severity is Severity.STOP


def test_two_lines_about_one_medicine_keep_two_findings() -> None:
    old, new = stopped("apixaban", NEEDLE - hours(100)), stopped("apixaban", NEEDLE - hours(10))
    found = judged(case(medicines=[old, new]))
    assert [one(found, key).severity for key in ("medicine:apixaban", "medicine:apixaban#2")] == [
        Severity.INFO,
        Severity.STOP,
    ]


def test_a_stale_or_undated_clearance_is_an_unknown_one() -> None:
    medicine = stopped("dabigatran", NEEDLE - hours(100), tier="high")
    assert one(judged(case(medicines=[medicine])), "medicine:dabigatran").severity is Severity.INFO
    for when in (None, NEEDLE - timedelta(days=91)):
        found = one(judged(case(medicines=[medicine], crcl_at=when)), "medicine:dabigatran")
        assert found.severity is Severity.STOP
        assert "strictest band" in " ".join(text.render() for text in found.evidence)


def test_a_stent_asks_whether_the_medicine_may_be_held_at_all() -> None:
    answers = {"stent_or_clot": said("drug-eluting stent, May")}
    snapshot = case(medicines=[stopped("clopidogrel", NEEDLE - hours(200))], answers=answers)
    assert one(judged(snapshot), "rule:lp_stent").severity is Severity.CAUTION


def test_an_nsaid_in_cirrhosis_is_advised_against() -> None:
    cirrhosis = {"cause_of_ascites": said("cirrhosis")}
    assert "rule:nsaid_cirrhosis" in keys(case("low_risk", medicines=[taken("ibuprofen")], answers=cirrhosis))
    assert "rule:nsaid_cirrhosis" in keys(case("low_risk", answers=cirrhosis | {"nsaid": said("yes")}))
    assert "rule:nsaid_cirrhosis" not in keys(case("low_risk", medicines=[taken("ibuprofen")]))


# --- earliest safe time, restart


def test_the_earliest_safe_time_is_known_while_booking() -> None:
    now = NEEDLE - timedelta(days=3)
    snapshot = case(medicines=[taken("apixaban", **APIXABAN)], moment="pre_visit", opened=False)
    found = safety.earliest_safe(snapshot, rules(), now)
    assert (found.at, found.because, found.hours) == (now + hours(72), "apixaban", 72)
    known = case(medicines=[stopped("apixaban", now - hours(20), confirmed=False, **APIXABAN)], moment="pre_visit")
    assert safety.earliest_safe(known, rules(), now).at == now + hours(52)
    planned = case(medicines=[taken("apixaban", planned_stop_at=now + hours(10), **APIXABAN)])
    assert safety.earliest_safe(planned, rules(), now).at == now + hours(82)


def test_where_no_time_makes_it_safe_none_is_given() -> None:
    found = safety.earliest_safe(case(medicines=[taken("argatroban"), taken("warfarin")]), rules(), NEEDLE)
    assert (found.at, found.decide, found.needs) == (None, ("argatroban",), ("inr",))
    nothing = safety.earliest_safe(case("low_risk", medicines=[taken("warfarin")]), rules(), NEEDLE)
    assert nothing.at == NEEDLE


def test_an_empty_restart_after_a_traumatic_tap_is_left_to_the_physician_never_the_ordinary_time() -> None:
    medicine = stopped("rivaroxaban", NEEDLE - hours(80), tier="high")
    snapshot = case(medicines=[medicine])
    ordinary = safety.restarts(medicine, snapshot, rules(), needle_at=NEEDLE, traumatic=False)
    traumatic = safety.restarts(medicine, snapshot, rules(), needle_at=NEEDLE, traumatic=True)
    assert [(r.ingredient, r.at, r.physician_sets) for r in ordinary] == [("rivaroxaban", NEEDLE + hours(24), False)]
    assert [(r.ingredient, r.at, r.physician_sets) for r in traumatic] == [("rivaroxaban", None, True)]


# --- values


@pytest.mark.parametrize(
    ("count", "severity"), [(39, Severity.STOP), (40, Severity.CAUTION), (45, Severity.CAUTION), (50, None)]
)
def test_platelets_below_40_stop_and_up_to_50_a_clinician_confirms(count: float, severity: Severity | None) -> None:
    found = judged(case(labs=(lab("platelets", count),)))
    assert f.highest(found) is severity
    assert f.highest(judged(case("low_risk", labs=(lab("platelets", count),)))) is None


def test_platelets_in_another_unit_are_the_same_platelets() -> None:
    assert one(judged(case(labs=(lab("platelets", 45000, unit="/uL"),))), "lab:platelets").code == (
        "lp_platelets_confirm"
    )
    assert one(judged(case(labs=(lab("platelets", 45, unit="spoons"),))), "lab_needed:platelets")


def test_platelets_and_inr_are_asked_for_only_on_a_trigger() -> None:
    assert keys(case()) == []
    for question in ("liver_disease", "blood_disorder", "bleeding_history", "heparin_over_4_days", "bleeding_trigger"):
        for answer in (said("yes"), UNKNOWN):
            assert keys(case(answers={question: answer})) == ["lab_needed:platelets", "lab_needed:inr"], question
    assert keys(case("low_risk", answers={"liver_disease": said("yes")})) == []


@pytest.mark.parametrize(
    ("age_hours", "answers", "good"),
    [
        (719, {"bleeding_history": "yes"}, True),
        (721, {"bleeding_history": "yes"}, False),
        (167, {"liver_disease": "yes"}, True),
        (169, {"liver_disease": "yes"}, False),
        (169, {"blood_disorder": "yes"}, False),
        (169, {"heparin_over_4_days": "yes"}, False),
    ],
)
def test_a_value_is_good_for_so_long(age_hours: float, answers: dict[str, str], good: bool) -> None:
    labs = (lab("platelets", 200, age_hours), lab("inr", 1.1, age_hours))
    found = judged(case(labs=labs, answers={code: said(value) for code, value in answers.items()}))
    assert (not found) is good


def test_a_value_after_an_abnormal_one_is_good_for_a_day() -> None:
    answers = {"bleeding_history": said("yes")}
    before = (lab("platelets", 60, 100), lab("inr", 1.1, 3))
    assert keys(case(labs=(*before, lab("platelets", 120, 23)), answers=answers)) == []
    assert keys(case(labs=(*before, lab("platelets", 120, 25)), answers=answers)) == ["lab_needed:platelets"]


def test_a_value_drawn_after_the_needle_is_no_value_before_it() -> None:
    late = s.LabValue(code="inr", value=1.0, at=NEEDLE + hours(1))
    assert keys(case(labs=(late,))) == ["lab_needed:inr"]


# --- allergies


def test_latex_anaphylaxis_stops_until_room_and_kit_are_latex_free_and_asks_for_the_first_slot() -> None:
    allergy = [s.Allergy(text="gloves", category="latex", severity="anaphylaxis")]
    found = judged(case(allergies=allergy, latex_free=None, first_of_day=False))
    assert one(found, "allergy:latex_kit").severity is Severity.STOP
    assert one(found, "allergy:latex_first").severity is Severity.CAUTION
    assert f.flags(found) == ("latex_free", "first_slot")
    ready = judged(case(allergies=allergy))
    assert [(x.code, x.severity) for x in ready] == [("latex_known", Severity.INFO)]
    assert f.flags(ready) == ("latex_free", "first_slot")


@pytest.mark.parametrize(
    ("reaction", "severity"),
    [("anaphylaxis", "stop"), ("reaction", "caution"), ("intolerance", "info"), ("unknown", "stop")],
)
def test_an_allergy_weighs_as_much_as_its_reaction(reaction: str, severity: str) -> None:
    allergy = [s.Allergy(text="ChloraPrep", category="chlorhexidine", severity=reaction)]
    found = judged(case("low_risk", allergies=allergy, antiseptic="chlorhexidine_alcohol"))
    assert one(found, "allergy:chlorhexidine_used").severity == severity
    other = judged(case("low_risk", allergies=allergy, antiseptic="povidone_iodine"))
    assert f.highest(other) is Severity.INFO


def test_conflicts_follow_what_is_planned_and_an_undecided_antiseptic_is_a_conflict() -> None:
    iodine = [s.Allergy(text="Betadine", category="povidone_iodine", severity="anaphylaxis")]
    assert one(judged(case(allergies=iodine, antiseptic="povidone_iodine")), "allergy:iodine_used").blocks == "start"
    assert one(judged(case(allergies=iodine, antiseptic="")), "allergy:iodine_used").severity is Severity.STOP
    amide = [s.Allergy(text="lidocaine", category="amide", severity="anaphylaxis")]
    assert one(judged(case(allergies=amide, anaesthetic="lidocaine")), "allergy:amide_used").severity is Severity.STOP
    assert f.highest(judged(case(allergies=amide, anaesthetic="chloroprocaine"))) is Severity.INFO
    ester = [s.Allergy(text="procaine", category="ester", severity="anaphylaxis")]
    assert f.highest(judged(case(allergies=ester, anaesthetic="lidocaine"))) is Severity.INFO


def test_shellfish_is_not_iodine() -> None:
    shellfish = [s.Allergy(text="shrimp", category="shellfish", severity="anaphylaxis")]
    found = judged(case(allergies=shellfish, antiseptic="povidone_iodine"))
    assert [(x.code, x.severity) for x in found] == [("shellfish_not_iodine", Severity.INFO)]


def test_albumin_allergy_matters_when_a_large_volume_is_expected() -> None:
    albumin = [s.Allergy(text="albumin", category="albumin", severity="anaphylaxis")]
    found = judged(case("low_risk", allergies=albumin, expected_volume_ml=5001))
    assert one(found, "allergy:albumin_large").severity is Severity.STOP
    assert f.highest(judged(case("low_risk", allergies=albumin, expected_volume_ml=5000))) is Severity.INFO


def test_hit_and_a_heparin_on_the_list_do_not_go_together() -> None:
    hit = [s.Allergy(text="HIT 2019", category="heparin_hit", severity="anaphylaxis")]
    found = judged(case("low_risk", allergies=hit, medicines=[taken("dalteparin")]))
    assert one(found, "allergy:hit_heparin").severity is Severity.STOP


def test_a_question_alone_says_that_there_is_an_allergy_and_a_listed_one_tells_more() -> None:
    yes = {"antiseptic_allergy": said("chlorhexidine")}
    found = judged(case(answers=yes, antiseptic="chlorhexidine_alcohol"))
    assert one(found, "allergy:chlorhexidine_used").severity is Severity.STOP
    mild = [s.Allergy(text="chlorhexidine", category="chlorhexidine", severity="reaction")]
    told = judged(case(answers=yes, allergies=mild, antiseptic="chlorhexidine_alcohol"))
    assert one(told, "allergy:chlorhexidine_used").severity is Severity.CAUTION


def test_chlorhexidine_for_a_lumbar_puncture_is_information_and_a_local_choice() -> None:
    found = one(judged(case(antiseptic="chlorhexidine_alcohol")), "rule:lp_chlorhexidine")
    assert (found.severity, found.flags, found.choices) == (Severity.INFO, ("dry_time",), ("lp_chlorhexidine",))
    assert keys(case("low_risk", antiseptic="chlorhexidine_alcohol")) == []


# --- pregnancy


@pytest.mark.parametrize("status", ["pregnant", "possible", "unknown", "declined"])
def test_fluoroscopy_alone_is_blocked_by_a_pregnancy_that_is_not_excluded(status: str) -> None:
    pregnancy = s.Pregnancy(status=status, at=NEEDLE - hours(1))
    found = judged(case(pregnancy=pregnancy, fluoroscopy=True))
    assert one(found, "rule:pregnancy_fluoroscopy").blocks == "fluoroscopy"
    assert f.stops(found) == ()
    assert len(f.stops(found, "fluoroscopy")) == 1
    assert f.highest(judged(case(pregnancy=pregnancy))) is Severity.CAUTION


@pytest.mark.parametrize(
    ("by_test", "age", "good"), [(False, 168, True), (False, 169, False), (True, 24, True), (True, 25, False)]
)
def test_a_pregnancy_status_expires(by_test: bool, age: float, good: bool) -> None:
    pregnancy = s.Pregnancy(status="not_pregnant", at=NEEDLE - hours(age), by_test=by_test)
    found = judged(case(pregnancy=pregnancy, fluoroscopy=True))
    assert (not found) is good


# --- answers


@pytest.mark.parametrize(
    ("kind", "question", "value", "severity"),
    [
        ("low_risk", "clotting_breakdown", "yes", "stop"),
        ("low_risk", "surgical_abdomen", "yes", "stop"),
        ("low_risk", "skin_infection", "yes", "caution"),
        ("low_risk", "bowel_distended", "yes", "caution"),
        ("low_risk", "can_keep_still", "no", "caution"),
        ("neuraxial", "skin_infection", "yes", "stop"),
        ("neuraxial", "epidural_abscess", "yes", "stop"),
        ("neuraxial", "imaging_clear", "not_clear", "stop"),
        ("neuraxial", "imaging_clear", "not_done", "caution"),
        ("neuraxial", "can_keep_still", "no", "caution"),
    ],
)
def test_an_answer_weighs_so_much_and_unknown_as_much(kind: str, question: str, value: str, severity: str) -> None:
    found = judged(case(kind, answers={question: said(value)}))
    assert f.highest(found) == severity
    assert question in {beside for x in found for beside in x.beside}
    unknown = judged(case(kind, answers={question: UNKNOWN}))
    assert max(x.severity.rank for x in unknown) >= Severity(severity).rank
    assert {x.unknown for x in found} == {False} and {x.unknown for x in unknown} == {True}


def test_the_list_of_signs_is_for_suspected_meningitis_alone() -> None:
    signs = {"meningitis_ct_signs": said("yes"), "meningitis_ct": said("not_done")}
    assert keys(case(answers=signs, age=70)) == []
    found = judged(case(answers=signs, age=70, indication_kind="meningitis"))
    assert one(found, "rule:lp_meningitis_ct_first").severity is Severity.STOP
    old = case(age=61, indication_kind="meningitis")
    assert one(judged(old), "rule:lp_meningitis_signs_unsaid").severity is Severity.CAUTION
    assert keys(case(age=60, indication_kind="meningitis")) == []


def test_papilloedema_with_clear_imaging_is_an_indication() -> None:
    discs = {"papilloedema": said("yes")}
    assert [x.severity for x in judged(case(answers=discs))] == [Severity.INFO]
    found = judged(case(answers=discs | {"imaging_clear": said("not_done")}))
    assert one(found, "rule:lp_papilloedema_no_imaging").severity is Severity.STOP


@BOTH
def test_below_the_protocol_s_age_is_a_stop(kind: str) -> None:
    assert one(judged(case(kind, age=17)), "rule:below_min_age").severity is Severity.STOP
    assert one(judged(case(kind, age=None)), "rule:below_min_age").severity is Severity.STOP


@pytest.mark.parametrize(("moment", "severity"), [("pre_visit", Severity.INFO), ("time_out", Severity.STOP)])
@BOTH
def test_an_unopened_checklist_gives_one_grey_finding_not_twenty(kind: str, moment: str, severity: Severity) -> None:
    empty = s.Snapshot(
        procedure=s.ProcedureFacts(bleeding_class=kind),
        questions={q.code: q.stage for q in protocol(PROTOCOLS[kind]).questions},
        opened=False,
        moment=moment,
    )
    assert [(x.code, x.severity) for x in judged(empty)] == [("not_asked_yet", severity)]


def test_what_may_still_be_asked_gives_no_finding_and_on_the_day_it_does() -> None:
    empty = dataclasses.replace(case(), answers={})
    assert judged(dataclasses.replace(empty, moment="pre_visit")) == ()
    on_the_day = {x.key for x in judged(dataclasses.replace(empty, moment="sign_in"))}
    assert {
        "rule:lp_skin_infection",
        "rule:lp_imaging_not_clear",
        "lab_needed:inr",
        "allergy:latex_known",
    } <= on_the_day


def test_an_answer_that_has_expired_is_no_answer() -> None:
    old = s.AnswerFact(state=said("no").state, value="no", valid_until=NEEDLE - MINUTE)
    assert "rule:lp_skin_infection" in keys(case(answers={"skin_infection": old}))


# --- findings as values


def test_findings_survive_json_and_moments_stay_moments() -> None:
    found = judged(case(medicines=[stopped("apixaban", NEEDLE - hours(40), **APIXABAN)], antiseptic="povidone_iodine"))
    for finding in found:
        stored = json.loads(json.dumps(finding.as_data()))
        assert f.Finding.from_data(stored) == finding


def test_a_text_is_rendered_by_the_edge_s_own_words_and_clock() -> None:
    text = f.Text("hold from %(hold_from)s", {"hold_from": NEEDLE})
    assert text.render(lambda words: words.replace("hold from", "pausieren ab"), lambda m: f"{m:%H:%M}") == (
        "pausieren ab 14:30"
    )


def test_a_re_run_shows_what_changed() -> None:
    before = judged(case(medicines=[stopped("apixaban", NEEDLE - hours(80), **APIXABAN)], labs=(lab("platelets", 45),)))
    after = judged(
        case(medicines=[stopped("apixaban", NEEDLE - hours(9), **APIXABAN)], answers={"skin_infection": said("yes")})
    )
    assert [(c.kind, (c.after or c.before).key) for c in f.changes(before, after)] == [  # type: ignore[union-attr]
        ("harder", "medicine:apixaban"),
        ("new", "rule:lp_skin_infection"),
        ("gone", "lab:platelets"),
    ]
    assert f.changes(before, tuple(reversed(before))) == ()


def test_a_signed_rule_shows_who_signed() -> None:
    holds = rules().medicines.holds
    index = next(i for i, rule in enumerate(holds) if rule.ingredients == ("warfarin",))
    signed = changed(["medicines", "holds", index, "source", "approved_by"], "Dr. Example")
    found = safety.evaluate(case(medicines=[taken("warfarin")]), signed, NEEDLE)
    assert one(found, "medicine:warfarin").approved_by == "Dr. Example"
    assert signed.digest != rules().digest
