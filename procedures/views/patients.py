"""Patients: find, register, show, change. A search is a POST: what people type is a name."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access import STAFF_ROLES, actor_of, record_read, roles_required
from clinic.errors import Invalid
from clinic.htmx import wants_partial
from clinic.responses import see_other
from clinic.wording import add_to_form
from procedures import access
from procedures.domain.states import EncounterClass
from procedures.forms.patients import ENCOUNTER_LABELS, DeceasedForm, PatientForm, ReasonForm
from procedures.models import Patient
from procedures.selectors import consents
from procedures.selectors import patients as selector
from procedures.selectors import series as series_selector
from procedures.services import patients as service

staff = roles_required(*STAFF_ROLES)
bookers = roles_required(*sorted(access.BOOK))
page = require_http_methods(["GET", "HEAD", "POST"])


@page
@staff
@sensitive_post_parameters("q")
def patients(request: HttpRequest) -> HttpResponse:
    """Find a patient."""
    return search_page(request, {"choose": "patient"})


def search_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The search, whole or (as somebody types) its results alone. ``choose``: where a found patient leads."""
    actor = actor_of(request)
    context |= {"q": request.POST.get("q", ""), "may_register": actor.has(*access.BOOK), "found": None}
    if request.method == "POST":
        found = selector.search(context["q"], among=access.patients(actor))
        context["found"] = found
        if found.patients:
            record_read(request, page="patients", patient_ids=[patient.pk for patient in found.patients])
    name = "results" if wants_partial(request) else "search"
    return render(request, f"procedures/patients/{name}.html", context)


@page
@bookers
@sensitive_post_parameters()
def patient_new(request: HttpRequest) -> HttpResponse:
    """Register a patient; somebody similar is shown first."""
    form = PatientForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form, "candidates": []}
    if form.is_valid():
        data = form.cleaned_data
        try:
            patient = service.create(
                actor=actor_of(request), mrn=data["mrn"], despite=data["despite"], **form.details()
            )
        except service.PossibleDuplicate as similar:
            return _ask_whether_new(request, form, similar.candidates)
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Registered. Number %(mrn)s.") % {"mrn": patient.mrn})
            return see_other("procedures:patient", patient.pk)
    return render(request, "procedures/patients/new.html", context, status=422 if form.errors else 200)


def _ask_whether_new(request: HttpRequest, form: PatientForm, candidates: list[Patient]) -> HttpResponse:
    """The form as typed, with the patients that may be the same; sent again, it creates."""
    record_read(request, page="patient_new", patient_ids=[candidate.pk for candidate in candidates])
    data = request.POST.copy()
    data["despite"] = ",".join(str(candidate.pk) for candidate in candidates)
    form = PatientForm(data)
    form.is_valid()
    return render(request, "procedures/patients/new.html", {"form": form, "candidates": candidates}, status=409)


@require_safe
@staff
def patient(request: HttpRequest, pk: int) -> HttpResponse:
    """Identity, how to reach, and the cases: the booking side alone."""
    actor = actor_of(request)
    row = access.patient_for(actor, pk)
    record_read(request, page="patient", patient_ids=[row.pk], subject=row)
    context = {
        "patient": row,
        "age": _age(row),
        "identity": _identity(row),
        "contact": _contact(row),
        "warnings": selector.warnings(row),
        "cases": selector.cases(row),
        "series": series_selector.of_patient(row),
        "may_book": actor.has(*access.BOOK),
    }
    return render(request, "procedures/patients/patient.html", context)


@page
@bookers
@sensitive_post_parameters()
def patient_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change identity and contact."""
    actor = actor_of(request)
    row = access.patient_for(actor, pk, need=access.BOOK)
    form = PatientForm(request.POST if request.method == "POST" else None, instance=row)
    if form.is_valid():
        try:
            service.update(actor=actor, patient=row, changes=form.details(), mrn=form.cleaned_data["mrn"])
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Saved."))
            return see_other("procedures:patient", pk)
    record_read(request, page="patient_edit", patient_ids=[row.pk], subject=row)
    context = {"form": form, "patient": access.patient_for(actor, pk)}
    return render(request, "procedures/patients/edit.html", context, status=422 if form.errors else 200)


@page
@bookers
def patient_deceased(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a death, or that this was a mistake."""
    actor = actor_of(request)
    row = access.patient_for(actor, pk, need=access.BOOK)
    undo = row.deceased_at is not None
    form = (ReasonForm if undo else DeceasedForm)(request.POST if request.method == "POST" else None)
    if form.is_valid():
        do = service.undo_deceased if undo else service.set_deceased
        try:
            do(actor=actor, patient=row, **form.cleaned_data)
        except Invalid as error:
            add_to_form(form, error)
        else:
            alive, dead = _("Recorded as alive again."), _("Recorded. No further message goes to the patient.")
            messages.success(request, alive if undo else dead)
            return see_other("procedures:patient", pk)
    record_read(request, page="patient_deceased", patient_ids=[row.pk], subject=row)
    context = {"form": form, "patient": row, "undo": undo}
    return render(request, "procedures/patients/deceased.html", context, status=422 if form.errors else 200)


@require_POST
@bookers
def patient_encounter(request: HttpRequest, pk: int) -> HttpResponse:
    """Admitted, or discharged."""
    actor = actor_of(request)
    row = access.patient_for(actor, pk, need=access.BOOK)
    chosen = request.POST.get("encounter_class", "")
    if chosen not in set(EncounterClass):
        raise Invalid("Choose inpatient or outpatient.")
    service.set_encounter_class(actor=actor, patient=row, encounter_class=EncounterClass(chosen))
    messages.success(request, _("Saved: %(encounter)s.") % {"encounter": ENCOUNTER_LABELS[chosen]})
    return see_other("procedures:patient", pk)


def _age(row: Patient) -> int:
    return row.age_on(selector.today())


def _identity(row: Patient) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = [
        {"label": _("Family name"), "value": row.family_name},
        {"label": _("Given name"), "value": row.given_name},
        {"label": _("Sex (administrative)"), "value": row.get_sex_display()},
        {"label": _("Encounter"), "value": ENCOUNTER_LABELS[row.encounter_class]},
    ]
    for identifier in row.identifiers.all():
        label = _("Number of %(authority)s") % {"authority": identifier.authority}
        facts.append({"label": label, "value": identifier.value})
    return facts


def _contact(row: Patient) -> list[dict[str, Any]]:
    standing = consents.standing(row)

    def agreed(channel: str) -> str:
        if standing[channel].other_address:
            return _("not agreed for this one: ask again")
        return _("agreed") if standing[channel].agrees else _("not agreed")

    return [
        {"label": _("Reach by"), "value": row.get_reach_by_display()},
        {"label": _("Phone"), "value": str(row.phone or "")},
        {"label": _("Voicemail"), "value": _("may be left") if row.voicemail_allowed else _("not allowed")},
        {"label": _("Text messages"), "value": agreed("sms")},
        {"label": _("E-mail"), "value": row.email},
        {"label": _("E-mail messages"), "value": agreed("email")},
        {"label": _("Caregiver"), "value": row.caregiver_name},
        {"label": _("Caregiver's phone"), "value": str(row.caregiver_phone or "")},
        {"label": _("Facility"), "value": row.facility},
        {"label": _("Language"), "value": row.language},
        {"label": _("Interpreter"), "value": _("needed") if row.interpreter_needed else _("not needed")},
    ]
