"""Units of laboratories: read in any spelling, converted exactly, and never guessed."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.domain import measurement, units
from procedures.domain.lab_content import Component
from procedures.domain.measurement import Value, bounds, canonical, number_text
from tests.domain.protocol_files import protocol

PARA, LP = protocol("paracentesis"), protocol("lumbar_puncture")


def component(name: str) -> Component:
    test, code = name.split(".")
    source = PARA if any(t.code == test for t in PARA.tests) else LP
    return next(c for c in source.test(test).components if c.code == code)


# unit, unit, factor: typed from the definition of the units, not from the module
CONVERSIONS = [
    ("g/L", "g/dL", "1/10"),
    ("mg/dL", "g/dL", "1/1000"),
    ("mg/L", "mg/dL", "1/10"),
    ("g/L", "mg/dL", "100"),
    ("g/dL", "mg/L", "10000"),
    ("ug/mL", "mg/L", "1"),
    ("mcg/dL", "ug/L", "10"),
    ("ng/mL", "ug/L", "1"),
    ("mg/100mL", "mg/dL", "1"),
    ("mmol/L", "umol/L", "1000"),
    ("mol/m3", "mmol/L", "1"),
    ("10*9/L", "/uL", "1000"),
    ("10*6/L", "/uL", "1"),
    ("10*3/uL", "/uL", "1000"),
    ("10*6/uL", "/uL", "1000000"),
    ("10*12/L", "10*9/L", "1000"),
    ("/mL", "/uL", "1/1000"),
    ("ukat/L", "U/L", "60"),
    ("nkat/L", "U/L", "3/50"),
    ("U/mL", "U/L", "1000"),
]


@pytest.mark.parametrize(("unit", "wanted", "factor"), CONVERSIONS)
def test_units_of_one_measure_are_converted_exactly_both_ways(unit: str, wanted: str, factor: str) -> None:
    assert units.ratio(unit, wanted) == Fraction(factor)
    assert units.ratio(wanted, unit) == 1 / Fraction(factor)


@pytest.mark.parametrize(
    "spelling",
    ["10*9/L", "10^9/L", "10E9/L", "x10^9/L", "X 10*9/L", "×10⁹/L", "K/uL", "k/mcL", "10*3/uL", "x10E3/uL", "Thou/uL",
     "10^3/mm3", "10*3.{cells}/uL", "10*9{WBC}/L", "GPT/L", "10**3/µL", "10^9 cells/L"],
)  # fmt: skip
def test_thousands_of_cells_per_microlitre_are_known_in_every_spelling(spelling: str) -> None:
    assert canonical(component("ascites_cell_count.nucleated_cells"), Value(number=0.25, unit=spelling)) == 250


@pytest.mark.parametrize("spelling", ["/uL", "{cells}/uL", "cells/mm3", "/cu.mm", "/mm^3", "WBC/mcL", "#/cumm", "M/L."])
def test_cells_per_microlitre_are_known_in_every_spelling_and_an_ambiguous_letter_is_not(spelling: str) -> None:
    found = canonical(component("ascites_cell_count.nucleated_cells"), Value(number=312, unit=spelling))
    assert found == (None if spelling == "M/L." else 312)


@pytest.mark.parametrize("unit", ["", "mg", "furlong", "g/", "/", "/fortnight", "mg/dL/h", "%", "10*x/L", "IU"])
def test_what_is_no_concentration_is_not_understood(unit: str) -> None:
    assert units.parse(unit) is None


@pytest.mark.parametrize(("unit", "wanted"), [("g/L", "/uL"), ("mmol/L", "mg/dL"), ("U/L", "g/L"), ("/uL", "mmol/L")])
def test_different_measures_are_never_converted(unit: str, wanted: str) -> None:
    assert units.ratio(unit, wanted) is None


def test_moles_of_glucose_need_the_protocols_own_factor() -> None:
    assert canonical(component("csf_glucose.glucose"), Value(number=2.5, unit="mmol/L")) == Fraction("45.04")


def test_29_grams_per_litre_are_exactly_2_9_grams_per_decilitre() -> None:
    albumin = component("serum_albumin.albumin")
    found = canonical(albumin, Value(number=29, unit="g/L"))
    known = bounds(albumin, Value(number=29, unit="g/L"))
    assert found == Fraction(29, 10)
    assert known is not None
    assert (known.low, known.high) == (2.9, 2.9)


@given(st.decimals(min_value=0, max_value=500, places=3), st.sampled_from(["g/L", "mg/dL", "mg/L", "G/L"]))
def test_every_decimal_is_converted_without_an_error_of_the_machine(number: Decimal, unit: str) -> None:
    by_hand = {"g/L": 10, "G/L": 10, "mg/dL": 1000, "mg/L": 10000}[unit]
    found = canonical(component("ascites_protein.protein"), Value(number=float(number), unit=unit))
    assert found == Fraction(number) / by_hand


@given(st.integers(min_value=0, max_value=10**7))
def test_a_count_means_the_same_in_thousands_and_in_ones(cells: int) -> None:
    counted = component("csf_cell_count.white_cells")
    thousands = Value(number=float(Decimal(cells) / 1000), unit="10*9/L")
    assert canonical(counted, thousands) == canonical(counted, Value(number=cells, unit="/uL")) == cells


def test_every_unit_that_a_protocol_lists_agrees_with_what_the_unit_means() -> None:
    wrong = []
    for source in (PARA, LP):
        for test in source.tests:
            for one in test.components:
                for unit, factor in zip(one.units, one.factors, strict=True):
                    meant = units.ratio(unit, one.units[0])
                    if meant is not None and meant != measurement.exact(factor):
                        wrong.append((test.code, one.code, unit, factor))
    assert wrong == []


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.9, "1.9"), (280.0, "280"), (1 / 3, "0.333333"), (1234567.0, "1234567"), (0.0, "0"), (0.39996, "0.39996"),
     (1e-9, "1e-09")],
)  # fmt: skip
def test_a_computed_number_is_written_as_people_write_it(number: float, text: str) -> None:
    assert number_text(number) == text
