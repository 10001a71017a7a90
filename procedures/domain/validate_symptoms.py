"""What must hold of danger signs beyond the single question: combinations, times, the one number of fever. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from procedures.domain.patient_content import SIGN_MINUTES, SILENCE_MINUTES
from procedures.domain.problems import Problems
from procedures.domain.protocol import Protocol
from procedures.domain.symptoms import TIERS

#: What a check may depend on (``only_if``).
CHECK_CONDITIONS = (
    "first", "serial", "large_volume", "complicated", "held", "traumatic", "headache", "headache_now",
)  # fmt: skip
#: Pages of the patient's form beside its questions.
RESERVED = ("last", "done")
FAHRENHEIT = re.compile(r"(\d+(?:\.\d+)?) ?°F")
CELSIUS = re.compile(r"(\d+(?:\.\d+)?) ?°C")


def validate_symptoms(protocol: Protocol, problems: Problems) -> None:
    """Every check. Adds to ``problems``; raises nothing."""
    _check_combinations(protocol, problems)
    _check_minutes(protocol, problems)
    _check_fever(protocol, problems)
    for index, question in enumerate(protocol.symptom_questions):
        if question.code in RESERVED:
            problems.add(f"symptom_questions[{index}].code", question.code, "is the address of another page")
    for place, condition in enumerate(protocol.high_risk):
        if condition not in CHECK_CONDITIONS:
            problems.add(f"high_risk[{place}]", condition, f"must be one of {', '.join(CHECK_CONDITIONS)}")


def _check_combinations(protocol: Protocol, problems: Problems) -> None:
    answers = {q.code: {a.code for a in q.answers} for q in protocol.symptom_questions}
    for index, item in enumerate(protocol.symptom_combinations):
        path = f"symptom_combinations[{index}]"
        if item.tier not in TIERS[:-1]:
            problems.add(f"{path}.tier", item.tier, "must be A, B, C or D")
        if len({condition.partition("=")[0] for condition in item.all_of}) < 2:
            problems.add(f"{path}.all_of", list(item.all_of), "must join at least two questions")
        for place, condition in enumerate(item.all_of):
            code, _, wanted = condition.partition("=")
            for answer in wanted.split("|"):
                if answer not in answers.get(code, ()):
                    problems.add(f"{path}.all_of[{place}]", condition, f"{code} has no answer {answer or '-'}")


def _check_minutes(protocol: Protocol, problems: Problems) -> None:
    for name, wanted in (("sign_minutes", SIGN_MINUTES), ("silence_minutes", SILENCE_MINUTES)):
        table: dict[str, int] = getattr(protocol, name)
        if set(table) != set(wanted):
            problems.add(name, sorted(table), f"must have {', '.join(wanted)}")
        for key, value in table.items():
            if value <= 0:
                problems.add(f"{name}.{key}", value, "must be more than 0")


def _check_fever(protocol: Protocol, problems: Problems) -> None:
    """Nobody reads one number in a question and another one on the leaflet."""
    limit = protocol.fever_above_f
    if limit is None:
        return
    celsius = round((limit - 32) * 5 / 9, 1)
    for path, text in _texts(protocol):
        for pattern, wanted, unit in ((FAHRENHEIT, limit, "°F"), (CELSIUS, celsius, "°C")):
            for found in pattern.findall(text):
                if float(found) != wanted:
                    problems.add(path, text, f"must say {wanted:g} {unit}, as fever_above_f does")


def _texts(protocol: Protocol) -> Iterator[tuple[str, str]]:
    for question in protocol.symptom_questions:
        path = f"symptom_questions.{question.code}"
        yield from ((path, text) for text in (question.text, question.help, *(a.label for a in question.answers)))
    for text in protocol.texts:
        yield from ((f"texts.{text.code}", paragraph) for paragraph in text.paragraphs)
