"""Answers of the checklist that cannot be: a number no body has, a blood drawn tomorrow. Pure.

Which question asks for which measure is said here; the ranges are data of the rule set.
"""

from __future__ import annotations

from datetime import datetime

from clinic.errors import Invalid
from procedures.domain import plausibility
from procedures.domain.answers import AnswerState, Reading
from procedures.domain.case_snapshot import LABS
from procedures.domain.protocol import Question
from procedures.domain.ruleset import RuleSet

#: The measure of each question that asks for one.
MEASURES = {**{code: code for code in LABS}, "weight": "weight", "creatinine": "creatinine", "crcl": "crcl"} | {
    "gestation_weeks": "gestation",
}
#: Questions for what has happened already.
PAST = frozenset({*LABS.values(), "crcl_at", "blood_thinner_last_dose"})
IN_THE_FUTURE = "This is in the future. What has happened already is asked for: look at the date."
TOO_LONG_AGO = "That is too long ago. Look at the year."


def concerns(code: str) -> bool:
    """Whether anything is checked of the question's answers."""
    return code in MEASURES or code in PAST


def check(question: Question, reading: Reading, rules: RuleSet, now: datetime) -> None:
    """Raises Invalid, in words, for a value that cannot be; says so when it looks like the other one, swapped."""
    if reading.state is not AnswerState.ANSWERED:
        return
    if question.code in PAST:
        _past(question, datetime.fromisoformat(str(reading.value)), now)
    elif question.code in MEASURES and MEASURES[question.code] in rules.measures:
        measure = MEASURES[question.code]
        for wrong in plausibility.value(rules, measure, float(reading.value), unit=_unit(question, rules), now=now):
            raise Invalid(wrong.text.message, field=question.code, **wrong.text.params)


def _past(question: Question, moment: datetime, now: datetime) -> None:
    if moment > now:
        raise Invalid(IN_THE_FUTURE, field=question.code)
    if now - moment > plausibility.OLDEST:
        raise Invalid(TOO_LONG_AGO, field=question.code)


def _unit(question: Question, rules: RuleSet) -> str:
    """The question's unit where the measure knows it; else the measure's own first one."""
    return question.unit if question.unit in rules.measures[MEASURES[question.code]].units else ""
