"""One report of a patient for whoever calls back: each answer with its tier, and what was said the time before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import QuerySet

from followups.models import SymptomAnswer, SymptomCheck
from followups.selectors import symptom_facts
from procedures.domain import symptoms as rules
from procedures.domain.protocol import Protocol
from procedures.models import Procedure


@dataclass(frozen=True)
class Said:
    """One question with what was answered. ``because``: the combination that makes it more urgent."""

    question: str
    answer: str
    tier: str
    because: str
    taken_back: tuple[tuple[str, str], ...]  # earlier answers in this report, with their tiers
    before: str  # what was answered in the report before this one


def rows(report: SymptomCheck, before: SymptomCheck | None, protocol: Protocol) -> list[Said]:
    """The most urgent first; among equals in the order in which they are asked."""
    order = {q.code: place for place, q in enumerate(protocol.symptom_questions)}
    texts = {q.code: q.text for q in protocol.symptom_questions}
    because = {c.code: c.label for c in protocol.symptom_combinations}
    by_question: dict[str, list[SymptomAnswer]] = defaultdict(list)
    for answer in sorted(report.answers.all(), key=lambda a: a.number):
        by_question[answer.question].append(answer)
    earlier = {a.question: a.answer for a in symptom_facts.current(before.answers.all())} if before else {}
    found = []
    for code, given in by_question.items():
        *old, newest = given
        combined = next((a.combination for a in reversed(given) if a.combination), "")
        said = Said(
            question=texts.get(code, code),
            answer=label(protocol, code, newest.answer),
            tier=newest.tier,
            because=because.get(combined, ""),
            taken_back=tuple((label(protocol, code, a.answer), a.tier) for a in old),
            before=label(protocol, code, earlier[code]) if code in earlier else "",
        )
        worst = rules.worst(a.tier for a in given)
        found.append(((rules.TIERS.index(worst), order.get(code, len(order))), said))
    return [said for _, said in sorted(found, key=lambda pair: pair[0])]


def label(protocol: Protocol, question: str, answer: str) -> str:
    """The answer in words; its code where the protocol knows none."""
    found = next((q for q in protocol.symptom_questions if q.code == question), None)
    return next((a.label for a in found.answers if a.code == answer), answer) if found else answer


def owed(report: SymptomCheck, protocol: Protocol) -> int:
    """How many questions of a report that was begun nobody has answered."""
    answers = {a.question: a.answer for a in symptom_facts.current(report.answers.all())}
    check = next((c for c in protocol.symptom_checks if c.code == report.check_code), None)
    by_code = {q.code: q for q in protocol.symptom_questions}
    codes = check.questions if check else ()
    return sum(rules.is_asked(by_code[code], answers) and code not in answers for code in codes)


def of_case(procedure: Procedure) -> QuerySet[SymptomCheck]:
    """Every asking of a case with its answers and what was done, the newest first."""
    return (
        SymptomCheck.objects.filter(procedure=procedure)
        .select_related("by", "link")
        .prefetch_related("answers", "triages__by")
        .order_by("-at", "-pk")
    )
