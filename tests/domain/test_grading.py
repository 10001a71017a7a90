"""Results are graded by the protocol's rules, and nothing is normal by default."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.domain.calculations import calculate_all
from procedures.domain.grading import grade, grade_in_full
from procedures.domain.measurement import Value
from procedures.domain.protocol import Protocol
from procedures.domain.states import Level
from tests.domain.protocol_files import protocol

PARA, LP = protocol("paracentesis"), protocol("lumbar_puncture")
WHEN = datetime(2026, 3, 2, tzinfo=UTC)
Given = Value | float | str


def as_value(code: str, given_value: Given, unit: str) -> Value:
    if isinstance(given_value, Value):
        return given_value
    if isinstance(given_value, str):
        return Value(text=given_value)
    return Value(number=given_value, unit="%" if code.endswith("percent") else unit)


def graded(source: Protocol, test_code: str, *, unit: str = "/uL", **values: Given) -> tuple[str, set[str]]:
    """Level and matched rules of one test, with the protocol's calculations over its own values."""
    found = {code: as_value(code, v, unit) for code, v in values.items()}
    calculated = calculate_all(source, {f"{test_code}.{code}": v for code, v in found.items()})
    level, rules = grade(source.test(test_code), found, calculated)
    return str(level), {rule.code for rule in rules}


def ascites(**values: Given) -> tuple[str, set[str]]:
    return graded(PARA, "ascites_cell_count", **values)


def csf(**values: Given) -> tuple[str, set[str]]:
    return graded(LP, "csf_cell_count", **values)


def test_250_neutrophils_in_ascites_are_critical() -> None:
    assert ascites(nucleated_cells=500.0, pmn_percent=50.0) == ("critical", {"pmn_250"})


def test_249_neutrophils_in_ascites_are_not() -> None:
    assert ascites(nucleated_cells=498.0, pmn_percent=50.0) == ("normal", set())


def test_the_alarm_looks_at_the_raw_count_although_blood_explains_it() -> None:
    assert ascites(nucleated_cells=500.0, pmn_percent=60.0, red_cells=1_000_000.0)[0] == "critical"


def test_the_alarm_rings_on_preliminary_values() -> None:
    values = {
        "nucleated_cells": Value(number=500, unit="/uL", preliminary=True),
        "pmn_percent": Value(number=60, unit="%", preliminary=True),
    }
    assert ascites(**values)[0] == "critical"


def test_a_count_in_billions_per_litre_rings_too() -> None:
    cells = Value(number=0.5, unit="x10^9/L")
    assert ascites(nucleated_cells=cells, pmn_percent=50.0)[0] == "critical"
    assert ascites(nucleated_cells=10.0, pmn_reported=Value(number=0.25, unit="10*9/L"))[0] == "critical"


def test_an_absolute_count_of_the_laboratory_counts_without_a_share() -> None:
    assert ascites(nucleated_cells=900.0, pmn_reported=100.0) == ("normal", set())
    assert ascites(nucleated_cells=900.0, pmn_reported=250.0) == ("critical", {"pmn_250_reported"})


def test_many_cells_without_a_differential_ask_for_it_now() -> None:
    level, rules = ascites(nucleated_cells=400.0)
    assert (level, rules) == ("critical", {"differential_missing"})
    message = next(r for r in PARA.test("ascites_cell_count").critical if r.code == "differential_missing").message
    assert "get the differential now" in message


def test_few_cells_need_no_differential() -> None:
    assert ascites(nucleated_cells=100.0) == ("normal", set())


def test_a_missing_required_value_is_unknown_never_normal() -> None:
    assert ascites(pmn_percent=10.0)[0] == "unknown"
    assert ascites()[0] == "unknown"


def test_an_unknown_unit_is_unknown_never_normal() -> None:
    assert ascites(nucleated_cells=Value(number=1, unit="bushels"), pmn_percent=1.0)[0] == "unknown"
    assert ascites(nucleated_cells=Value(number=1), pmn_percent=1.0)[0] == "unknown"


def test_a_value_that_is_no_number_is_unknown() -> None:
    assert ascites(nucleated_cells=Value(text="see report", unit="/uL"))[0] == "unknown"


