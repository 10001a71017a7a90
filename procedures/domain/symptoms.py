"""How urgent an answer about a danger sign is. Pure.

Tiers: A call 911 now, B a clinician calls back within 60 minutes, C the same day, D expected; "" is no sign at all.
An answer that the question does not have is an error, never *no sign*.
"""

from __future__ import annotations

from collections.abc import Iterable

from clinic.errors import DomainError
from procedures.domain.protocol import SymptomChoice, SymptomQuestion

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
