"""Named calculations: unit aware, and refusing rather than guessing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.domain.calculations import FORMULAS, Calculated, Refusal, calculate, calculate_all
from procedures.domain.lab_content import Calculation
from procedures.domain.measurement import Value, canonical, normal_unit, parse_number
from tests.domain.protocol_files import protocol

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARA, LP = protocol("paracentesis"), protocol("lumbar_puncture")


def value(number: float, unit: str, *, hours: float = 0, preliminary: bool = False, comparator: str = "") -> Value:
    return Value(
        number=number,
        unit=unit,
        comparator=comparator,
        preliminary=preliminary,
        collected_at=NOON + timedelta(hours=hours),
    )


def named(code: str) -> Calculation:
    return next(c for p in (PARA, LP) for c in p.calculations if c.code == code)


def count(cells: Value, share: Value | None = None, red: Value | None = None) -> dict[str, Value]:
    found = {"nucleated_cells": cells, "pmn_percent": share, "red_cells": red}
    return {f"ascites_cell_count.{code}": v for code, v in found.items() if v is not None}


def test_neutrophils_are_cells_times_their_share() -> None:
    found = calculate(PARA, named("ascites_pmn"), count(value(400, "/uL"), value(70, "%")))
    assert (found.value, found.unit, found.refused) == (280, "/uL", None)


@pytest.mark.parametrize("unit", ["10*9/L", "x10^9/L", "×10⁹/L", "10^9/L", "10E9/L", "K/uL", "10*3/uL"])
def test_cells_in_billions_per_litre_are_the_same_cells(unit: str) -> None:
    found = calculate(PARA, named("ascites_pmn"), count(value(0.4, unit), value(70, "%")))
    assert found.value == 280


@pytest.mark.parametrize("unit", ["/uL", "cells/µL", "/mm3", "/mm³", "cells/mm3", "#/uL", "/cumm", "10*6/L"])
def test_the_many_spellings_of_cells_per_microlitre_agree(unit: str) -> None:
    assert calculate(PARA, named("ascites_pmn"), count(value(400, unit), value(70, "%"))).value == 280


def test_the_blood_corrected_count_takes_off_one_in_250_red_cells() -> None:
    values = count(value(400, "/uL"), value(70, "%"), value(10_000, "/uL"))
    assert calculate(PARA, named("ascites_pmn_corrected"), values).value == 240


def test_the_blood_corrected_count_is_never_below_zero() -> None:
    values = count(value(100, "/uL"), value(50, "%"), value(1_000_000, "/uL"))
    assert calculate(PARA, named("ascites_pmn_corrected"), values).value == 0


def test_neutrophils_are_computed_on_preliminary_values_and_say_so() -> None:
    values = count(value(400, "/uL", preliminary=True), value(70, "%"))
    found = calculate(PARA, named("ascites_pmn"), values)
    assert (found.value, found.preliminary) == (280, True)


def albumins(serum: Value | None, fluid: Value | None) -> dict[str, Value]:
    found = {"serum_albumin.albumin": serum, "ascites_albumin.albumin": fluid}
    return {name: v for name, v in found.items() if v is not None}


def test_the_albumin_gradient_is_serum_less_fluid() -> None:
    found = calculate(PARA, named("saag"), albumins(value(3.1, "g/dL"), value(1.2, "g/dL")))
    assert found.value == pytest.approx(1.9)


def test_the_albumin_gradient_understands_grams_per_litre() -> None:
    found = calculate(PARA, named("saag"), albumins(value(31, "g/L"), value(1.2, "g/dL")))
    assert found.value == pytest.approx(1.9)


def refused(found: Calculated) -> tuple[Refusal | None, tuple[str, ...], float | None]:
    return found.refused, found.inputs, found.value


@pytest.mark.parametrize("unit", ["g/dl", "G/DL", "g/dL"])
def test_units_are_understood_in_any_case(unit: str) -> None:
    found = calculate(PARA, named("saag"), albumins(value(3.1, unit), value(1.2, "g/dL")))
    assert found.value == pytest.approx(1.9)


def test_grams_are_no_count_of_cells() -> None:
    assert (
        calculate(PARA, named("ascites_pmn"), count(value(0.4, "G/L"), value(70, "%"))).refused is Refusal.UNIT_UNKNOWN
    )


def test_a_missing_partner_refuses() -> None:
    found = calculate(PARA, named("saag"), albumins(None, value(1.2, "g/dL")))
    assert refused(found) == (Refusal.MISSING, ("serum_albumin.albumin",), None)


def test_an_unknown_unit_refuses() -> None:
    found = calculate(PARA, named("saag"), albumins(value(3.1, "g/dL"), value(1.2, "stones")))
    assert refused(found) == (Refusal.UNIT_UNKNOWN, ("ascites_albumin.albumin",), None)


def test_a_value_without_a_unit_refuses() -> None:
    found = calculate(PARA, named("saag"), albumins(value(3.1, "g/dL"), value(1.2, "")))
    assert found.refused is Refusal.UNIT_UNKNOWN


def test_values_drawn_too_far_apart_refuse() -> None:
    late = albumins(value(3.1, "g/dL", hours=24.1), value(1.2, "g/dL"))
    assert calculate(PARA, named("saag"), late).refused is Refusal.TOO_FAR_APART
    in_time = albumins(value(3.1, "g/dL", hours=-24), value(1.2, "g/dL"))
    assert calculate(PARA, named("saag"), in_time).refused is None


def test_values_without_a_time_refuse_where_time_matters() -> None:
    timeless = albumins(replace(value(3.1, "g/dL"), collected_at=None), value(1.2, "g/dL"))
    assert refused(calculate(PARA, named("saag"), timeless))[:2] == (Refusal.TIME_UNKNOWN, ("serum_albumin.albumin",))


def test_preliminary_values_refuse_where_they_are_not_allowed() -> None:
    found = calculate(PARA, named("saag"), albumins(value(3.1, "g/dL", preliminary=True), value(1.2, "g/dL")))
    assert refused(found)[:2] == (Refusal.PRELIMINARY, ("serum_albumin.albumin",))


def test_a_bound_is_no_exact_value() -> None:
    found = calculate(PARA, named("saag"), albumins(value(3.1, "g/dL"), value(1.0, "g/dL", comparator="<")))
    assert found.refused is Refusal.NOT_EXACT


def test_dividing_by_zero_refuses() -> None:
    values = {"csf_glucose.glucose": value(60, "mg/dL"), "serum_glucose.glucose": value(0, "mg/dL")}
    assert calculate(LP, named("csf_serum_glucose_ratio"), values).refused is Refusal.DIVISION_BY_ZERO


def test_the_glucose_ratio_mixes_units_correctly() -> None:
    values = {"csf_glucose.glucose": value(2.0, "mmol/L"), "serum_glucose.glucose": value(108.1, "mg/dL")}
    assert calculate(LP, named("csf_serum_glucose_ratio"), values).value == pytest.approx(1 / 3, abs=0.001)


def test_the_igg_index_is_the_ratio_of_two_ratios() -> None:
    values = {
        "igg_index.csf_igg": value(5, "mg/dL"),
        "serum_igg.igg": value(10, "g/L"),
        "igg_index.csf_albumin": value(20, "mg/dL"),
        "serum_albumin.albumin": value(4, "g/dL"),
    }
    assert calculate(LP, named("igg_index_computed"), values).value == pytest.approx(1.0)


def test_white_cells_and_protein_are_corrected_for_red_cells() -> None:
    values = {
        "csf_cell_count.white_cells": value(20, "/uL"),
        "csf_cell_count.red_cells": value(5000, "/uL"),
        "csf_protein.protein": value(60, "mg/dL"),
    }
    found = calculate_all(LP, values)
    assert found["csf_white_cells_corrected"].value == 15
    assert found["csf_protein_corrected"].value == 55


def test_every_calculation_of_a_protocol_answers_or_refuses() -> None:
    found = calculate_all(PARA, {})
    assert {c.refused for c in found.values()} == {Refusal.MISSING}
    assert set(found) == {c.code for c in PARA.calculations}


def test_every_formula_of_the_list_says_what_it_does() -> None:
    assert all(formula.meaning and formula.arity for formula in FORMULAS.values())


@given(cells=st.floats(0, 1e6), share=st.floats(0, 100), red=st.floats(0, 1e7))
def test_correcting_for_blood_never_raises_the_count(cells: float, share: float, red: float) -> None:
    values = count(value(cells, "/uL"), value(share, "%"), value(red, "/uL"))
    raw = calculate(PARA, named("ascites_pmn"), values).value
    corrected = calculate(PARA, named("ascites_pmn_corrected"), values).value
    assert raw is not None and corrected is not None
    assert 0 <= corrected <= raw


@pytest.mark.parametrize(
    ("text", "found"),
    [("312", ("", 312.0)), ("<5", ("<", 5.0)), ("≥ 1.5", (">=", 1.5)), ("many", ("", None)), ("", ("", None))],
)
def test_a_laboratory_s_number_is_read_with_its_comparator(text: str, found: tuple[str, float | None]) -> None:
    assert parse_number(text) == found


def test_stored_values_are_read_back() -> None:
    cells = PARA.test("ascites_cell_count").components[0]
    assert canonical(cells, Value.from_stored({"value": 0.25, "unit": "x10^9/L"})) == 250
    assert canonical(cells, Value.from_stored({"value": "312", "unit": "/mm3"})) == 312
    assert Value.from_stored({"value": 5, "unit": "/mm3", "text": "<5"}).comparator == "<"
    assert Value.from_stored({"value": "growth", "text": "Growth"}).text == "growth"
    assert Value.from_stored({"value": "", "unit": ""}).is_blank


def test_an_unknown_unit_keeps_its_spelling() -> None:
    assert normal_unit("furlong") == "furlong"
