"""What may be written in a record, and what it needs to be signed."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import procedures
from procedures.domain import load, record
from procedures.domain.protocol import Protocol
from procedures.domain.record import Common

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DONE = Common(
    started_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=1), operator_id=7, no_complications=True
)
FILES = Path(procedures.__file__).parent / "protocols"


def protocol(code: str = "paracentesis") -> Protocol:
    path = FILES / f"{code}.toml"
    return load.parse(tomllib.loads(path.read_text(encoding="utf-8")), name=path.name)


def fields_missing(values: dict[str, Any], common: Common = DONE) -> set[str]:
    return {problem.field for problem in record.missing(protocol(), values, common)}


def complete(**changes: Any) -> dict[str, Any]:
    """Every required field of the paracentesis record, with its first answer."""
    values: dict[str, Any] = {}
    for item in protocol().record_fields:
        if item.required:
            values[item.code] = item.choices[0].code if item.choices else (1 if item.kind == "integer" else "none")
    return {**values, **changes}


def test_text_in_a_number_is_refused_and_the_rest_is_read() -> None:
    values, problems = record.read(protocol(), {"volume_removed_ml": "six litres", "anaesthetic": " lidocaine 1 % "})
    assert [problem.field for problem in problems] == ["volume_removed_ml"]
    assert "six litres" in problems[0].text
    assert values == {"anaesthetic": "lidocaine 1 %"}


@pytest.mark.parametrize("typed", ["NaN", "inf", "1e3", "6,000", "6000 mL", "--5", "٣"])
def test_what_only_looks_like_a_number_is_refused(typed: str) -> None:
    _values, problems = record.read(protocol(), {"volume_removed_ml": typed})
    assert [problem.field for problem in problems] == ["volume_removed_ml"]


def test_a_number_outside_its_fields_limits_is_refused_with_the_limit() -> None:
    item = next(f for f in protocol().record_fields if f.code == "systolic_before")
    assert item.maximum is not None
    values, problems = record.read(protocol(), {"systolic_before": str(int(item.maximum) + 1)})
    assert values == {}
    assert f"{item.maximum:g} mmHg" in problems[0].text


def test_a_whole_number_field_takes_no_fraction_and_a_number_field_does() -> None:
    assert record.read(protocol(), {"attempts": "1.5"})[1][0].field == "attempts"
    assert record.read(protocol(), {"temperature_before": "36.8"})[0] == {"temperature_before": 36.8}


def test_an_answer_that_was_not_offered_is_refused() -> None:
    for code in ("site", "leak_at_discharge"):
        assert [p.field for p in record.read(protocol(), {code: "elsewhere"})[1]] == [code]


def test_a_field_that_the_protocol_does_not_have_is_refused() -> None:
    assert [p.field for p in record.read(protocol(), {"opening_pressure": "18"})[1]] == ["opening_pressure"]


def test_a_moment_needs_a_zone() -> None:
    assert record.read(protocol(), {"albumin_started_at": "2026-11-20T10:00"})[1]
    values, problems = record.read(protocol(), {"albumin_started_at": NOW})
    assert not problems and datetime.fromisoformat(values["albumin_started_at"]) == NOW


def test_blank_answers_are_left_out_and_never_stored_as_no() -> None:
    assert record.read(protocol(), {"leak_at_discharge": "", "site": None, "anaesthetic": "   "}) == ({}, ())


@pytest.mark.parametrize(
    ("common", "field"),
    [
        (Common(started_at=NOW + timedelta(minutes=1)), "started_at"),
        (Common(started_at=NOW, ended_at=NOW - timedelta(minutes=1)), "ended_at"),
        (Common(no_complications=True, complications=("bruising",)), "no_complications"),
        (Common(complications=("no_such",)), "complications"),
    ],
)
def test_common_columns_that_contradict_themselves_are_refused(common: Common, field: str) -> None:
    assert [problem.field for problem in record.read_common(protocol(), common, now=NOW)] == [field]


def test_a_complete_record_can_be_signed() -> None:
    assert fields_missing(complete()) == set()


def test_an_empty_record_may_be_saved_and_says_everything_that_signing_needs() -> None:
    assert record.read(protocol(), {}) == ({}, ())
    found = fields_missing({}, Common())
    required = {item.code for item in protocol().record_fields if item.required and not item.asked_if}
    assert found == {"started_at", "ended_at", "operator", "complications"} | required


def test_no_complication_must_be_said() -> None:
    silent = Common(started_at=DONE.started_at, ended_at=DONE.ended_at, operator_id=7)
    assert fields_missing(complete(), silent) == {"complications"}
    named = Common(started_at=DONE.started_at, ended_at=DONE.ended_at, operator_id=7, complications=("bruising",))
    assert fields_missing(complete(), named) == set()


def test_a_choice_that_asks_for_words_needs_them() -> None:
    assert fields_missing(complete(antiseptic="other")) == {"antiseptic.reason"}
    assert fields_missing(complete(antiseptic="other", **{"antiseptic.reason": "octenidine"})) == set()


def test_a_required_field_that_is_not_asked_is_not_missing() -> None:
    base = protocol()
    item = next(f for f in base.record_fields if f.required)

    asked = replace(item, asked_if="leak_at_discharge=yes")
    data = replace(base, record_fields=tuple(asked if f is item else f for f in base.record_fields))
    rest = {code: value for code, value in complete().items() if code != item.code}
    assert {p.field for p in record.missing(data, {**rest, "leak_at_discharge": "no"}, DONE)} == set()
    assert {p.field for p in record.missing(data, {**rest, "leak_at_discharge": "yes"}, DONE)} == {item.code}


# --- albumin --------------------------------------------------------------------------------


@pytest.mark.parametrize(("volume", "asks"), [(4999, False), (5000, False), (5001, True), (6000, True)])
def test_albumin_is_asked_for_above_five_litres(volume: int, asks: bool) -> None:
    assert ("albumin_given_g" in fields_missing(complete(volume_removed_ml=volume))) is asks


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ({"albumin_given_g": 40}, set()),
        ({"albumin_reason": "not_cirrhosis"}, set()),
        ({"albumin_given_g": 0}, {"albumin_given_g"}),
        ({"albumin_ordered_g": 48}, {"albumin_given_g"}),
        ({"albumin_reason": "not_available"}, {"albumin_reason.reason"}),
    ],
)
def test_albumin_in_grams_or_a_coded_reason_answers_the_rule(answer: dict[str, Any], missing: set[str]) -> None:
    assert fields_missing(complete(volume_removed_ml=6000, **answer)) == missing


@pytest.mark.parametrize(("volume", "low", "high"), [(6000, 36, 48), (8000, 48, 64), (10000, 60, 80), (5500, 33, 44)])
def test_the_range_is_computed_for_the_entered_litres(volume: int, low: float, high: float) -> None:
    (dose,) = record.doses(protocol(), {"volume_removed_ml": volume})
    assert (dose.low, dose.high) == (low, high)
    (problem,) = record.missing(protocol(), complete(volume_removed_ml=volume), DONE)
    assert f"{low:g} to {high:g} g" in problem.text and "6 to 8 g per litre" in problem.text


@pytest.mark.parametrize(("grams", "below", "above"), [(30, True, False), (40, False, False), (90, False, True)])
def test_grams_outside_the_range_are_said_and_not_refused(grams: int, below: bool, above: bool) -> None:
    values = complete(volume_removed_ml=6000, albumin_given_g=grams)
    (dose,) = record.doses(protocol(), values)
    assert (dose.below_range, dose.above_range) == (below, above)
    assert fields_missing(values) == set()


def test_more_than_eight_litres_is_a_caution_that_refuses_nothing() -> None:
    assert [c.field for c in record.cautions(protocol(), {"volume_removed_ml": 8001})] == ["volume_removed_ml"]
    assert record.cautions(protocol(), {"volume_removed_ml": 8000}) == ()
    assert record.cautions(protocol(), {}) == ()


def test_what_changed_between_versions_is_named() -> None:
    old, new = {"attempts": 1, "site": "llq"}, {"attempts": 2, "dressing": "gauze"}
    assert record.changed(old, new) == ("attempts", "dressing", "site")
    assert record.changed(old, dict(old)) == ()
