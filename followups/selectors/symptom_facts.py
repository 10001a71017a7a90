"""What a patient reported, and how they are asked, as facts for the planner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic.ready_query import ReadyQuery
from followups.domain import facts as f
from followups.domain.reach import ways
from followups.models import PatientLink, SymptomAnswer, SymptomCheck, SymptomTriage
from followups.models.links import LinkPurpose
from followups.models.symptoms import SPOKEN
from followups.selectors import reach
from procedures.domain import symptoms as rules
from procedures.domain.protocol import Protocol
from procedures.models import Patient, Procedure

#: When the clinic calls those who were silent (its local time).
MORNING = time(9)
NEED_ANSWER = ("A", "B", "C")

# asked at every change of a fact: written once
CHECKS = ReadyQuery(lambda case: SymptomCheck.objects.filter(procedure=case).order_by("at", "pk"))
ANSWERS = ReadyQuery(lambda case: SymptomAnswer.objects.filter(check_row__procedure=case).order_by("pk"))
TRIAGES = ReadyQuery(lambda case: SymptomTriage.objects.filter(check_row__procedure=case))
LINKS = ReadyQuery(lambda case: PatientLink.objects.filter(procedure=case, withdrawn_at__isnull=True).order_by("pk"))
SAME_KIND = ReadyQuery(
    lambda patient, protocol: (
        Procedure.objects.filter(patient_id=patient, protocol_version__protocol_id=protocol)
        .order_by()
        .values_list("pk", "requested_at")
    )
)


def reported(procedure: Procedure, protocol: Protocol) -> tuple[tuple[f.SymptomFact, ...], set[str]]:
    """Every asking of the case, and what its answers make due. Three queries."""
    answers: defaultdict[int, list[SymptomAnswer]] = defaultdict(list)
    given = ANSWERS.rows(procedure.pk)
    for answer in given:
        answers[answer.check_row_id].append(answer)
    triages: defaultdict[int, list[SymptomTriage]] = defaultdict(list)
    for triage in TRIAGES.rows(procedure.pk):
        triages[triage.check_row_id].append(triage)
    rebook = {(q.code, a.code) for q in protocol.symptom_questions for a in q.answers if a.action == "rebook"}
    found = tuple(_report(row, answers[row.pk], triages[row.pk], rebook) for row in CHECKS.rows(procedure.pk))
    return found, _flags(given)


def report(row: SymptomCheck, rebook: set[tuple[str, str]]) -> f.SymptomFact:
    """One asking: what of it nobody has dealt with yet. ``row`` carries its answers and triages."""
    return _report(row, list(row.answers.all()), list(row.triages.all()), rebook)


def _report(
    row: SymptomCheck,
    answers: Sequence[SymptomAnswer],
    triages: Sequence[SymptomTriage],
    rebook: set[tuple[str, str]],
) -> f.SymptomFact:
    spoken = max((t.recorded_at for t in triages if t.outcome in SPOKEN), default=None)
    read = max((t.recorded_at for t in triages), default=None)
    sign, sign_at = ("", None) if row.handled else _open_sign(row, answers, spoken)
    asked_again = [
        _at(row, a) for a in current(answers) if (a.question, a.answer) in rebook and _after(_at(row, a), spoken)
    ]
    return f.SymptomFact(
        check_code=row.check_code,
        outcome=row.outcome,
        worst_tier=row.worst_tier,
        at=row.finished_at or row.at,
        id=row.pk,
        sign=sign,
        sign_at=sign_at,
        words_at=row.words_at if row.words_at and _after(row.words_at, read) else None,
        rebook_at=min(asked_again, default=None),
    )


def _open_sign(
    row: SymptomCheck, answers: Iterable[SymptomAnswer], spoken: datetime | None
) -> tuple[str, datetime | None]:
    """The most urgent sign since somebody spoke with the patient, whether taken back or not, and since when."""
    signs = [(a.tier, _at(row, a)) for a in answers if a.tier in NEED_ANSWER and _after(_at(row, a), spoken)]
    worst = rules.worst(tier for tier, _ in signs)
    return worst, min((at for tier, at in signs if tier == worst), default=None)


def current(answers: Iterable[SymptomAnswer]) -> list[SymptomAnswer]:
    """The newest answer to each question."""
    newest: dict[str, SymptomAnswer] = {}
    for answer in sorted(answers, key=lambda a: a.number):
        newest[answer.question] = answer
    return list(newest.values())


def _at(row: SymptomCheck, answer: SymptomAnswer) -> datetime:
    return answer.at or row.at


def _after(moment: datetime, other: datetime | None) -> bool:
    return other is None or moment > other


def _flags(given: Sequence[SymptomAnswer]) -> set[str]:
    """A sign that was answered makes its later checks due (``headache``); ``headache_now`` until it is gone."""
    found = {answer.question for answer in given if answer.tier}
    headaches = [answer.answer for answer in given if answer.question == "headache"]
    if headaches and headaches[-1] != "none":
        found.add("headache_now")
    return found


def locked(procedure: Procedure, contacts: Iterable[f.ContactFact]) -> tuple[f.LockedFact, ...]:
    """Which of the patient's links are locked, and nobody has spoken with them since. One query."""
    newest = {(link.purpose, link.about): link for link in LINKS.rows(procedure.pk)}
    return tuple(
        f.LockedFact(id=link.pk, purpose=link.purpose, at=link.locked_at, about=link.about)
        for link in newest.values()
        if link.locked_at
        and (
            link.purpose == LinkPurpose.SYMPTOMS
            or not any(c.outcome == "reached" and c.at >= link.locked_at for c in contacts)
        )
    )


def may_be_written_to(patient: Patient) -> bool:
    """Agreed to a message for the number or address of today; not in a ward, and not reached through other people."""
    return bool(ways(reach.of(patient)))


def morning_after(moment: datetime) -> datetime:
    """The next morning in the clinic's own time, also over a change of the clocks."""
    zone = ZoneInfo(settings.CLINIC_ZONE)
    day = moment.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, MORNING, tzinfo=zone).astimezone(moment.tzinfo)


def booked_again_at(procedure: Procedure) -> datetime | None:
    """When the newest other case of this patient and this kind was asked for, whatever became of it. One query."""
    cases = SAME_KIND.rows(procedure.patient_id, procedure.protocol_version.protocol_id)
    return max((requested_at for pk, requested_at in cases if pk != procedure.pk), default=None)
