"""Finding patients, and what must be known before they are booked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Value, prefetch_related_objects
from django.db.models.functions import Collate, Upper
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import clock
from procedures.domain import names
from procedures.domain.search import Term, terms
from procedures.models import Patient, PatientIdentifier, Procedure
from procedures.models.people import ReachBy

LIMIT = 50
#: Of so many that match somewhere in the middle the first are shown; whoever finds more has typed too little.
MOST = 500


@dataclass(frozen=True)
class Found:
    """The result of a search. ``enough``: enough was typed to search at all; ``more``: not all are shown."""

    patients: list[Patient]
    enough: bool
    more: bool


def search(text: str, *, among: QuerySet[Patient] | None = None, limit: int = LIMIT) -> Found:
    """Patients by any part of the name, number or birth date; an exact number first. Identifiers are prefetched.

    Every word must match. However many do, the work is that of a few hundred: where more begin so than are shown, the
    first of them are read from an index; of others, ``MOST`` at most are sorted. Five queries at most.
    """
    wanted = terms(text)
    if not wanted:
        return Found([], enough=False, more=False)
    rows = Patient.objects.all() if among is None else among
    for term in wanted:
        rows = rows.filter(_matches(term))
    begins = names.fold(text).replace(",", "")
    exact, first = _at_the_top(text, begins, limit + 1)
    ordered = rows.annotate(
        exact=ExpressionWrapper(Q(pk__in=exact), output_field=BooleanField()),
        begins=ExpressionWrapper(Q(search_text__startswith=begins), output_field=BooleanField()),
    ).order_by("-exact", "-begins", "family_name", "given_name", "pk")
    found: list[Patient] = []
    if len(first) > limit:
        found = list(ordered.filter(pk__in=[*exact, *first])[: limit + 1])
    if len(found) <= limit:
        found = list(ordered.filter(pk__in={*exact, *first, *_some(rows)})[: limit + 1])
    prefetch_related_objects(found, "identifiers")
    return Found(found[:limit], enough=True, more=len(found) > limit)


def _at_the_top(text: str, begins: str, most: int) -> tuple[list[int], list[int]]:
    """Whose number this is, and the first whose name begins so. One query, by two indexes."""
    exact = PatientIdentifier.objects.annotate(typed=Upper("value")).filter(typed=text.strip().upper())
    first = Patient.objects.annotate(letters=Collate("search_text", "C")).filter(letters__startswith=begins)
    numbers = exact.order_by().values_list("patient_id", Value(True))
    found = list(numbers.union(first.order_by("letters").values_list("pk", Value(False))[:most], all=True))
    return [pk for pk, is_number in found if is_number], [pk for pk, is_number in found if not is_number]


def _some(rows: QuerySet[Patient]) -> list[int]:
    """``MOST`` of them at most, as they come. One query.

    Within the limit PostgreSQL would read the table itself, and go on to its end for those that lie there: so it plans
    for all of them, by the index, and stops when there are enough.
    """
    sql, params = rows.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"WITH matching AS MATERIALIZED ({sql}) SELECT * FROM matching LIMIT {MOST}", params)
        return [pk for (pk,) in cursor.fetchall()]


def cases(patient: Patient) -> list[Procedure]:
    """The patient's cases, newest first, with what a list of bookings shows."""
    return list(
        patient.procedures.select_related("protocol_version__protocol", "responsible", "operator", "room")
        .defer("protocol_version__data")  # large, and parsed once per process
        .order_by("-requested_at", "-pk")
    )


def warnings(patient: Patient) -> list[str]:
    """What to settle before the needle. Never a reason to refuse."""
    found: list[str] = []
    if patient.deceased_at is not None:
        found.append(_("This patient is recorded as deceased: no messages are sent."))
    if not patient.phone and not patient.is_inpatient:
        found.append(_("No phone number: make a follow-up plan before the needle."))
    if patient.reach_by == ReachBy.NONE:
        found.append(_("No way to reach this patient is known: make a follow-up plan before the needle."))
    if patient.reach_by == ReachBy.CAREGIVER and not patient.caregiver_phone:
        found.append(_("To be reached through the caregiver, but the caregiver has no phone number here."))
    if patient.reach_by == ReachBy.FACILITY and not patient.facility:
        found.append(_("To be reached through a facility, but none is named."))
    if patient.interpreter_needed:
        found.append(
            _("Needs an interpreter (%(language)s): allow 15 to 30 minutes more.") % {"language": patient.language}
        )
    if patient.is_inpatient:
        found.append(_("Inpatient: checks and results go to the ward team; no texts or links are sent."))
    return found


def today() -> date:
    """The clinic's calendar day."""
    return timezone.localdate(clock.now())


def _matches(term: Term) -> Q:
    condition = Q()
    if term.text:
        condition |= Q(search_text__icontains=term.text)
    if term.dates:
        condition |= Q(birth_date__in=term.dates)
    return condition
