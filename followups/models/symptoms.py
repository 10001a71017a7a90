"""Danger signs, asked at their hour and answered; silence is never taken for well."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CheckOutcome(models.TextChoices):
    ANSWERED = "answered", _("answered")
    NOT_REACHED = "not_reached", _("not reached")
    NOT_NEEDED = "not_needed", _("not needed, because")


class SymptomCheck(models.Model):
    """One asking: by whom, whom, and the worst tier. Not reached does not end the promise."""

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="symptom_checks")
    check_code = models.CharField(max_length=60)
    outcome = models.CharField(max_length=12, choices=CheckOutcome.choices)
    reason = models.CharField(max_length=200, blank=True)
    answered_by = models.CharField(_("who answered"), max_length=120, blank=True)  # patient, caregiver, ward
    worst_tier = models.CharField(max_length=1, blank=True)
    note = models.TextField(_("in their own words"), blank=True)
    #: What was done about a sign of tier A, B or C; empty while it is still to be done.
    handled = models.CharField(_("what was done"), max_length=300, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        verbose_name = _("symptom check")
        ordering = ("at", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(outcome__in=CheckOutcome.values), name="symptom_outcome_known"),
            models.CheckConstraint(condition=Q(worst_tier__in=["", "A", "B", "C", "D"]), name="symptom_tier_known"),
            models.CheckConstraint(
                condition=~Q(outcome="not_needed") | ~Q(reason=""), name="symptom_not_needed_has_reason"
            ),
        )
        triggers = (pgtrigger.Protect(name="symptom_check_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Symptom check {self.pk}"


class SymptomAnswer(models.Model):
    """One answer, with the tier the server gave it and the protocol version it was asked under."""

    check_row = models.ForeignKey(SymptomCheck, on_delete=models.PROTECT, related_name="answers")
    question = models.CharField(max_length=60)
    answer = models.CharField(max_length=60)
    tier = models.CharField(max_length=1, blank=True)
    protocol_version = models.ForeignKey("procedures.ProtocolVersion", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["check_row", "question"], name="symptom_answer_once"),
            models.CheckConstraint(condition=Q(tier__in=["", "A", "B", "C", "D"]), name="symptom_answer_tier_known"),
        )
        triggers = (pgtrigger.Protect(name="symptom_answer_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Symptom answer {self.pk}"
