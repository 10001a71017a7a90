"""How urgent an answer about a danger sign is. Pure.

Tiers: A call 911 now, B a clinician calls back within 60 minutes, C the same day, D expected; "" is no sign at all.
An answer that the question does not have is an error, never *no sign*. Some answers mean more together than each alone:
``combinations``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from clinic.errors import DomainError
from procedures.domain.patient_content import SymptomChoice, SymptomCombination, SymptomQuestion
from procedures.domain.protocol import Protocol

#: From the most urgent to none.
TIERS = ("A", "B", "C", "D", "")


class UnknownAnswer(DomainError):
    """%(answer)s is not an answer to %(question)s."""


def choice(question: SymptomQuestion, answer_code: str) -> SymptomChoice:
    """The answer called ``answer_code``. Raises UnknownAnswer."""
    for candidate in question.answers:
        if candidate.code == answer_code:
            return candidate
    raise UnknownAnswer(answer=answer_code or "-", question=question.code)


def tier(question: SymptomQuestion, answer_code: str, hours_since: float | None) -> str:
    """The tier of this answer so many hours after the procedure.

    ``hours_since`` None (nobody knows when): the more urgent of the early and the late tier.
    """
    found = choice(question, answer_code)
    if found.after_hours is None:
        return found.tier
    if hours_since is None:
        return worst((found.tier, found.tier_before))
    return found.tier if hours_since >= found.after_hours else found.tier_before


def worst(tiers: Iterable[str]) -> str:
    """The most urgent of several; "" when there is none."""
    return min(tiers, key=TIERS.index, default="")


def advice(question: SymptomQuestion, answer_code: str) -> str:
    """What to tell the patient at once, beyond the tier's own text; may be empty."""
    return choice(question, answer_code).advice


@dataclass(frozen=True)
class Graded:
    """One answer, how urgent it is, and the combination that makes it so (empty: by itself)."""

    answer: str
    tier: str
    combination: str = ""


def given(condition: str, answers: Mapping[str, str]) -> bool:
    """Whether ``"question=answer|answer"`` holds. What was not answered holds nothing."""
    question, _, wanted = condition.partition("=")
    return answers.get(question, "") in wanted.split("|")


def is_asked(question: SymptomQuestion, answers: Mapping[str, str]) -> bool:
    """Whether ``asked_if`` lets the question be asked, given the answers so far."""
    return not question.asked_if or given(question.asked_if, answers)


def combinations(
    protocol: Protocol, answers: Mapping[str, str], hours_since: float | None
) -> Iterator[SymptomCombination]:
    """Those that hold so many hours after the procedure; at an unknown time also those that begin late."""
    for item in protocol.symptom_combinations:
        late_enough = item.after_hours is None or hours_since is None or hours_since >= item.after_hours
        if late_enough and all(given(condition, answers) for condition in item.all_of):
            yield item


def grade(protocol: Protocol, answers: Mapping[str, str], hours_since: float | None) -> dict[str, Graded]:
    """Every answer with its tier. A combination raises each of the answers that it is made of.

    Raises UnknownAnswer for an answer, or a question, that the protocol does not have.
    """
    questions = {q.code: q for q in protocol.symptom_questions}
    graded = {}
    for code, answer in answers.items():
        if code not in questions:
            raise UnknownAnswer(answer=answer or "-", question=code)
        graded[code] = Graded(answer, tier(questions[code], answer, hours_since))
    for item in combinations(protocol, answers, hours_since):
        for code in (condition.partition("=")[0] for condition in item.all_of):
            if TIERS.index(item.tier) < TIERS.index(graded[code].tier):
                graded[code] = Graded(answers[code], item.tier, item.code)
    return graded
