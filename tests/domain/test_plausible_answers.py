"""An answer that cannot be is refused in words, and said to be swapped when it looks like the other value."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinic.errors import Invalid
from procedures.domain import doses, plausible_answers
from procedures.domain.answers import AnswerState, Reading
from procedures.domain.case_snapshot import LABS
from tests.domain.protocol_files import protocol
from tests.domain.safety_cases import NEEDLE, rules

QUESTIONS = {q.code: q for q in protocol("lumbar_puncture").questions}


def check(code: str, value: Any) -> None:
    reading = Reading(state=AnswerState.ANSWERED, value=value)
    plausible_answers.check(QUESTIONS[code], reading, rules(), NEEDLE)


@pytest.mark.parametrize(
    ("code", "value", "said"),
    [
        ("inr", 250, "Is it the other value, Platelet count?"),
        ("platelets", 1.1, "Is it the other value, INR?"),
        ("platelets", 250_000, "between 2 and 2500"),
        ("creatinine", 88, "between 0.1 and 25 mg/dL"),
        ("crcl", 900, "between 1 and 250 mL/min"),
        ("weight", 700, "between 2 and 400 kg"),
        ("gestation_weeks", 60, "between 1 and 44 weeks"),
    ],
)
def test_a_value_that_no_body_has_is_refused(code: str, value: float, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(code, value)
    assert said in str(refused.value)
    assert refused.value.field == code


@pytest.mark.parametrize(("code", "value"), [("inr", 2.6), ("platelets", 45), ("creatinine", 1.1), ("weight", 4.2)])
def test_a_bad_value_that_can_be_is_taken(code: str, value: float) -> None:
    check(code, value)


@pytest.mark.parametrize("code", [*LABS.values(), "crcl_at", "blood_thinner_last_dose"])
def test_what_has_happened_lies_in_the_past(code: str) -> None:
    check(code, NEEDLE.isoformat())
    with pytest.raises(Invalid, match="in the future"):
        check(code, (NEEDLE + timedelta(minutes=1)).isoformat())
    with pytest.raises(Invalid, match="too long ago"):
        check(code, NEEDLE.replace(year=1926).isoformat())


def test_unknown_is_always_an_answer() -> None:
    plausible_answers.check(QUESTIONS["inr"], Reading(state=AnswerState.UNKNOWN), rules(), NEEDLE)


@pytest.mark.parametrize("times", [None, *doses.FREQUENCY_WORDS])
def test_a_dose_in_words_reads_back_as_itself(times: float | None) -> None:
    read = doses.read(doses.words(2.5, "mg", times))
    assert read == doses.Dose(amount=2.5, unit="mg", times_per_day=times)
