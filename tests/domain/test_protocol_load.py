"""A protocol file is read strictly, and every problem is named with file, key and value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from procedures.domain import load
from procedures.domain.validate_tests import loinc_is_valid
from tests.domain.protocol_files import data, protocol

NAMES = ("lumbar_puncture", "paracentesis", "thoracentesis")
Data = dict[str, Any]


def problems_after(change: Callable[[Data], Any], name: str = "lumbar_puncture") -> tuple[str, ...]:
    """What the loader says about the file after one change; empty when it accepts it."""
    content = data(name)
    change(content)
    try:
        load.parse(content, name=f"{name}.toml")
    except load.ProtocolError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("name", NAMES)
def test_every_protocol_file_loads(name: str) -> None:
    assert protocol(name).code == name


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_survives_the_way_through_plain_data_and_json(name: str) -> None:
    plain = load.to_dict(protocol(name))
    assert load.from_dict(json.loads(json.dumps(plain))) == protocol(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_file_s_own_data_survives_json(name: str) -> None:
    stored = json.loads(json.dumps(data(name)))
    assert load.parse(stored, name="stored") == protocol(name)
    assert load.digest(stored) == load.digest(data(name))


def test_the_digest_ignores_order_and_notices_content() -> None:
    assert load.digest({"a": 1, "b": [1, 2]}) == load.digest({"b": [1, 2], "a": 1})
    assert load.digest({"a": 1}) != load.digest({"a": 2})


def test_a_problem_names_file_key_and_value() -> None:
    def change(d: Data) -> None:
        d["tests"][4]["usual_hours"] = 24
        d["tests"][4]["outer_hours"] = 12

    assert problems_after(change) == (
        "lumbar_puncture.toml: tests[4].outer_hours = 12: must be at least usual_hours (24)",
    )


def test_all_problems_are_collected_before_the_file_is_refused() -> None:
    def change(d: Data) -> None:
        d["colour"] = "blue"
        d["min_age"] = "eighteen"
        d["panels"][0]["tests"].append("csf_lead")
        d["texts"] = d["texts"][:-1]

    found = problems_after(change)
    assert 'lumbar_puncture.toml: colour = "blue": unknown key' in found
    assert 'lumbar_puncture.toml: min_age = "eighteen": must be a whole number' in found
    assert 'lumbar_puncture.toml: panels[0].tests[6] = "csf_lead": is not in tests' in found
    assert any("must have emergency" in line for line in found)
    assert len(found) == 4


def test_a_value_that_cannot_be_read_is_named_once_only() -> None:
    def change(d: Data) -> None:
        d["tests"][0]["outer_hours"] = "soon"

    assert problems_after(change) == ('lumbar_puncture.toml: tests[0].outer_hours = "soon": must be a whole number',)


def test_a_yes_is_no_number() -> None:
    def change(d: Data) -> None:
        d["promise_hours"] = True

    assert "lumbar_puncture.toml: promise_hours = true: must be a whole number" in problems_after(change)


def test_a_missing_key_is_named() -> None:
    assert "lumbar_puncture.toml: bleeding_class: is missing" in problems_after(lambda d: d.pop("bleeding_class"))


def test_an_empty_file_is_refused_without_a_crash() -> None:
    with pytest.raises(load.ProtocolError) as caught:
        load.parse({}, name="empty.toml")
    assert "empty.toml: code: is missing" in caught.value.problems


def test_what_is_no_table_is_refused_without_a_crash() -> None:
    def change(d: Data) -> None:
        d["tests"] = "none"
        d["variants"] = ["standard"]
        d["default_source"] = 3
        d["tell_hours"] = 5

    found = problems_after(change)
    assert 'lumbar_puncture.toml: tests = "none": must be a list' in found
    assert 'lumbar_puncture.toml: variants[0] = "standard": must be a table' in found
    assert "lumbar_puncture.toml: tell_hours = 5: must be a table" in found


Change = tuple[str, Callable[[Data], Any], str]
REFUSED: tuple[Change, ...] = (
    ("unknown nested key", lambda d: d["tests"][0].update(colour=1), "tests[0].colour = 1: unknown key"),
    (
        "indication without panel",
        lambda d: d["indications"][0].update(panel="none_such"),
        'indications[0].panel = "none_such": is not in panels',
    ),
    (
        "indication without variant",
        lambda d: d["indications"][0].update(variant="none_such"),
        'indications[0].variant = "none_such": is not in variants',
    ),
    (
        "test in an unknown tube",
        lambda d: d["tests"][0].update(container="bucket"),
        'tests[0].container = "bucket": is not in containers',
    ),
    (
        "test in the wrong fluid's tube",
        lambda d: d["tests"][0].update(container="serum_tube"),
        "is for serum, the test is on csf",
    ),
    ("needed test", lambda d: d["tests"][0].update(needs=["moon"]), 'tests[0].needs[0] = "moon": is not another test'),
    (
        "same code twice",
        lambda d: d["tests"][1].update(code="csf_cell_count"),
        'tests[1].code = "csf_cell_count": is already used by tests[0]',
    ),
    ("no slug", lambda d: d["variants"][0].update(code="Big One"), 'variants[0].code = "Big One": must be lower-case'),
    (
        "wrong check digit",
        lambda d: d["tests"][0].update(loinc="34563-8"),
        'tests[0].loinc = "34563-8": is not a LOINC code',
    ),
    ("empty code unmarked", lambda d: d["tests"][0].update(loinc=""), "an empty code must say verify = true"),
    (
        "extended but inside the promise",
        lambda d: d["tests"][0].update(extended=True),
        "tests[0].extended = true: outer_hours (24) is within promise_hours (168)",
    ),
    (
        "longer than promised and not extended",
        lambda d: d["tests"][0].update(outer_hours=200),
        "tests[0].extended = false: outer_hours (200) is after promise_hours (168)",
    ),
    (
        "preliminary without hours",
        lambda d: d["tests"][0].update(preliminary=True),
        "must be true exactly when preliminary_hours has hours",
    ),
    (
        "room freed before the operator is",
        lambda d: d["variants"][0].update(room_minutes=10),
        "variants[0].room_minutes = 10: must be at least operator_minutes (40)",
    ),
    (
        "question shown for an answer that does not exist",
        lambda d: d["questions"][3].update(asked_if="supplements=maybe"),
        "supplements has no answer maybe",
    ),
    (
        "question shown after a question that does not exist",
        lambda d: d["questions"][3].update(asked_if="moon=yes"),
        "there is no moon",
    ),
    (
        "question in an unknown stage",
        lambda d: d["questions"][0].update(stage="lunch"),
        'stage = "lunch": is not in stages',
    ),
    (
        "question in an unknown group",
        lambda d: d["questions"][0].update(group="fun"),
        'group = "fun": is not in groups',
    ),
    (
        "second medicines question",
        lambda d: d["questions"].append({**d["questions"][1], "code": "again"}),
        "exactly one question must be of kind medicines",
    ),
    (
        "stage signed by the scheduler",
        lambda d: d["stages"][0].update(roles=["scheduler"]),
        'stages[0].roles[0] = "scheduler": must be one of director, nurse, physician',
    ),
    (
        "symptom check with a dangling question",
        lambda d: d["symptom_checks"][0]["questions"].append("mood"),
        '= "mood": is not in symptom_questions',
    ),
    (
        "unknown tier",
        lambda d: d["symptom_questions"][0]["answers"][0].update(tier="E"),
        'symptom_questions[0].answers[0].tier = "E": must be one of',
    ),
    (
        "unknown calculation",
        lambda d: d["calculations"][0].update(function="magic"),
        'calculations[0].function = "magic": must be one of',
    ),
    (
        "calculation of nothing",
        lambda d: d["calculations"][0].update(inputs=["csf_cell_count.white_cells", "csf_cell_count.moon"]),
        '"csf_cell_count.moon": is not a number component',
    ),
    (
        "calculation of different units",
        lambda d: d["calculations"][3].update(inputs=["csf_glucose.glucose", "csf_cell_count.white_cells"]),
        "must share their first unit",
    ),
    (
        "formula without its number",
        lambda d: d["calculations"][1].update(parameters={}),
        "must be exactly: removed, red_cells",
    ),
    (
        "rule about nothing",
        lambda d: d["tests"][0]["critical"][0].update(component="moon"),
        'tests[0].critical[0].component = "moon": is neither a component of csf_cell_count nor a calculation',
    ),
    (
        "rule about a choice that does not exist",
        lambda d: d["tests"][5]["critical"][0].update(values=["moon"]),
        'tests[5].critical[0].values[0] = "moon": is not a choice of result',
    ),
    (
        "test without rules that does not say so",
        lambda d: d["tests"][0].update(critical=[]),
        "nothing is normal by default",
    ),
    (
        "units without factors",
        lambda d: d["tests"][0]["components"][0].update(factors=[1]),
        "tests[0].components[0].factors = [1.0]: must be as many as units (4)",
    ),
    ("hours for an unknown level", lambda d: d["tell_hours"].update(funny=3), "tell_hours.funny = 3: must be one of"),
    ("hours without a level", lambda d: d["review_hours"].pop("unknown"), "must have unknown"),
    ("no source for the hours", lambda d: d.pop("timing_source"), "timing_source = null: must name where"),
    (
        "clinical statement without a source",
        lambda d: d["default_source"].pop("tests"),
        "tests[0].source: is missing: every clinical statement names its source",
    ),
    (
        "caution without a source",
        lambda d: (
            d["record_fields"].append(
                {"code": "x", "label": "X", "section": "S", "kind": "number", "warn_above": 1, "warn_message": "m"}
            )
            or d["default_source"].pop("record_fields")
        ),
        "must name its source",
    ),
    (
        "default for no section",
        lambda d: d["default_source"].update(colours={"source": "x"}),
        "default_source.colours",
    ),
    (
        "choices from no list",
        lambda d: d["questions"][0].update(choices_from="colours"),
        'questions[0].choices_from = "colours": must be one of locations, sites, positions, guidance',
    ),
)


@pytest.mark.parametrize(("change", "said"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_a_mistake_is_refused_in_words(change: Callable[[Data], Any], said: str) -> None:
    found = problems_after(change)
    assert any(said in line for line in found), found
    assert all(line.startswith("lumbar_puncture.toml: ") for line in found)


def test_a_rule_of_the_record_needs_fields_that_exist() -> None:
    def change(d: Data) -> None:
        d["record_rules"][0].update(field="litres", requires=["hope"])

    found = problems_after(change, "paracentesis")
    assert 'paracentesis.toml: record_rules[0].field = "litres": is not in record_fields' in found
    assert 'paracentesis.toml: record_rules[0].requires[0] = "hope": is not in record_fields' in found


def test_an_item_s_own_source_goes_before_the_section_s() -> None:
    content = data("thoracentesis")
    content["tests"][0]["source"] = {"source": "Own", "year": 2020, "approved_by": "Dr. A"}
    found = load.parse(content, name="x")
    assert found.tests[0].source.source == "Own"
    assert found.tests[1].source.source == "Test data"


def test_a_rule_without_a_source_takes_its_test_s() -> None:
    content = data("thoracentesis")
    content["tests"][0]["source"] = {"source": "Own"}
    del content["tests"][0]["critical"][0]["source"]
    assert load.parse(content, name="x").tests[0].critical[0].source.source == "Own"


def test_choices_come_from_the_protocol_s_own_lists() -> None:
    found = protocol("paracentesis")
    assert found.question("site_named").choices == found.sites


@pytest.mark.parametrize("code", ["806-0", "35005-8", "100757-4", "2345-7"])
def test_a_loinc_code_with_its_check_digit_is_valid(code: str) -> None:
    assert loinc_is_valid(code)


@pytest.mark.parametrize("code", ["806-1", "35005-5", "-56064", "2345", "2345-77", "abc-1", "02345-7"])
def test_a_loinc_code_without_it_is_not(code: str) -> None:
    assert not loinc_is_valid(code)


LATER = [
    (lambda d: d["later_tests"][0].update(within_hours=72), "within_hours = 72: must be after after_hours (72)"),
    (lambda d: d["later_tests"][0].update(panel="bloods"), 'panel = "bloods": is not in panels'),
    (lambda d: d["later_tests"][0].update(panel="para_first"), "which an indication orders before the needle"),
    (lambda d: d["later_tests"][0].update(only_if=["rainy"]), 'only_if[0] = "rainy": must be one of'),
    (lambda d: d["later_tests"][0].update(if_answer=["cause_of_ascites=rain"]), "has no answer rain"),
    (lambda d: d["transfer_hours"].update(ward=0), "transfer_hours.ward = 0: must be more than 0"),
    (lambda d: d["transfer_hours"].update(prison=4), "transfer_hours.prison = 4: unknown key"),
]


@pytest.mark.parametrize(("change", "says"), LATER)
def test_later_tests_and_hours_to_accept_are_judged(change: Callable[[Data], Any], says: str) -> None:
    assert any(says in problem for problem in problems_after(change, "paracentesis"))


def test_a_version_from_before_later_tests_and_hours_to_accept_still_loads() -> None:
    def before(d: Data) -> None:
        del d["later_tests"], d["transfer_hours"]

    assert problems_after(before, "paracentesis") == ()
