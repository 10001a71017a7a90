"""Texts that came in: what a person must read, and what is known of who wrote."""

from __future__ import annotations

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, QuerySet

from followups.domain.inbound_text import Meaning
from followups.domain.kinds import Subject
from followups.domain.kinds.read_text import FOR_PEOPLE
from followups.domain.text_facts import TextFacts
from followups.models import FollowUp, TextMessage
from followups.selectors import paging
from procedures.models import Patient, Procedure

#: What a list does not say of a patient, and what takes longest to read.
UNSAID = ("phone", "caregiver_phone", "email", "search_text", "discharged_at", "deceased_at", "created_at")


def facts_of(row: TextMessage) -> TextFacts:
    return TextFacts(
        id=row.pk,
        received_at=row.received_at,
        meaning=Meaning(row.meaning),
        read=row.read_at is not None,
        known=row.patient_id is not None,
    )


def patients_with(number: str) -> list[Patient]:
    """Everybody whose number this is: a couple may share one."""
    return list(Patient.objects.filter(phone=number).order_by("pk")) if number else []


def case_of(patient: Patient) -> Procedure | None:
    """The case that the words are most likely about: the newest that is not closed, else the newest."""
    rows = Procedure.objects.filter(patient=patient).exclude(status="entered_in_error").order_by("-pk")
    return rows.filter(closed_at__isnull=True).first() or rows.first()


def unread() -> QuerySet[TextMessage]:
    """What waits for a person, the oldest first."""
    rows = TextMessage.objects.filter(read_at__isnull=True, meaning__in=[str(m) for m in FOR_PEOPLE])
    return rows.select_related("patient", "procedure").order_by("received_at", "pk")


def unplanned() -> list[int]:
    """Unread texts without a promise: there should be none. One query."""
    planned = FollowUp.objects.filter(subject_kind=str(Subject.TEXT), subject_id=OuterRef("pk"))
    return list(unread().filter(~Exists(planned)).values_list("pk", flat=True))


def lately() -> QuerySet[TextMessage]:
    """What came in last and has been read, or was a command."""
    rows = TextMessage.objects.exclude(pk__in=unread().values("pk"))
    return _named(rows.select_related("patient", "read_by").order_by("-received_at", "-pk"))[: paging.SIZE]


def unread_page(number: str | None) -> Page[TextMessage]:
    """A page of what waits. Two queries."""
    return Paginator(_named(unread().select_related(None).select_related("patient")), paging.SIZE).get_page(number)


def _named(rows: QuerySet[TextMessage]) -> QuerySet[TextMessage]:
    """On a list it is said who wrote and when, not the words."""
    return rows.defer("body", "done", *(f"patient__{name}" for name in UNSAID))
