"""What a patient reported, and how they are asked, as facts for the planner."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from followups.domain import facts as f
from followups.models import PatientLink, SymptomAnswer, SymptomCheck
from followups.models.links import LinkPurpose
from followups.models.symptoms import SPOKEN
from procedures.domain import symptoms as rules
from procedures.domain.protocol import Protocol
from procedures.domain.states import ProcedureStatus
from procedures.models import Patient, Procedure
from procedures.models.people import ReachBy

#: When the clinic calls those who were silent (its local time).
MORNING = time(9)
NEED_ANSWER = ("A", "B", "C")


def reports(procedure: Procedure, protocol: Protocol) -> tuple[f.SymptomFact, ...]:
    """Every asking of the case. Three queries, one where nobody was ever asked."""
    rows = SymptomCheck.objects.filter(procedure=procedure).prefetch_related("answers", "triages")
    rebook = {(q.code, a.code) for q in protocol.symptom_questions for a in q.answers if a.action == "rebook"}
    return tuple(report(row, rebook) for row in rows.order_by("at", "pk"))


def report(row: SymptomCheck, rebook: set[tuple[str, str]]) -> f.SymptomFact:
    """One asking: what of it nobody has dealt with yet. ``row`` carries its answers and triages."""
    answers, triages = list(row.answers.all()), list(row.triages.all())
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


def flags(procedure: Procedure) -> set[str]:
    """A sign that was answered makes its later checks due (``headache``); ``headache_now`` until it is gone."""
    given = SymptomAnswer.objects.filter(check_row__procedure=procedure)
    found = set(given.exclude(tier="").values_list("question", flat=True))
    headache = given.filter(question="headache").order_by("-pk").values_list("answer", flat=True).first()
    if headache not in (None, "none"):
        found.add("headache_now")
    return found


def links(procedure: Procedure, contacts: tuple[f.ContactFact, ...]) -> dict[str, Any]:
    """Whether the patient is asked by a link, and which links are locked. One query."""
    newest = {
        (link.purpose, link.about): link
        for link in PatientLink.objects.filter(procedure=procedure, withdrawn_at__isnull=True).order_by("pk")
    }
    locked = tuple(
        f.LockedFact(id=link.pk, purpose=link.purpose, at=link.locked_at, about=link.about)
        for link in newest.values()
        if link.locked_at
        and (
            link.purpose == LinkPurpose.SYMPTOMS
            or not any(c.outcome == "reached" and c.at >= link.locked_at for c in contacts)
        )
    )
    return {"by_message": may_be_written_to(procedure.patient), "morning_after": morning_after, "locked": locked}


def may_be_written_to(patient: Patient) -> bool:
    """Agreed to a message and has an address for it; not in a ward, and not reached through other people."""
    ways = (patient.consent_email and patient.email, patient.consent_sms and patient.phone)
    through_people = {ReachBy.CAREGIVER, ReachBy.FACILITY, ReachBy.NONE}
    return any(ways) and not patient.is_inpatient and patient.reach_by not in through_people


def morning_after(moment: datetime) -> datetime:
    """The next morning in the clinic's own time, also over a change of the clocks."""
    zone = ZoneInfo(settings.CLINIC_ZONE)
    day = moment.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, MORNING, tzinfo=zone).astimezone(moment.tzinfo)


def booked_again_at(procedure: Procedure) -> datetime | None:
    """When the newest other case of this patient and this kind was asked for. One query."""
    others = Procedure.objects.filter(
        patient_id=procedure.patient_id, protocol_version__protocol_id=procedure.protocol_version.protocol_id
    ).exclude(pk=procedure.pk)
    standing = others.exclude(status__in=[ProcedureStatus.CANCELLED, ProcedureStatus.ENTERED_IN_ERROR])
    return standing.order_by("-requested_at").values_list("requested_at", flat=True).first()
