"""What a patient answers by a link: one answer at a time, graded and kept at once, finished or not.

Everything here is safe twice, from two telephones, out of order and late: the case's row is locked, the same answer
twice is one, another answer is another row, and what arrives after the end begins a new report. A sign is never
refused and never taken back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from clinic import audit, row_locks
from clinic.errors import Invalid
from followups.models import PatientLink, SymptomAnswer, SymptomCheck
from followups.models.symptoms import CheckOutcome, Relation, ReportChannel
from followups.patient_language import language_of
from followups.selectors import symptom_facts
from followups.services import links, symptoms
from procedures import events
from procedures.domain import symptoms as rules
from procedures.domain.patient_content import SymptomCheck as CheckData
from procedures.domain.patient_content import SymptomQuestion
from procedures.domain.protocol import Protocol
from procedures.models import Procedure

LONGEST_WORDS = 10_000


def check_of(protocol: Protocol, link: PatientLink) -> CheckData:
    """The check that the link is about; without one (a report at any time) the one that asks most."""
    found = symptoms.check_of(protocol, link.about)
    return found or max(protocol.symptom_checks, key=lambda c: len(c.questions))


def latest(link: PatientLink) -> SymptomCheck | None:
    """The newest report of a link, begun or finished."""
    return SymptomCheck.objects.filter(link=link).order_by("-pk").first()


def answers_of(report: SymptomCheck | None) -> dict[str, str]:
    """Question → its newest answer."""
    return {a.question: a.answer for a in symptom_facts.current(report.answers.all())} if report else {}


def next_question(
    protocol: Protocol, check: CheckData, answers: dict[str, str], after: str = ""
) -> SymptomQuestion | None:
    """The first that is still owed, looking from ``after`` on and then from the beginning; None when all is said."""
    asked = [q for q in symptoms.questions_of(protocol, check) if rules.is_asked(q, answers)]
    place = next((index + 1 for index, q in enumerate(asked) if q.code == after), 0)
    return next((q for q in [*asked[place:], *asked] if q.code not in answers), None)


@transaction.atomic
def begin(*, link: PatientLink, relation: str, now: datetime) -> SymptomCheck:
    """Somebody answers, for themselves or for the patient. The report that is begun already goes on."""
    procedure = _locked(link)
    return _begun(link, procedure, relation, now)


@transaction.atomic
def answer(*, link: PatientLink, question: str, answer: str, now: datetime) -> SymptomAnswer:
    """Keep one answer, with its tier at this hour. A sign is promised an answer in the same transaction.

    Raises Invalid for a question or an answer that the check does not have.
    """
    procedure = _locked(link)
    protocol = procedure.protocol_version.parsed
    if question not in check_of(protocol, link).questions:
        raise Invalid("This question is not asked here.", field="answer")
    report = _begun(link, procedure, Relation.SELF, now)
    rows = [a for a in report.answers.order_by("number") if a.question == question]
    if rows and rows[-1].answer == answer:
        return rows[-1]
    graded = _graded(protocol, {**answers_of(report), question: answer}, question, procedure, now)
    saved = SymptomAnswer.objects.create(
        check_row=report,
        question=question,
        number=len(rows) + 1,
        answer=answer,
        tier=graded.tier,
        combination=graded.combination,
        at=now,
        protocol_version_id=procedure.protocol_version_id,
    )
    worst = rules.worst((report.worst_tier, graded.tier))
    if worst != report.worst_tier:
        SymptomCheck.objects.filter(pk=report.pk).update(worst_tier=worst)
    _record("symptoms.answer_given", report, question=question, tier=graded.tier)
    events.changed(procedure)
    return saved


@transaction.atomic
def finish(*, link: PatientLink, words: str, now: datetime) -> SymptomQuestion | None:
    """Keep what was written, and end the report when every question is answered.

    Returns the question that is still owed; then the words are kept, and the link is not used up.
    """
    if len(words) > LONGEST_WORDS:
        raise Invalid(
            "Please write at most %(most)s letters, and call us about the rest.", field="words", most="10,000"
        )
    procedure = _locked(link)
    protocol = procedure.protocol_version.parsed
    report = _begun(link, procedure, Relation.SELF, now)
    owed = next_question(protocol, check_of(protocol, link), answers_of(report))
    changes: dict[str, Any] = {}
    if words.strip() and words != report.note:
        # what was written before stays: nothing that a patient wrote is lost
        changes = {"note": f"{report.note}\n\n{words}" if report.note else words, "words_at": now}
    if owed is None:
        changes |= {"outcome": CheckOutcome.ANSWERED, "finished_at": now}
        links.spend(link, now)
    if changes:
        SymptomCheck.objects.filter(pk=report.pk).update(**changes)
        _record("symptoms.finished" if owed is None else "symptoms.words_given", report, tier=report.worst_tier)
        events.changed(procedure)
    return owed


def _locked(link: PatientLink) -> Procedure:
    related = ("patient", "protocol_version")
    return row_locks.lock(Procedure, link.procedure_id, *related, without=("protocol_version__data",))


def _begun(link: PatientLink, procedure: Procedure, relation: str, now: datetime) -> SymptomCheck:
    """The report that is open for this link; the case's lock makes it one. After the end another one begins."""
    found = SymptomCheck.objects.filter(link=link, outcome=CheckOutcome.BEGUN).first()
    if found is not None:
        return found
    report = SymptomCheck.objects.create(
        procedure=procedure,
        check_code=check_of(procedure.protocol_version.parsed, link).code,
        outcome=CheckOutcome.BEGUN,
        channel=ReportChannel.LINK,
        relation=relation if relation in Relation.values else Relation.SELF,
        language=language_of(procedure.patient, procedure.protocol_version.parsed),
        link=link,
        at=now,
    )
    _record("symptoms.begun", report, relation=report.relation)
    return report


def _graded(
    protocol: Protocol, answers: dict[str, str], question: str, procedure: Procedure, now: datetime
) -> rules.Graded:
    try:
        return rules.grade(protocol, answers, symptoms.hours_since(procedure, now))[question]
    except rules.UnknownAnswer as error:
        raise Invalid("Please choose one of the answers.", field="answer") from error


def _record(action: str, report: SymptomCheck, **data: Any) -> None:
    audit.record(
        action=action,
        actor=links.READER,
        subject=report,
        patient_id=report.procedure.patient_id,
        data={"check": report.check_code, **data},
    )