def test_a_bound_decides_only_what_it_can() -> None:
    assert ascites(nucleated_cells=Value(number=100, unit="/uL", comparator="<"))[0] == "normal"
    assert csf(white_cells=Value(number=5, unit="/uL", comparator="<="))[0] == "normal"
    assert csf(white_cells=Value(number=200, unit="/uL", comparator="<"), pmn_percent=10.0)[0] == "unknown"
    assert csf(white_cells=Value(number=100, unit="/uL", comparator=">"), pmn_percent=10.0)[0] == "critical"


def test_what_is_unreadable_is_named() -> None:
    found = grade_in_full(PARA.test("ascites_cell_count"), {}, {})
    assert found.unreadable == ("nucleated_cells",)
    assert {rule.code for rule in found.undecided} >= {"pmn_250"}


@pytest.mark.parametrize(
    ("cells", "share", "level"),
    [(5, 80, "normal"), (6, 80, "critical"), (99, 50, "abnormal"), (99, 51, "critical"), (100, 10, "critical")],
)
def test_white_cells_in_csf(cells: float, share: float, level: str) -> None:
    assert csf(white_cells=float(cells), pmn_percent=float(share))[0] == level


def test_raised_white_cells_in_csf_without_a_differential_stay_unknown_and_ask_for_it() -> None:
    level, rules = csf(white_cells=40.0)
    assert level == "unknown"
    assert rules == {"differential_missing", "white_cells_raised"}


def glucose(fluid: float | None, serum: float | None) -> str:
    values = {"csf_glucose.glucose": fluid, "serum_glucose.glucose": serum}
    from_lab = {
        name: Value(number=number, unit="mg/dL", collected_at=WHEN)
        for name, number in values.items()
        if number is not None
    }
    own = {"glucose": from_lab["csf_glucose.glucose"]} if fluid is not None else {}
    return str(grade(LP.test("csf_glucose"), own, calculate_all(LP, from_lab))[0])


@pytest.mark.parametrize(
    ("fluid", "serum", "level"),
    [
        (60, 100, "normal"),
        (39, 90, "abnormal"),
        (39, 100, "critical"),
        (60, 200, "critical"),
        (60, None, "unknown"),
        (30, None, "critical"),
        (None, 100, "unknown"),
    ],
)
def test_glucose_in_csf(fluid: float | None, serum: float | None, level: str) -> None:
    assert glucose(fluid, serum) == level


CRITICAL_WORDS = (
    (LP, "csf_gram", {"result": "organisms_seen"}),
    (LP, "csf_culture", {"growth": "growth"}),
    (LP, "csf_hsv_pcr", {"result": "detected"}),
    (LP, "csf_cryptococcal_antigen", {"result": "detected"}),
    (LP, "csf_xanthochromia", {"result": "present"}),
    (LP, "csf_tb_naat", {"result": "detected"}),
    (LP, "csf_afb", {"culture": "positive"}),
    (LP, "csf_afb", {"culture": "negative_so_far", "smear": "positive"}),
    (LP, "csf_fungal_culture", {"growth": "growth"}),
    (PARA, "ascites_gram", {"result": "organisms_seen"}),
    (PARA, "ascites_culture", {"growth": "growth"}),
    (PARA, "ascites_culture_anaerobic", {"growth": "growth"}),
    (PARA, "ascites_afb", {"culture": "positive"}),
)


@pytest.mark.parametrize(("source", "test_code", "values"), CRITICAL_WORDS)
def test_organisms_and_their_relatives_are_critical(source: Protocol, test_code: str, values: dict[str, str]) -> None:
    assert graded(source, test_code, **values)[0] == "critical"


NORMAL_WORDS = (
    (LP, "csf_gram", {"result": "none_seen"}),
    (LP, "csf_culture", {"growth": "no_growth"}),
    (LP, "csf_hsv_pcr", {"result": "not_detected"}),
    (LP, "csf_afb", {"culture": "negative"}),
    (PARA, "ascites_cytology", {"result": "negative"}),
)


@pytest.mark.parametrize(("source", "test_code", "values"), NORMAL_WORDS)
def test_negative_words_are_normal(source: Protocol, test_code: str, values: dict[str, str]) -> None:
    assert graded(source, test_code, **values)[0] == "normal"


def test_a_word_that_the_test_does_not_have_is_unknown() -> None:
    assert graded(LP, "csf_culture", growth="perhaps")[0] == "unknown"


def test_indeterminate_is_abnormal_and_not_normal() -> None:
    assert graded(LP, "csf_hsv_pcr", result="indeterminate")[0] == "abnormal"


