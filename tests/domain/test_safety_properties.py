"""Two things that must hold for every case: a risk more never lowers the severity, and neither does knowing less."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from procedures.domain import safety
from procedures.domain import snapshot as s
from procedures.domain.findings import highest
from tests.domain.protocol_files import protocol
from tests.domain.safety_cases import GOOD, NEEDLE, PROTOCOLS, UNKNOWN, case, rules, said

CODES = tuple(rules().ingredients) + tuple(rules().products) + ("",)
REACTIONS = tuple(rules().thresholds.reactions)
ALLERGENS = tuple(a.code for a in rules().thresholds.allergens)
STATUSES = ("pregnant", "possible", "not_pregnant", "planning", "postpartum", "unknown", "declined", "not_applicable")
#: A known level of risk in an answer: what is asked, and the answer that is a risk.
RISKY = {
    "latex": "yes", "anaesthetic_allergy": "yes", "antiseptic_allergy": "both", "adhesive_allergy": "yes",
    "bleeding_history": "yes", "liver_disease": "yes", "blood_disorder": "yes", "bleeding_trigger": "yes",
    "heparin_over_4_days": "yes", "stent_or_clot": "valve", "skin_infection": "yes", "epidural_abscess": "yes",
    "spine_surgery": "yes", "breathing_lying": "yes", "can_keep_still": "no", "imaging_clear": "not_clear",
    "nsaid": "yes", "albumin_reaction": "reaction", "clotting_breakdown": "yes", "surgical_abdomen": "yes",
    "bowel_distended": "yes", "bladder_empty": "no", "fluid_seen": "no", "large_volume_expected": "yes",
}  # fmt: skip
#: Knowing less, for one line of the medicine list.
LESS_ABOUT_A_MEDICINE: tuple[dict[str, Any], ...] = (
    {"dose": None}, {"unit": ""}, {"times_per_day": None}, {"route": ""}, {"tier": ""}, {"last_dose_at": None},
    {"status": s.MedicineStatus.UNKNOWN}, {"confirmed_by": ""}, {"confirmed_at": None}, {"confirmed_stage": ""},
    {"planned_stop_at": None}, {"thins_blood": None},
)  # fmt: skip
LESS_ABOUT_A_PATIENT = ("age", "weight_kg", "creatinine_mg_dl", "crcl", "crcl_at")
LESS_ABOUT_A_PROCEDURE: tuple[dict[str, Any], ...] = (
    {"fluoroscopy": None}, {"antiseptic": ""}, {"anaesthetic": ""}, {"indication_kind": ""}, {"location": ""},
    {"expected_volume_ml": None}, {"latex_free": None}, {"first_of_day": None},
)  # fmt: skip

hours_ago = st.integers(0, 400).map(lambda h: NEEDLE - timedelta(hours=h))
medicines = st.builds(
    s.Medicine,
    text=st.just("typed"),
    code=st.sampled_from(CODES),
    dose=st.sampled_from([None, 1, 2.5, 5, 10, 20, 30, 40, 60, 150, 2850, 5000, 9000, 12500]),
    unit=st.sampled_from(["", "mg", "units", "IU"]),
    times_per_day=st.sampled_from([None, 1, 2, 3]),
    route=st.sampled_from(["", "iv", "sc", "oral", "dialysis"]),
    status=st.sampled_from(list(s.MedicineStatus)),
    last_dose_at=st.none() | hours_ago,
    confirmed_by=st.sampled_from(["", "Nurse Example"]),
    confirmed_at=st.none() | st.just(NEEDLE - timedelta(minutes=30)),
    confirmed_stage=st.sampled_from(["", "pre_visit", "sign_in"]),
    thins_blood=st.sampled_from([None, True, False]),
)
allergy_lines = st.builds(
    s.Allergy,
    text=st.just("typed"),
    category=st.sampled_from((*ALLERGENS, "")),
    severity=st.sampled_from(REACTIONS),
)
values = {
    "platelets": st.sampled_from([10, 39, 40, 45, 50, 99, 200]),
    "inr": st.sampled_from([0.9, 1.4, 1.5, 2.6, 3.5]),
    "anti_xa": st.sampled_from([0.05, 0.3]),
    "doac_level": st.sampled_from([10, 60]),
    "aptt_ratio": st.sampled_from([1, 2]),
    "fibrinogen": st.sampled_from([100, 300]),
}
labs = st.one_of([
    st.builds(s.LabValue, code=st.just(code), value=st.none() | value, at=hours_ago) for code, value in values.items()
])  # fmt: skip


@st.composite
def snapshots(draw: st.DrawFn) -> s.Snapshot:
    kind = draw(st.sampled_from(sorted(GOOD)))
    questions = {q.code: q for q in protocol(PROTOCOLS[kind]).questions}
    answers = {}
    for code in draw(st.lists(st.sampled_from(sorted(GOOD[kind])), max_size=4, unique=True)):
        choices = [choice.code for choice in questions[code].choices] or ["yes", "no"]
        answers[code] = draw(st.sampled_from([*map(said, choices), UNKNOWN]))
    return case(
        kind,
        medicines=draw(st.lists(medicines, max_size=3)),
        allergies=draw(st.lists(allergy_lines, max_size=2)),
        labs=tuple(draw(st.lists(labs, max_size=4))),
        answers=answers,
        pregnancy=s.Pregnancy(
            status=draw(st.sampled_from(STATUSES)), at=draw(hours_ago), by_test=draw(st.booleans())
        ),
        age=draw(st.sampled_from([17, 50, 61, 85])),
        weight_kg=draw(st.sampled_from([None, 55, 80])),
        creatinine_mg_dl=draw(st.sampled_from([None, 0.9, 1.6])),
        crcl=draw(st.sampled_from([None, 20, 40, 60, 90])),
        fluoroscopy=draw(st.sampled_from([None, True, False])),
        antiseptic=draw(st.sampled_from(["", "alcohol", "povidone_iodine", "chlorhexidine_alcohol"])),
        anaesthetic=draw(st.sampled_from(["", "none", "lidocaine", "chloroprocaine"])),
        indication_kind=draw(st.sampled_from(["", "elective", "meningitis"])),
        expected_volume_ml=draw(st.sampled_from([None, 1000, 6000, 9000])),
        latex_free=draw(st.sampled_from([None, True, False])),
        first_of_day=draw(st.sampled_from([None, True, False])),
    )  # fmt: skip


def rank(snapshot: s.Snapshot) -> int:
    found = highest(safety.evaluate(snapshot, rules(), NEEDLE))
    return -1 if found is None else found.rank


def with_answer(snapshot: s.Snapshot, code: str, answer: s.AnswerFact) -> s.Snapshot:
    return dataclasses.replace(snapshot, answers={**snapshot.answers, code: answer})


def with_procedure(snapshot: s.Snapshot, **changes: Any) -> s.Snapshot:
    return dataclasses.replace(snapshot, procedure=dataclasses.replace(snapshot.procedure, **changes))


def riskier(snapshot: s.Snapshot, medicine: s.Medicine) -> dict[str, s.Snapshot]:
    """The case with one risk more, in every way there is. Cirrhosis is left out: it explains a raised INR."""
    kind, found = snapshot.procedure.bleeding_class, {}
    if snapshot.medicines.asked is not s.Asked.UNKNOWN:
        listed = s.MedicineList(asked=s.Asked.LISTED, entries=(*snapshot.medicines.entries, medicine))
        found["a medicine"] = dataclasses.replace(snapshot, medicines=listed)
    for allergen in ALLERGENS:
        entry = s.Allergy(text="new", category=allergen, severity="anaphylaxis")
        allergies = s.AllergyList(asked=s.Asked.LISTED, entries=(*snapshot.allergies.entries, entry))
        found[f"an allergy: {allergen}"] = dataclasses.replace(snapshot, allergies=allergies)
    for code, bad in RISKY.items():
        if code in GOOD[kind] and snapshot.answers[code] == said(GOOD[kind][code]):
            found[code] = with_answer(snapshot, code, said(bad))
    found["no latex-free kit"] = with_procedure(snapshot, latex_free=False, first_of_day=False)
    if snapshot.procedure.fluoroscopy is False:
        found["fluoroscopy"] = with_procedure(snapshot, fluoroscopy=True)
    volume = snapshot.procedure.expected_volume_ml
    if volume is not None:
        found["a larger volume"] = with_procedure(snapshot, expected_volume_ml=volume + 5000)
    if snapshot.pregnancy is not None and snapshot.pregnancy.status == "not_pregnant":
        pregnant = dataclasses.replace(snapshot.pregnancy, status="pregnant")
        found["pregnant"] = dataclasses.replace(snapshot, pregnancy=pregnant)
    worse = {"platelets": lambda v: v / 2, "inr": lambda v: v + 1}
    for index, lab in enumerate(snapshot.labs):
        if lab.code in worse and lab.value is not None:
            changed = [*snapshot.labs]
            changed[index] = dataclasses.replace(lab, value=worse[lab.code](lab.value))
            found[f"{lab.code} worse"] = dataclasses.replace(snapshot, labs=tuple(changed))
    return found


def knowing_less(snapshot: s.Snapshot) -> dict[str, s.Snapshot]:
    """The case with one thing less known, in every way there is."""
    found = {
        "medicines": dataclasses.replace(snapshot, medicines=s.MedicineList(asked=s.Asked.UNKNOWN)),
        "allergies": dataclasses.replace(snapshot, allergies=s.AllergyList(asked=s.Asked.UNKNOWN)),
        "pregnancy": dataclasses.replace(snapshot, pregnancy=s.Pregnancy(status="unknown", at=NEEDLE)),
        "pregnancy, not asked": dataclasses.replace(snapshot, pregnancy=None),
    }
    for code in snapshot.answers:
        found[f"{code} unknown"] = with_answer(snapshot, code, UNKNOWN)
        rest = {key: answer for key, answer in snapshot.answers.items() if key != code}
        found[f"{code} missing on the day"] = dataclasses.replace(snapshot, answers=rest)
    for field in LESS_ABOUT_A_PATIENT:
        patient = dataclasses.replace(snapshot.patient, **{field: None})  # type: ignore[arg-type]
        found[field] = dataclasses.replace(snapshot, patient=patient)
    for change in LESS_ABOUT_A_PROCEDURE:
        found[str(change)] = with_procedure(snapshot, **change)
    for index, lab in enumerate(snapshot.labs):
        for change in ({"value": None}, {"at": None}, {"unit": "spoons"}):
            changed = [*snapshot.labs]
            changed[index] = dataclasses.replace(lab, **change)  # type: ignore[arg-type]
            found[f"{lab.code} {change}"] = dataclasses.replace(snapshot, labs=tuple(changed))
    for index, medicine in enumerate(snapshot.medicines.entries):
        for change in LESS_ABOUT_A_MEDICINE:
            lines = [*snapshot.medicines.entries]
            lines[index] = dataclasses.replace(medicine, **change)
            listed = dataclasses.replace(snapshot.medicines, entries=tuple(lines))
            found[f"{medicine.code} {change}"] = dataclasses.replace(snapshot, medicines=listed)
    for index, allergy in enumerate(snapshot.allergies.entries):
        known = [*snapshot.allergies.entries]
        known[index] = dataclasses.replace(allergy, severity="unknown")
        allergies = dataclasses.replace(snapshot.allergies, entries=tuple(known))
        found[f"{allergy.category} reaction"] = dataclasses.replace(snapshot, allergies=allergies)
    return found


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots(), medicine=medicines)
def test_a_risk_more_never_lowers_the_highest_severity(snapshot: s.Snapshot, medicine: s.Medicine) -> None:
    before = rank(snapshot)
    for name, changed in riskier(snapshot, medicine).items():
        assert rank(changed) >= before, name


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots())
def test_knowing_less_never_lowers_the_highest_severity(snapshot: s.Snapshot) -> None:
    before = rank(snapshot)
    for name, changed in knowing_less(snapshot).items():
        assert rank(changed) >= before, name


#: What is a risk only together with something else.
ONLY_TOGETHER = {
    "neuraxial": {"a larger volume", "no latex-free kit", "fluoroscopy", "stent_or_clot", "an allergy: albumin"},
    "low_risk": {
        "a larger volume", "no latex-free kit", "fluoroscopy", "bleeding_history", "liver_disease", "blood_disorder",
        "bleeding_trigger", "large_volume_expected", "nsaid", "albumin_reaction",
    },
}  # fmt: skip


def test_each_risk_alone_is_a_finding_so_the_two_properties_are_not_empty() -> None:
    for kind, together in ONLY_TOGETHER.items():
        changed = riskier(case(kind), s.Medicine(text="typed", code="abciximab"))
        assert {name for name, snapshot in changed.items() if rank(snapshot) < 0} == together
