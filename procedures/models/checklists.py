"""The checklist before the needle: every question with an explicit answer, in stages, signed.

A row is written when a complete question changes and names the row it supersedes; the current answer is the one
that nothing supersedes. What is being typed lives in the draft, which is no fact.
"""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ChecklistDraft(models.Model):
    """What is being typed: mutable, saved as you go, never planned on."""

    procedure = models.OneToOneField("procedures.Procedure", on_delete=models.PROTECT, related_name="checklist_draft")
    data = models.JSONField(default=dict)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)

    def __str__(self) -> str:
        return f"Draft of checklist {self.procedure_id}"


class Checklist(models.Model):
    """One round of questions for a case. Reopening makes the next number; old answers then show as *to confirm*."""

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="checklists")
    number = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    reopen_reason = models.TextField(blank=True)
    #: The newest that the patient said themselves; where it differs from an answer both are shown.
    report = models.ForeignKey(
        "procedures.PatientReport", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("checklist")
        ordering = ("procedure_id", "-number")
        constraints = (models.UniqueConstraint(fields=["procedure", "number"], name="checklist_number"),)

    def __str__(self) -> str:
        return f"Checklist {self.pk}"


class AnswerState(models.TextChoices):
    """What kind of answer it is. *Not asked* is not an answer and is never written for a required question."""

    ANSWERED = "answered", _("answered")
    NONE = "none", _("none")  # asserted: takes none, no known allergy
    UNKNOWN = "unknown", _("unknown")  # was asked, nobody knows
    DECLINED = "declined", _("declined to answer")
    NOT_ASKED = "not_asked", _("not asked, because")  # needs a reason
    NOT_APPLICABLE = "not_applicable", _("does not apply, because")  # needs a reason


class Answer(models.Model):
    """One answered question: who, when, until when it is good, reported or confirmed."""

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="answers")
    question = models.CharField(max_length=60)
    state = models.CharField(max_length=16, choices=AnswerState.choices)
    value = models.JSONField(null=True, blank=True)
    note = models.TextField(blank=True)
    reported_by_patient = models.BooleanField(default=False)
    confirmed = models.BooleanField(default=True)
    answered_at = models.DateTimeField()
    answered_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )

    class Meta:
        verbose_name = _("answer")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(state__in=AnswerState.values), name="answer_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=["not_asked", "not_applicable"]) | ~Q(note=""), name="answer_reason_given"
            ),
            # two people answer at once: one row is first, the other gets 409 with both values
            models.UniqueConstraint(
                fields=["checklist", "question"], condition=Q(supersedes__isnull=True), name="answer_first_once"
            ),
        )
        triggers = (pgtrigger.Protect(name="answer_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Answer {self.pk} to {self.question}"


class MedicineStatus(models.TextChoices):
    ONGOING = "ongoing", _("still taking it")
    STOPPED = "stopped", _("stopped, last dose known")
    UNKNOWN = "unknown", _("unknown")


class MedicineRoute(models.TextChoices):
    ORAL = "oral", _("by mouth")
    SC = "sc", _("injection under the skin")
    IV = "iv", _("into a vein")
    DIALYSIS = "dialysis", _("during dialysis only")


class MedicineEntry(models.Model):
    """One medicine the patient takes or took. Changed by a new row; removed by a row that is withdrawn.

    ``code`` is the listed medicine that the name was recognised as. ``amount`` and ``unit`` are one dose; ``dose`` is
    what was written in free words. ``tier`` only where a clinician has stated it.
    """

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="medicines")
    name = models.CharField(_("medicine"), max_length=120)
    code = models.CharField(_("recognised as"), max_length=60, blank=True, default="")
    dose = models.CharField(_("dose and how often"), max_length=120, blank=True)
    amount = models.FloatField(_("one dose"), null=True, blank=True)
    unit = models.CharField(_("unit"), max_length=10, blank=True, default="")
    times_per_day = models.FloatField(_("times a day"), null=True, blank=True)
    route = models.CharField(_("how it is taken"), max_length=10, choices=MedicineRoute.choices, blank=True, default="")
    tier = models.CharField(_("kind of dose"), max_length=40, blank=True, default="")
    planned_stop_at = models.DateTimeField(_("planned last dose"), null=True, blank=True)
    indication = models.CharField(_("taken for"), max_length=120, blank=True)
    prescriber = models.CharField(_("prescriber"), max_length=120, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=MedicineStatus.choices)
    last_dose_at = models.DateTimeField(_("last dose"), null=True, blank=True)
    thins_blood = models.BooleanField(_("affects bleeding"), null=True, blank=True)  # None: nobody has said
    reported_by_patient = models.BooleanField(default=False)
    confirmed = models.BooleanField(default=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    withdrawn = models.BooleanField(default=False)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )

    class Meta:
        verbose_name = _("medicine")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(status__in=MedicineStatus.values), name="medicine_status_known"),
            models.CheckConstraint(
                condition=~Q(status="stopped") | Q(last_dose_at__isnull=False), name="medicine_stopped_has_last_dose"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | (Q(amount__gt=0) & ~Q(unit="")), name="medicine_amount_has_unit"
            ),
        )
        triggers = (pgtrigger.Protect(name="medicine_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Medicine {self.pk}"


class AllergySeverity(models.TextChoices):
    ANAPHYLAXIS = "anaphylaxis", _("anaphylaxis, swelling of face or throat, low blood pressure")
    REACTION = "reaction", _("rash or other reaction")
    INTOLERANCE = "intolerance", _("does not agree with it (no allergy)")
    UNKNOWN = "unknown", _("reaction unknown")


class AllergyEntry(models.Model):
    """One allergy: to what, what happened, how sure."""

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="allergies")
    substance = models.CharField(_("substance"), max_length=120)
    category = models.CharField(_("kind"), max_length=40, blank=True)
    reaction = models.CharField(_("what happened"), max_length=200, blank=True)
    severity = models.CharField(_("severity"), max_length=12, choices=AllergySeverity.choices)
    reported_by_patient = models.BooleanField(default=False)
    confirmed = models.BooleanField(default=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    withdrawn = models.BooleanField(default=False)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )

    class Meta:
        verbose_name = _("allergy")
        verbose_name_plural = _("allergies")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(severity__in=AllergySeverity.values), name="allergy_severity_known"),
        )
        triggers = (pgtrigger.Protect(name="allergy_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Allergy {self.pk}"


class StageSignature(models.Model):
    """A stage of the checklist, signed: by whom, over which answers (digest).

    A later change of an answer of the stage makes the digest differ: the page and the start ask to sign again.
    """

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="signatures")
    stage = models.CharField(max_length=20)
    signed_at = models.DateTimeField()
    signed_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("signature")
        ordering = ("pk",)
        triggers = (pgtrigger.Protect(name="signature_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Signature of {self.stage} {self.pk}"