def test_malignant_cells_and_oligoclonal_bands_are_abnormal_not_critical() -> None:
    assert graded(PARA, "ascites_cytology", result="malignant")[0] == "abnormal"
    assert graded(LP, "oligoclonal_bands", csf_only_bands=2.0, unit="")[0] == "abnormal"
    assert graded(LP, "oligoclonal_bands", csf_only_bands=1.0, unit="")[0] == "normal"


def test_what_the_laboratory_phones_is_critical() -> None:
    level, rules = grade(LP.test("csf_culture"), {"growth": Value(text="no_growth")}, {}, phoned=True)
    assert level is Level.CRITICAL
    assert [rule.code for rule in rules] == ["phoned"]


def test_a_blank_optional_value_is_no_value() -> None:
    assert graded(LP, "csf_culture", growth="no_growth", organism="  ")[0] == "normal"


@given(cells=st.floats(0, 1e5), share=st.floats(0, 100))
def test_no_count_at_or_above_the_limit_is_ever_graded_normal(cells: float, share: float) -> None:
    level, _ = ascites(nucleated_cells=cells, pmn_percent=share)
    # the number that people see is rounded; so is the one that is graded
    assert (level == "critical") == (round(cells * share / 100, 4) >= 250)


@pytest.mark.parametrize("source", [LP, PARA, protocol("thoracentesis")], ids=lambda p: p.code)
def test_an_empty_result_of_any_test_is_unknown_unless_it_is_already_alarming(source: Protocol) -> None:
    for test in source.tests:
        level, _ = grade(test, {}, calculate_all(source, {}))
        assert level is Level.UNKNOWN, test.code


# white cells, share in per cent, red cells, the laboratory's own count, unit; then the level: clinic-reality §1.6
ASCITES = [
    (400, 78, None, None, "/uL", "critical"),  # 312, and no flag of the laboratory anywhere
    (0.4, 78, None, None, "10*9/L", "critical"),
    (400, 78, 20_000, None, "/uL", "critical"),  # corrected for blood 232: shown beside it, never instead
    (320, 78, None, None, "/uL", "normal"),  # 249.6
    (400, 78, None, 31.2, "/uL", "critical"),  # the laboratory's own count is lower: the higher one alarms
    (400, 10, None, 300, "/uL", "critical"),  # and the other way round
    (0.4, 10, None, 0.25, "10*9/L", "critical"),
    (300, 10, None, 30, "/uL", "normal"),
    (300, None, None, 30, "/uL", "normal"),
    (300, None, None, None, "/uL", "critical"),  # get the differential
    (100, None, None, None, "/uL", "normal"),
]


@pytest.mark.parametrize("preliminary", [False, True])
@pytest.mark.parametrize(("cells", "share", "red", "reported", "unit", "level"), ASCITES)
def test_neutrophils_in_ascites(
    cells: float, share: float | None, red: float | None, reported: float | None, unit: str, level: str,
    preliminary: bool,
) -> None:  # fmt: skip
    numbers = {"nucleated_cells": cells, "pmn_percent": share, "red_cells": red, "pmn_reported": reported}
    given_values: dict[str, Given] = {
        code: Value(number=n, unit="%" if code == "pmn_percent" else unit, preliminary=preliminary)
        for code, n in numbers.items()
        if n is not None
    }
    assert ascites(**given_values)[0] == level


def test_a_glucose_ratio_just_below_the_limit_is_not_rounded_away() -> None:
    assert glucose(39.999, 100) == "critical"
    assert glucose(40, 100) == "normal"


@pytest.mark.parametrize("code", ["csf_white_cells_corrected", "csf_protein_corrected", "csf_serum_glucose_ratio"])
def test_what_is_computed_in_csf_does_not_wait_for_the_final_value(code: str) -> None:
    def early(number: float, unit: str) -> Value:
        return Value(number=number, unit=unit, preliminary=True, collected_at=WHEN)

    values = {
        "csf_cell_count.white_cells": early(12, "/uL"),
        "csf_cell_count.red_cells": early(2000, "/uL"),
        "csf_protein.protein": early(80, "mg/dL"),
        "csf_glucose.glucose": early(30, "mg/dL"),
        "serum_glucose.glucose": early(100, "mg/dL"),
    }
    expected = {"csf_white_cells_corrected": 10, "csf_protein_corrected": 78, "csf_serum_glucose_ratio": 0.3}
    found = calculate_all(LP, values)[code]
    assert (found.value, found.preliminary) == (expected[code], True)
