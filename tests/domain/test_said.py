"""A laboratory's readings as values: phrases as a whole, nothing guessed, nothing dropped."""

from __future__ import annotations

from typing import Any

import pytest

from procedures.domain import said
from procedures.domain.pieces import change_reason
from procedures.domain.report import Coded, Observation, Place, Reading, Standing
from procedures.selectors import code_data
from tests.domain.cases import protocol

LP = protocol("lumbar_puncture")
WORDS = code_data.words()


def observation(
    *readings: Reading, unit: str = "", standing: Standing = Standing.FINAL, written: str = "F"
) -> Observation:
    return Observation(
        place=Place(segment="OBX", number=1, line=2), code=Coded(), sub_id="", value_type="", readings=readings,
        document=None, unit=unit, reference_range="", flags=(), standing=standing, standing_written=written,
        observed_at=None, notes=(),
    )  # fmt: skip


def value(test: str, component: str, reading: Reading | str, unit: str = "", **more: Any) -> Any:
    read = Reading(text=reading) if isinstance(reading, str) else reading
    found = said.values(LP.test(test), {component: observation(read, unit=unit)}, WORDS, preliminary=False, **more)
    return found.get(component)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Not detected", "not_detected"),
        ("NOT DETECTED.", "not_detected"),
        ("Detected", "detected"),
        ("Indeterminate", "indeterminate"),
        ("Detected, low level", "Detected, low level"),
        ("Not detected by this method; see comment", "Not detected by this method; see comment"),
    ],
)
def test_an_answer_is_known_as_a_whole_phrase_or_stays_as_it_was_said(text: str, code: str) -> None:
    assert value("csf_hsv_pcr", "result", text)["value"] == code


def test_a_coded_answer_is_known_by_its_concept() -> None:
    coded = Reading(text="nachgewiesen", coded=Coded(local="260373001", local_system="SCT"))
    assert value("csf_hsv_pcr", "result", coded)["value"] == "detected"


def test_how_long_a_culture_was_looked_at_says_nothing_of_what_grew() -> None:
    for text in ("No growth after 48 hours", "No growth x 5 days", "no growth at 3 days, final report"):
        assert value("csf_culture", "growth", text)["value"] == "no_growth", text
    found = said.values(
        LP.test("csf_culture"), {"growth": observation(Reading(text="No growth at 24 h"))}, WORDS, preliminary=True
    )
    assert found["growth"]["value"] == "no_growth_so_far"


def test_an_organism_is_seen_and_named() -> None:
    found = said.values(
        LP.test("csf_gram"), {"result": observation(Reading(text="Gram negative diplococci"))}, WORDS, preliminary=False
    )
    assert {name: stored["value"] for name, stored in found.items()} == {
        "result": "organisms_seen",
        "organism": "Gram negative diplococci",
    }


def test_numbers_keep_comparator_and_unit() -> None:
    number = Reading(text="< 5", number="5", comparator="<")
    assert value("csf_protein", "protein", number, "mg/dL") == {
        "value": 5, "unit": "mg/dL", "text": "<5", "comparator": "<",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["see comment", "1:128"])
def test_what_is_no_number_is_kept_as_it_was_said(text: str) -> None:
    assert value("csf_protein", "protein", text, "mg/dL")["value"] == f"{text} mg/dL"


def test_an_impossible_number_is_kept_and_is_no_number_any_more() -> None:
    stored = value("csf_cell_count", "pmn_percent", Reading(text="140", number="140"), "%")
    assert (stored["value"], stored["unit"]) == ("140 %", "")


@pytest.mark.parametrize(
    ("own", "written", "order", "found"),
    [
        (Standing.FINAL, "F", Standing.FINAL, Standing.FINAL),
        (Standing.FINAL, "F", Standing.PRELIMINARY, Standing.PRELIMINARY),
        (Standing.PRELIMINARY, "P", Standing.FINAL, Standing.PRELIMINARY),
        (Standing.UNKNOWN, "", Standing.FINAL, Standing.FINAL),
        (Standing.UNKNOWN, "Q", Standing.FINAL, Standing.UNKNOWN),
        (Standing.CORRECTED, "C", Standing.PRELIMINARY, Standing.CORRECTED),
        (Standing.FINAL, "F", Standing.WRONG, Standing.WRONG),
        (Standing.PENDING, "I", Standing.UNKNOWN, Standing.PRELIMINARY),
    ],
)
def test_the_weaker_of_two_standings_counts(own: Standing, written: str, order: Standing, found: Standing) -> None:
    one = observation(Reading(text="5", number="5"), standing=own, written=written)
    assert said.standing(one, order, "") is found


def test_the_sentence_that_says_what_was_changed_is_the_reason() -> None:
    notes = ["Performed at main campus.", "Corrected from '1280' to '640'"]
    assert change_reason(notes) == "Corrected from '1280' to '640'"
    assert change_reason([]) == "Corrected by the laboratory, which does not say what."
    assert len(change_reason(["x" * 900])) == 200
