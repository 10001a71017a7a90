"""Finding a medicine, reading its dose, telling its tier, and refusing what cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from procedures.domain import doses, plausibility
from procedures.domain import snapshot as s
from procedures.domain.allergy_findings import recognise
from procedures.domain.medicine_search import exactly, search
from tests.domain.safety_cases import NEEDLE, rules, taken

NOW = NEEDLE


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("eliq", "apixaban"), ("APIX", "apixaban"), ("xarelto", "rivaroxaban"), ("asa", "aspirin"),
        ("acetylsal", "aspirin"), ("excedrin", "excedrin"), ("alka seltzer", "alka_seltzer"),
        ("pepto-bismol", "bismuth_subsalicylate"), ("ginkgo", "ginkgo"), ("plavix", "clopidogrel"),
        ("Lovénox", "enoxaparin"), ("aggren", "aggrenox"), ("coumadin", "warfarin"), ("omega 3", "fish_oil"),
    ],
)  # fmt: skip
def test_generic_brand_and_product_names_are_found_by_their_beginning(typed: str, first: str) -> None:
    assert search(rules(), typed)[0].code == first


def test_a_search_guesses_nothing_and_shows_no_more_than_asked_for() -> None:
    assert search(rules(), "e") == ()
    assert search(rules(), "liquis") == ()
    assert search(rules(), "xyzzy") == ()
    assert len(search(rules(), "a", limit=3)) == 0
    assert len(search(rules(), "di", limit=3)) == 3
    assert "aspirin" in {match.code for match in search(rules(), "asp")}
    assert {"excedrin", "aspirin"} <= {match.code for match in search(rules(), "aspirin")}


def test_only_an_exact_name_is_recognised_without_a_choice() -> None:
    assert exactly(rules(), "Eliquis") == "apixaban"
    assert exactly(rules(), "  ELIQUIS ") == "apixaban"
    assert exactly(rules(), "Eliqui") == ""
    assert exactly(rules(), "heart pills") == ""


def test_no_name_stands_for_two_things() -> None:
    every = [
        name
        for ingredient in rules().medicines.ingredients
        for name in (ingredient.label, *ingredient.brands, *ingredient.names)
    ]
    every += [name for product in rules().medicines.products for name in product.names]
    assert [name for name in every if not exactly(rules(), name)] == []


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("5 mg twice daily", (5, "mg", 2)), ("2.5mg bid", (2.5, "mg", 2)), ("20 mg once a day", (20, "mg", 1)),
        ("81 mg daily", (81, "mg", 1)), ("5,000 units tid", (5000, "units", 3)),
        ("4000 IU every 24 h", (4000, "units", 1)),
        ("0.5 g three times a day", (500, "mg", 3)), ("10 mg weekly", (10, "mg", 1 / 7)),
        ("2,5 mg bid", (2.5, "mg", 2)),
        ("5 mg", (5, "mg", None)), ("40 mg every 12 hours", (40, "mg", 2)),
    ],
)  # fmt: skip
def test_a_dose_as_people_write_it_is_read(typed: str, wanted: tuple[float, str, float | None]) -> None:
    found = doses.read(typed)
    assert found is not None
    assert (found.amount, found.unit, found.times_per_day) == wanted


@pytest.mark.parametrize("typed", ["", "two tablets", "5 twice daily", "5 mg in the morning, 10 mg at night"])
def test_what_is_no_single_dose_is_not_guessed(typed: str) -> None:
    assert doses.read(typed) is None


ADULT = s.PatientFacts(age=70, weight_kg=80, creatinine_mg_dl=1.0)


@pytest.mark.parametrize(
    ("code", "dose", "unit", "times", "tier"),
    [
        ("apixaban", 5, "mg", 2, "high"), ("apixaban", 10, "mg", 2, "high"), ("apixaban", 2.5, "mg", 2, "low"),
        ("apixaban", 5, "mg", None, ""), ("rivaroxaban", 20, "mg", 1, "high"), ("rivaroxaban", 15, "mg", 1, "high"),
        ("rivaroxaban", 10, "mg", 1, "low"), ("rivaroxaban", 2.5, "mg", 2, "low"), ("edoxaban", 60, "mg", 1, "high"),
        ("dabigatran", 150, "mg", 2, "high"), ("dabigatran", 110, "mg", 2, "high"), ("dabigatran", 220, "mg", 1, "low"),
        ("enoxaparin", 40, "mg", 1, "low"), ("enoxaparin", 30, "mg", 2, "high"), ("enoxaparin", 80, "mg", 2, "high"),
        ("enoxaparin", 4000, "units", 1, ""), ("dalteparin", 5000, "IU", 1, "low"),
        ("dalteparin", 7500, "U", 2, "high"),
        ("tinzaparin", 4500, "units", 1, "low"), ("tinzaparin", 10000, "units", 1, "high"),
        ("nadroparin", 2850, "units", 1, "low"), ("nadroparin", 5700, "units", 1, "high"),
        ("fondaparinux", 2.5, "mg", 1, "low"), ("fondaparinux", 7.5, "mg", 1, "high"), ("warfarin", 5, "mg", 1, ""),
    ],
)  # fmt: skip
def test_the_dose_tells_the_tier_or_leaves_it_open(
    code: str, dose: float, unit: str, times: float | None, tier: str
) -> None:
    medicine = taken(code, dose=dose, unit=unit, times_per_day=times)
    assert doses.tier_of(rules().ingredients[code], medicine, ADULT, crcl=90) == tier


@pytest.mark.parametrize(
    ("route", "dose", "times", "tier"),
    [("iv", 1000, None, "iv"), ("sc", 5000, 3, "sc_low"), ("sc", 7500, 2, "sc_mid"), ("sc", 12500, 2, "sc_high"),
     ("dialysis", None, None, "dialysis"), ("", 5000, 2, "")],
)  # fmt: skip
def test_heparin_is_told_by_route_and_daily_dose(
    route: str, dose: float | None, times: float | None, tier: str
) -> None:
    medicine = taken("heparin", dose=dose, unit="units", times_per_day=times, route=route)
    assert doses.tier_of(rules().ingredients["heparin"], medicine, ADULT) == tier


@pytest.mark.parametrize(
    ("patient", "tier"),
    [
        (s.PatientFacts(age=80, weight_kg=60, creatinine_mg_dl=1.0), "high"),
        (s.PatientFacts(age=80, weight_kg=61, creatinine_mg_dl=1.0), "low"),
        (s.PatientFacts(age=79, weight_kg=60, creatinine_mg_dl=1.5), "high"),
        (s.PatientFacts(age=79, weight_kg=80, creatinine_mg_dl=None), "low"),
        (s.PatientFacts(age=85, weight_kg=80, creatinine_mg_dl=None), ""),
    ],
)
def test_apixaban_2_5_mg_is_a_full_dose_for_whom_the_dose_was_reduced(patient: s.PatientFacts, tier: str) -> None:
    medicine = taken("apixaban", dose=2.5, unit="mg", times_per_day=2)
    assert doses.tier_of(rules().ingredients["apixaban"], medicine, patient) == tier


def test_edoxaban_30_mg_is_a_full_dose_with_little_weight_or_weak_kidneys() -> None:
    medicine = taken("edoxaban", dose=30, unit="mg", times_per_day=1)
    found = {crcl: doses.tier_of(rules().ingredients["edoxaban"], medicine, ADULT, crcl) for crcl in (50.0, 51.0, None)}
    assert found == {50.0: "high", 51.0: "low", None: ""}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Lidocaine", ("amide",)), ("latex gloves", ("latex",)), ("ChloraPrep", ("chlorhexidine",)),
        ("shellfish", ("shellfish",)), ("Betadine", ("povidone_iodine",)), ("peanuts", ()), ("HIT", ("heparin_hit",)),
    ],
)  # fmt: skip
def test_an_allergy_as_people_write_it_is_recognised_or_left_open(text: str, codes: tuple[str, ...]) -> None:
    assert recognise(rules(), text) == codes


# --- what cannot be


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"last_dose_at": NOW + timedelta(minutes=1)}, "last_dose_at"),
        ({"last_dose_at": NOW - timedelta(days=365 * 40)}, "last_dose_at"),
        ({"status": s.MedicineStatus.STOPPED, "last_dose_at": None}, "last_dose_at"),
        ({"dose": 500.0}, "dose"), ({"dose": 0.0}, "dose"), ({"unit": "tablets"}, "unit"),
        ({"times_per_day": -1.0}, "times_per_day"), ({"text": " "}, "text"), ({"text": "x" * 121}, "text"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_is_refused_at_its_field(change: dict[str, object], field: str) -> None:
    good = taken("apixaban", dose=5, unit="mg", times_per_day=2, last_dose_at=NOW - timedelta(hours=2))
    assert plausibility.medicine(rules(), good, NOW) == ()
    found = plausibility.medicine(rules(), replace(good, **change), NOW)  # type: ignore[arg-type]
    assert [problem.field for problem in found] == [field]


def test_200_medicines_are_refused_with_words() -> None:
    assert plausibility.medicine_count(100) == ()
    assert "100" in plausibility.medicine_count(200)[0].text.render()


@pytest.mark.parametrize(
    ("code", "value", "unit", "good"),
    [
        ("inr", 250, "", False), ("inr", 2.6, "", True), ("platelets", 1.1, "10*9/L", False),
        ("platelets", 45, "", True),
        ("platelets", 250000, "/uL", True), ("platelets", 250000, "10*9/L", False), ("platelets", 45, "spoons", False),
        ("weight", 800, "kg", False), ("age", -1, "years", False), ("creatinine", 90, "umol/L", True),
        ("creatinine", 90, "mg/dL", False), ("crcl", 0, "mL/min", False),
    ],
)  # fmt: skip
def test_values_outside_what_can_be_are_refused(code: str, value: float, unit: str, good: bool) -> None:
    assert (not plausibility.value(rules(), code, value, unit=unit, now=NOW)) is good


def test_swapped_values_are_named() -> None:
    found = plausibility.value(rules(), "inr", 250, now=NOW)[0]
    assert (found.field, found.text.render()) == (
        "inr", "250 cannot be: INR is between 0.5 and 20. Is it the other value, Platelet count?"
    )  # fmt: skip
    future = plausibility.value(rules(), "inr", 1.1, at=NOW + timedelta(days=1), now=NOW)
    assert [problem.field for problem in future] == ["inr_at"]
