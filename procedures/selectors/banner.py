"""Who a clinical page is about: what the sticky patient banner shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from clinic import clock
from clinic.one_statement import OneStatement, Parts
from procedures.domain import clearance as clearance_rules
from procedures.domain.clearance import Decided, Standing
from procedures.domain.findings import Finding, stops
from procedures.domain.states import ProcedureStatus
from procedures.models import AllergyEntry, Answer, Patient, Procedure
from procedures.models.checklists import AnswerState
from procedures.selectors import checklists, clearance, safety
from procedures.selectors.finding_words import said

BEFORE_THE_NEEDLE = frozenset({ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED})


def of_procedure(procedure: Procedure, found: Iterable[Finding] | None = None) -> dict[str, Any]:
    """The banner for a case (``patient`` and its identifiers loaded): one query. ``found``: what the rules say, where
    they were asked already.
    """
    read_rules = procedure.state in BEFORE_THE_NEEDLE and found is None
    statement = _statement(tuple(codes_of(procedure)), read_rules)
    rows = statement.rows(case=procedure.pk, patient=procedure.patient_id)
    return of_read(procedure, rows) if found is None else of_rows(procedure, rows, found)


def of_read(procedure: Procedure, rows: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The same from what ``parts`` have found, and ``clearance.parts`` as long as the needle is not in. No query."""
    if procedure.state not in BEFORE_THE_NEEDLE:
        return of_rows(procedure, rows, ())
    found = safety.judged_round(procedure, safety.rules_in(rows), clock.now(), checklists.round_in(rows))
    return of_rows(procedure, rows, found, clearance.decided_in(rows["decisions"]))


def of_rows(
    procedure: Procedure,
    rows: Mapping[str, Sequence[Any]],
    found: Iterable[Finding],
    decided: Sequence[Decided] | None = None,
) -> dict[str, Any]:
    """The same from what ``parts`` have found. One query for what was decided where it was not read, and only where
    something stops the needle.
    """
    return {**_of_patient(procedure.patient, *_allergies(rows)), "stops": _stops(procedure, found, decided)}


def codes_of(procedure: Procedure) -> list[str]:
    """The questions about allergies, by which the banner knows that somebody has asked."""
    return [q.code for q in procedure.protocol_version.parsed.questions if q.kind == "allergies"] or ["allergies"]


def parts(patient: Any, codes: Sequence[str]) -> Parts:
    """What the banner reads of a patient, as parts of one statement."""
    listed = AllergyEntry.objects.filter(
        checklist__procedure__patient=patient, superseded_by__isnull=True, withdrawn=False
    )
    asked = Answer.objects.filter(
        question__in=codes, checklist__procedure__patient=patient, superseded_by__isnull=True
    ).exclude(reported_by_patient=True, confirmed=False)  # that there are none is not so until a nurse has asked
    return {
        "patient_allergies": listed.order_by("-checklist__opened_at", "pk").values_list("checklist_id", "substance"),
        "patient_asked": asked.order_by("-answered_at").values_list("state", flat=True)[:1],
    }


@cache  # for the questions that a protocol names
def _statement(codes: tuple[str, ...], read_rules: bool) -> OneStatement:
    def write(case: Any, patient: Any) -> Parts:
        found = parts(patient, codes)
        return {**found, **clearance.parts(case)} if read_rules else found

    return OneStatement(write)


def _of_patient(patient: Patient, state: str, allergies: list[str]) -> dict[str, Any]:
    """Name, age, number and allergies. *Not asked* and *unknown* are never *none*."""
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


def _stops(procedure: Procedure, found: Iterable[Finding], decided: Sequence[Decided] | None) -> list[dict[str, Any]]:
    """What the rules know to stop the needle as it is planned; what is only unknown stands on the checklist.

    A stop that two people have cleared is still there, and says so.
    """
    if procedure.state not in BEFORE_THE_NEEDLE:
        return []
    known = [finding for finding in stops(found) if not finding.unknown]
    if not known:
        return []
    url = reverse("procedures:checklist", args=[procedure.code])
    stood = clearance_rules.stand(
        known,
        clearance.decided(procedure) if decided is None else decided,
        fluoroscopic=clearance.is_fluoroscopic(procedure),
    )
    return [
        {"label": each.title, "url": url, "cleared": row.standing is Standing.CLEARED}
        for each, row in zip(said(known, clock.now()), stood, strict=True)
    ]


def _allergies(rows: Mapping[str, Sequence[Any]]) -> tuple[str, list[str]]:
    """From the patient's newest checklist that says anything about allergies."""
    found = rows["patient_allergies"]
    if found:
        newest = found[0][0]
        return "known", list(dict.fromkeys(substance for checklist, substance in found if checklist == newest))
    answer = next(iter(rows["patient_asked"]), None)
    if answer is None or answer == AnswerState.NOT_ASKED:
        return "not_asked", []
    return ("none", []) if answer == AnswerState.NONE else ("unknown", [])
