"""Patients: who they are, how they may be reached, and what is true of them now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from procedures import events
from procedures.domain import names
from procedures.domain.states import EncounterClass
from procedures.models import Patient, PatientIdentifier
from procedures.services import consents, series

#: What a form may set beside names, birth date and number.
CONTACT_FIELDS = frozenset(
    {
        "sex",
        "phone",
        "email",
        "reach_by",
        "voicemail_allowed",
        "consent_email",
        "consent_sms",
        "caregiver_name",
        "caregiver_phone",
        "facility",
        "language",
        "interpreter_needed",
        "encounter_class",
    }
)
CHANGEABLE = CONTACT_FIELDS | {"given_name", "family_name", "birth_date"}
NUMBER_TAKEN = "This number belongs to another patient already."


class PossibleDuplicate(Conflict):
    """Somebody born on the same day with a similar name is registered already."""

    def __init__(self, candidates: list[Patient]) -> None:
        self.candidates = candidates
        super().__init__()


def similar_to(*, given_name: str, family_name: str, birth_date: date) -> list[Patient]:
    """Patients born that day whose name is similar: perhaps the same person."""
    same_day = Patient.objects.filter(birth_date=birth_date).prefetch_related("identifiers").order_by("pk")
    wanted = (family_name, given_name)
    return [patient for patient in same_day if names.similar(wanted, (patient.family_name, patient.given_name))]


def create(
    *,
    actor: Actor,
    given_name: str,
    family_name: str,
    birth_date: date,
    mrn: str = "",
    authority: str = "",
    despite: Collection[int] = (),
    **contact: Any,
) -> Patient:
    """Register a patient; without ``mrn`` a number is made.

    ``despite`` names the patients that were shown as perhaps the same and are not. Raises PossibleDuplicate when
    there is another one (so a second click makes no second patient), Invalid for a number that is taken.
    """
    _known(contact, CONTACT_FIELDS)
    _born(birth_date)

    def work() -> Patient:
        # One at a time per birth date: two people who register the same patient at once see each other.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('patient.birth_date'), %s)", [birth_date.toordinal()])
        found = similar_to(given_name=given_name, family_name=family_name, birth_date=birth_date)
        unseen = [patient for patient in found if patient.pk not in set(despite)]
        if unseen:
            raise PossibleDuplicate(found)
        patient = Patient(given_name=given_name, family_name=family_name, birth_date=birth_date, **contact)
        patient.save(force_insert=True)
        identifier = _identify(patient, mrn.strip(), authority.strip() or settings.CLINIC_AUTHORITY)
        patient.search_text = names.search_text(family_name, given_name, identifier.value)
        patient.save(update_fields=["search_text"])
        data = {"despite": sorted(despite)}
        audit.record(action="patient.created", actor=actor, subject=patient, patient_id=patient.pk, data=data)
        consents.ticked(actor=actor, patient=patient, changed=consents.given_of(patient))
        return patient

    return _unless_number_taken(work)


def update(*, actor: Actor, patient: Patient, changes: Mapping[str, Any], mrn: str | None = None) -> Patient:
    """Store what differs. ``mrn`` corrects the first number. Audited by the names of the columns, not their values.

    Raises Invalid for a number that is taken or empty.
    """
    _known(changes, CHANGEABLE)
    if "birth_date" in changes:
        _born(changes["birth_date"])

    def work() -> Patient:
        locked = _lock(patient)
        changed = [name for name, value in changes.items() if getattr(locked, name) != value]
        for name in changed:
            setattr(locked, name, changes[name])
        if "encounter_class" in changed:
            changed.append("discharged_at")
            locked.discharged_at = _discharged_at(locked)
        if mrn is not None and _renumber(locked, mrn.strip()):
            changed.append("mrn")
        if not changed:
            return locked
        numbers = locked.identifiers.order_by("pk").values_list("value", flat=True)
        locked.search_text = names.search_text(locked.family_name, locked.given_name, *numbers)
        locked.save(update_fields=[*(name for name in changed if name != "mrn"), "search_text"])
        data = {"fields": sorted(changed)}
        audit.record(action="patient.changed", actor=actor, subject=locked, patient_id=locked.pk, data=data)
        consents.ticked(actor=actor, patient=locked, changed=changed)
        events.patient_changed(locked)
        return locked

    return _unless_number_taken(work)


@transaction.atomic
def set_encounter_class(*, actor: Actor, patient: Patient, encounter_class: EncounterClass) -> Patient:
    """Admitted or discharged: for an inpatient no texts and no links, and telling goes to the ward."""
    locked = _lock(patient)
    if locked.encounter_class == encounter_class:
        return locked
    old, locked.encounter_class = locked.encounter_class, str(encounter_class)
    locked.discharged_at = _discharged_at(locked)
    locked.save(update_fields=["encounter_class", "discharged_at"])
    audit.record(
        action="patient.encounter_changed",
        actor=actor,
        subject=locked,
        patient_id=locked.pk,
        data={"from": old, "to": str(encounter_class)},
    )
    events.patient_changed(locked)
    return locked


@events.together()
def set_deceased(*, actor: Actor, patient: Patient, at: datetime, reason: str = "") -> Patient:
    """The patient has died: every message to them stops at once, and series end; results are still reviewed.

    Saying it again changes nothing. Raises Invalid for a moment in the future or before birth.
    """
    if at > clock.now():
        raise Invalid("This moment is in the future.", field="at")
    if timezone.localdate(at) < patient.birth_date:
        raise Invalid("This is before the patient was born.", field="at")
    locked = _lock(patient)
    if locked.deceased_at is not None:
        return locked
    locked.deceased_at = at
    locked.save(update_fields=["deceased_at"])
    audit.record(action="patient.deceased", actor=actor, subject=locked, patient_id=locked.pk, reason=reason)
    events.patient_changed(locked)
    series.end_for_death(actor=actor, patient=locked)
    return locked


@events.together()
def undo_deceased(*, actor: Actor, patient: Patient, reason: str) -> Patient:
    """It was recorded by mistake. Raises Invalid without a reason."""
    if not reason.strip():
        raise Invalid("Say why this was wrong.", field="reason")
    locked = _lock(patient)
    if locked.deceased_at is None:
        return locked
    locked.deceased_at = None
    locked.save(update_fields=["deceased_at"])
    audit.record(action="patient.deceased_undone", actor=actor, subject=locked, patient_id=locked.pk, reason=reason)
    events.patient_changed(locked)
    series.resume_after_error(actor=actor, patient=locked)
    return locked


def _discharged_at(patient: Patient) -> datetime | None:
    """For a patient whose encounter class has just changed: an outpatient has left the hospital now."""
    return None if patient.is_inpatient else clock.now()


def _lock(patient: Patient) -> Patient:
    return row_locks.lock(Patient, patient.pk)


def _known(given: Mapping[str, Any], allowed: frozenset[str]) -> None:
    unknown = set(given) - allowed
    if unknown:
        raise TypeError(f"not a patient's field: {', '.join(sorted(unknown))}")


def _born(birth_date: date) -> None:
    if birth_date > timezone.localdate(clock.now()):
        raise Invalid("The birth date is in the future.", field="birth_date")


def _identify(patient: Patient, mrn: str, authority: str) -> PatientIdentifier:
    """The number given, or one made from the row's own; a made number that somebody has typed before gets a letter."""
    if mrn:
        return PatientIdentifier.objects.create(patient=patient, authority=authority, value=mrn)
    value = f"P{patient.pk:06d}"
    for letter in ("", *"ABCDEFGH"):
        if not PatientIdentifier.objects.filter(authority=authority, value=value + letter).exists():
            return PatientIdentifier.objects.create(patient=patient, authority=authority, value=value + letter)
    raise Conflict("No number could be made. Please type one.")


def _renumber(patient: Patient, mrn: str) -> bool:
    first = patient.identifiers.order_by("pk").first()
    if not mrn:
        raise Invalid("A patient always has a number.", field="mrn")
    if first is None:
        PatientIdentifier.objects.create(patient=patient, authority=settings.CLINIC_AUTHORITY, value=mrn)
        return True
    if first.value == mrn:
        return False
    first.value = mrn
    first.save(update_fields=["value"])
    return True


def _unless_number_taken(work: Callable[[], Patient]) -> Patient:
    """Run ``work`` in a transaction. Caught outside it: inside, the transaction is broken."""
    try:
        with transaction.atomic():
            return work()
    except IntegrityError as exc:
        if getattr(getattr(exc.__cause__, "diag", None), "constraint_name", "") == "identifier_unique":
            raise Invalid(NUMBER_TAKEN, field="mrn") from exc
        raise
