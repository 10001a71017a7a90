"""Danger signs asked on the phone: graded on the server, answer by answer, and immutable."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.roles import Role
from followups.models import SymptomAnswer, SymptomCheck
from followups.models.symptoms import CheckOutcome, ReportChannel
from procedures import events
from procedures.domain import symptoms as rules
from procedures.domain.patient_content import SymptomCheck as CheckData
from procedures.domain.patient_content import SymptomQuestion
from procedures.domain.protocol import Protocol
from procedures.models import Procedure

#: A sign of these tiers needs a person to do something before the check is done.
NEED_ACTION = frozenset({"A", "B", "C"})


def check_of(protocol: Protocol, code: str) -> CheckData | None:
    """The protocol's check called ``code``."""
    return next((c for c in protocol.symptom_checks if c.code == code), None)


def questions_of(protocol: Protocol, check: CheckData) -> list[SymptomQuestion]:
    """Its questions, in the order they are asked."""
    by_code = {q.code: q for q in protocol.symptom_questions}
    return [by_code[code] for code in check.questions]


def hours_since(procedure: Procedure, at: datetime) -> float | None:
    """Hours since the needle; None when nobody knows."""
    return (at - procedure.started_at).total_seconds() / 3600 if procedure.started_at else None


@transaction.atomic
def record(
    *,
    procedure: Procedure,
    check_code: str,
    actor: Actor,
    outcome: str,
    answers: Mapping[str, str] | None = None,
    answered_by: str = "",
    reason: str = "",
    note: str = "",
    handled: str = "",
    channel: str = ReportChannel.PHONE,
    relation: str = "",
    language: str = "",
    interpreter: bool = False,
) -> SymptomCheck:
    """Write down one asking, on the phone or in person.

    *Answered* needs every question answered (unknown is not "no") and, for a sign of tier A to C, what was done.
    *Not reached* keeps the promise open. *Not needed* needs a reason. Raises Invalid naming the question.
    """
    if not actor.has(Role.NURSE, Role.PHYSICIAN):
        raise NotPermitted
    row = row_locks.lock(Procedure, procedure.pk, "protocol_version", without=("protocol_version__data",))
    protocol = row.protocol_version.parsed
    check = check_of(protocol, check_code)
    if check is None:
        raise Invalid("This protocol has no such check.", field="check")
    if row.symptom_checks.filter(check_code=check_code, outcome__in=["answered", "not_needed"]).exists():
        raise Conflict("This check is already answered.")
    now = clock.now()
    graded = _grade(protocol, check, answers or {}, hours_since(row, now)) if outcome == CheckOutcome.ANSWERED else {}
    worst = rules.worst(found.tier for found in graded.values())
    _check(outcome, worst, answered_by or relation, reason, handled)
    saved = SymptomCheck.objects.create(
        procedure=row,
        check_code=check_code,
        outcome=outcome,
        reason=reason.strip(),
        answered_by=answered_by.strip(),
        worst_tier=worst,
        note=note,
        handled=handled.strip(),
        channel=channel,
        relation=relation,
        language=language.strip(),
        interpreter=interpreter,
        at=now,
        finished_at=now,
        by_id=actor.user_id,
    )
    SymptomAnswer.objects.bulk_create(
        SymptomAnswer(
            check_row=saved,
            question=question,
            answer=found.answer,
            tier=found.tier,
            combination=found.combination,
            at=now,
            protocol_version_id=row.protocol_version_id,
        )
        for question, found in graded.items()
    )
    audit.record(
        action="symptoms.recorded",
        actor=actor,
        subject=saved,
        patient_id=row.patient_id,
        data={"check": check_code, "outcome": outcome, "tier": worst},
    )
    events.changed(row)
    return saved


def _grade(
    protocol: Protocol, check: CheckData, answers: Mapping[str, str], hours: float | None
) -> dict[str, rules.Graded]:
    """Every question that is asked has an answer: unknown is not "no"."""
    given: dict[str, str] = {}
    for question in questions_of(protocol, check):
        if not rules.is_asked(question, answers):
            continue
        answer = answers.get(question.code, "")
        if not answer:
            raise Invalid("Please answer: %(question)s", field=question.code, question=question.text)
        given[question.code] = answer
    return rules.grade(protocol, given, hours)


def _check(outcome: str, worst: str, answered_by: str, reason: str, handled: str) -> None:
    if outcome == CheckOutcome.NOT_NEEDED and not reason.strip():
        raise Invalid("Say why the check is not needed.", field="reason")
    if outcome == CheckOutcome.ANSWERED and not answered_by.strip():
        raise Invalid("Say who answered.", field="answered_by")
    if worst in NEED_ACTION and not handled.strip():
        raise Invalid("There is a danger sign (tier %(tier)s): say what was done.", field="handled", tier=worst)
