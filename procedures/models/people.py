"""Patients, how they are known, and how they may be reached."""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Collate, Upper
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from procedures.domain.states import EncounterClass


class ReachBy(models.TextChoices):
    PHONE = "phone", _("phone call")
    TEXT = "text", _("text message")
    EMAIL = "email", _("e-mail")
    CAREGIVER = "caregiver", _("through the caregiver")
    FACILITY = "facility", _("through the facility")
    NONE = "none", _("no way known")


class Sex(models.TextChoices):
    FEMALE = "female", _("female")
    MALE = "male", _("male")
    OTHER = "other", _("other")
    UNKNOWN = "unknown", _("unknown")


class Patient(models.Model):
    """A person who is treated here. Identity, contact and what is true of them now."""

    given_name = models.CharField(_("given name"), max_length=100)
    family_name = models.CharField(_("family name"), max_length=100)
    birth_date = models.DateField(_("birth date"))
    sex = models.CharField(_("sex (administrative)"), max_length=10, choices=Sex.choices, default=Sex.UNKNOWN)
    #: "family given mrn", upper case without accents: what the search looks in. Written by services.patients.
    search_text = models.TextField(editable=False, default="")

    phone = PhoneNumberField(_("phone"), blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    reach_by = models.CharField(_("reach by"), max_length=12, choices=ReachBy.choices, default=ReachBy.PHONE)
    voicemail_allowed = models.BooleanField(_("a voicemail may be left"), default=False)
    consent_email = models.BooleanField(_("agrees to e-mail"), default=False)
    consent_sms = models.BooleanField(_("agrees to text messages"), default=False)
    caregiver_name = models.CharField(_("caregiver"), max_length=120, blank=True)
    caregiver_phone = PhoneNumberField(_("caregiver's phone"), blank=True)
    facility = models.CharField(_("facility"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=40, default="English")
    interpreter_needed = models.BooleanField(_("needs an interpreter"), default=False)

    encounter_class = models.CharField(
        _("encounter"),
        max_length=12,
        choices=[(str(c), str(c)) for c in EncounterClass],
        default=str(EncounterClass.OUTPATIENT),
    )
    #: The last time an inpatient became an outpatient; empty while an inpatient.
    discharged_at = models.DateTimeField(_("discharged"), null=True, blank=True)
    deceased_at = models.DateTimeField(_("deceased"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("patient")
        ordering = ("family_name", "given_name", "pk")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(encounter_class__in=[str(c) for c in EncounterClass]), name="patient_encounter_known"
            ),
        )
        indexes = (
            # the search page: any part of name or number, fast at 100,000 patients
            GinIndex(OpClass(Upper("search_text"), name="gin_trgm_ops"), name="patient_search"),
            # and whose name begins so: the first of many, in this order
            models.Index(Collate("search_text", "C"), name="patient_begins"),
            models.Index(fields=["birth_date"], name="patient_birth_date"),
        )

    def __str__(self) -> str:
        return f"Patient {self.pk}"  # no name: strings end up in logs

    @property
    def name(self) -> str:
        return f"{self.family_name}, {self.given_name}"

    def age_on(self, day: date) -> int:
        """Completed years on ``day``."""
        had_birthday = (day.month, day.day) >= (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - (0 if had_birthday else 1)

    @property
    def is_inpatient(self) -> bool:
        return self.encounter_class == EncounterClass.INPATIENT

    @property
    def mrn(self) -> str:
        """The first identifier (the clinic's own is made first); prefetch ``identifiers`` on lists."""
        for identifier in sorted(self.identifiers.all(), key=lambda i: i.pk):
            return str(identifier.value)
        return ""


class PatientIdentifier(models.Model):
    """A number some authority gave: only both together identify."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="identifiers")
    authority = models.CharField(_("authority"), max_length=60)
    value = models.CharField(_("number"), max_length=60)

    class Meta:
        verbose_name = _("identifier")
        constraints = (
            models.UniqueConstraint(fields=["authority", "value"], name="identifier_unique"),
            models.CheckConstraint(
                condition=~models.Q(value="") & ~models.Q(authority=""), name="identifier_never_empty"
            ),
        )
        indexes = (models.Index(Upper("value"), name="identifier_typed"),)  # whose number is this

    def __str__(self) -> str:
        return f"Identifier {self.pk}"
