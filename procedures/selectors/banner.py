"""Who a clinical page is about: what the sticky patient banner shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from clinic import clock
from procedures.domain import clearance as clearance_rules
from procedures.domain.clearance import Standing
from procedures.domain.findings import Finding, stops
from procedures.domain.states import ProcedureStatus
from procedures.models import AllergyEntry, Answer, Patient, Procedure
from procedures.models.checklists import AnswerState
from procedures.selectors import clearance, safety
from procedures.selectors.finding_words import said

BEFORE_THE_NEEDLE = frozenset({ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED})


def of_procedure(procedure: Procedure, found: Iterable[Finding] | None = None) -> dict[str, Any]:
    """The banner for a case (``patient`` and its identifiers loaded): two queries for the allergies, and until the
    needle is in six for what stops it. ``found``: what the rules say, where they were asked already.
    """
    codes = [q.code for q in procedure.protocol_version.parsed.questions if q.kind == "allergies"]
    return {**of_patient(procedure.patient, question_codes=codes), "stops": _stops(procedure, found)}


def of_patient(patient: Patient, *, question_codes: list[str] | None = None) -> dict[str, Any]:
    """Name, age, number and allergies. *Not asked* and *unknown* are never *none*."""
    state, allergies = _allergies(patient, question_codes)
    notes = []
    if patient.is_inpatient:
        notes.append(_("Inpatient"))
    if patient.interpreter_needed:
        notes.append(_("Interpreter: %(language)s") % {"language": patient.language})
    return {
        "name": patient.name,
        "born": patient.birth_date,
        "age": patient.age_on(clock.now().date()),
        "mrn": patient.mrn,
        "url": reverse("procedures:patient", args=[patient.pk]),
        "allergies_state": state,
        "allergies": allergies,
        "stops": [],
        "notes": notes,
        "deceased": patient.deceased_at,
    }


def _stops(procedure: Procedure, found: Iterable[Finding] | None) -> list[dict[str, Any]]:
    """What the rules know to stop the needle as it is planned; what is only unknown stands on the checklist.

    A stop that two people have cleared is still there, and says so. One query more where there is any.
    """
    if procedure.state not in BEFORE_THE_NEEDLE:
        return []
    now = clock.now()
    found = safety.findings(procedure, now) if found is None else found
    known = [finding for finding in stops(found) if not finding.unknown]
    if not known:
        return []
    url = reverse("procedures:checklist", args=[procedure.code])
    stood = clearance_rules.stand(
        known, clearance.decided(procedure), fluoroscopic=clearance.is_fluoroscopic(procedure)
    )
    return [
        {"label": each.title, "url": url, "cleared": row.standing is Standing.CLEARED}
        for each, row in zip(said(known, now), stood, strict=True)
    ]


def _allergies(patient: Patient, codes: list[str] | None) -> tuple[str, list[str]]:
    """From the patient's newest checklist that says anything about allergies."""
    rows = (
        AllergyEntry.objects.filter(checklist__procedure__patient=patient, superseded_by__isnull=True, withdrawn=False)
        .order_by("-checklist__opened_at", "pk")
        .values_list("checklist_id", "substance")
    )
    found = list(rows)
    if found:
        newest = found[0][0]
        return "known", list(dict.fromkeys(s for c, s in found if c == newest))
    answers = (
        Answer.objects.filter(
            Q(question__in=codes) if codes else Q(question="allergies"),
            checklist__procedure__patient=patient,
            superseded_by__isnull=True,
        )
        .exclude(reported_by_patient=True, confirmed=False)  # that there are none is not so until a nurse has asked
        .order_by("-answered_at")
    )
    answer = answers.values_list("state", flat=True).first()
    if answer is None or answer == AnswerState.NOT_ASKED:
        return "not_asked", []
    return ("none", []) if answer == AnswerState.NONE else ("unknown", [])
