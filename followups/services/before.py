"""The form before the visit: a link for the patient, answers kept as they go, sent once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from clinic import access, clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from followups.models import PatientDraft, PatientLink
from followups.models.links import LinkPurpose
from followups.patient_language import language_of
from followups.services import links
from procedures.access import CONTACT
from procedures.domain import reported
from procedures.domain.reported import Given
from procedures.models import PatientReport, Procedure
from procedures.services import checklists
from procedures.services import reported as arrivals


class Spent(Conflict):
    """This form has been sent already."""


def current(procedure: Procedure, now: datetime) -> PatientLink | None:
    """The newest link of the form that may still be used."""
    rows = procedure.patient_links.filter(purpose=LinkPurpose.BEFORE).select_related("procedure__patient")
    return next((link for link in rows.order_by("-pk") if links.is_open(link, now)), None)


def why_not(procedure: Procedure) -> str:
    """Why this patient is not sent the form; empty when they may be. In words for the staff, untranslated."""
    if procedure.patient.deceased_at:
        return "The patient has died: nothing is sent."
    if procedure.patient.is_inpatient:
        return "An inpatient gets no link: ask at the bedside, with the checklist."
    if procedure.state not in arrivals.BEFORE:
        return "The visit has begun, or it was cancelled: nothing is asked any more."
    if not procedure.protocol_version.parsed.patient_questions:
        return "This case began with an older protocol, which has no form for the patient."
    return ""


@transaction.atomic
def offer(*, actor: Actor, procedure: Procedure) -> PatientLink:
    """A link to the form; the one that is open already when there is one. Raises Invalid where none may be sent."""
    access.require(actor, *CONTACT)
    locked = checklists.lock(procedure)
    locked.patient = procedure.patient
    refused = why_not(locked)
    if refused:
        raise Invalid(refused)
    now = clock.now()
    return current(locked, now) or links.issue(procedure=locked, purpose=LinkPurpose.BEFORE, now=now)


def given_of(link: PatientLink) -> dict[str, Given]:
    """The answers so far."""
    draft = PatientDraft.objects.filter(link=link).first()
    return reported.from_data(draft.data) if draft is not None else {}


@transaction.atomic
def keep(*, link: PatientLink, code: str, given: Given, now: datetime) -> None:
    """Keep one answer. Two telephones may write different ones at once: each adds to what is there."""
    PatientLink.objects.select_for_update(of=("self",), no_key=True).get(pk=link.pk)
    answers = {**given_of(link), code: given}
    PatientDraft.objects.update_or_create(link=link, defaults={"data": reported.to_data(answers), "updated_at": now})


@transaction.atomic
def send(*, link: PatientLink, answered_by: str, now: datetime) -> PatientReport:
    """All of it arrives in the checklist, and the link is used up. Raises Spent, TooLate, and Invalid while
    something has not been asked yet.
    """
    procedure = link.procedure
    checklists.lock(procedure)
    given = given_of(link)
    protocol = procedure.protocol_version.parsed
    if not links.spend(link, now):
        raise Spent
    if reported.open_questions(protocol, given):
        raise Invalid("Some questions have no answer yet.")
    report = arrivals.arrive(
        actor=links.READER,
        procedure=procedure,
        given=given,
        language=language_of(procedure.patient, protocol),
        answered_by=answered_by.strip(),
        now=now,
    )
    PatientDraft.objects.filter(link=link).delete()
    return report
