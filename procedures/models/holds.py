"""A medicine that was held for the needle, and what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class RestartDecision(models.TextChoices):
    RESTARTED = "restarted", _("restarted")
    NOT_RESTARTED = "not_restarted", _("not restarted, because")


class Hold(models.Model):
    """One row per held medicine. The promise to restart derives only from this, never from the medicine list.

    It survives cancel, no-show and abort; after those it is due at once. ``restart_due_at`` is set by the physician.
    """

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="holds")
    ingredient = models.CharField(_("medicine"), max_length=120)
    reason = models.CharField(_("why held"), max_length=200, blank=True)
    decided_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    agreed_with = models.CharField(_("agreed with (name, clinic, phone)"), max_length=200, blank=True)
    planned_last_dose_at = models.DateTimeField(_("planned last dose"), null=True, blank=True)
    told_patient_at = models.DateTimeField(_("patient told"), null=True, blank=True)
    told_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    #: What the patient said back; empty where nobody wrote it down.
    teach_back = models.CharField(_("said back in their own words"), max_length=200, blank=True)
    #: By the rules of the day it was held: hours from the needle to the restart. Read from these alone, whatever
    #: becomes of the medicine list. None: no rule says; ``hours`` None: the physician sets it before discharge.
    restart_rule = models.JSONField(null=True, blank=True)
    restart_due_at = models.DateTimeField(_("restart due"), null=True, blank=True)
    restart = models.CharField(_("what became of it"), max_length=16, choices=RestartDecision.choices, blank=True)
    restart_at = models.DateTimeField(_("restarted at"), null=True, blank=True)
    restart_reason = models.CharField(_("because"), max_length=200, blank=True)
    restart_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    restart_recorded_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("held medicine")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(restart="") | Q(restart__in=RestartDecision.values), name="hold_known"),
            models.CheckConstraint(
                condition=~Q(restart="not_restarted") | ~Q(restart_reason=""), name="hold_not_restarted_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(restart="") | Q(restart_by__isnull=False, restart_recorded_at__isnull=False),
                name="hold_decision_has_person",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | ~Q(withdrawn_reason=""), name="hold_withdrawn_has_reason"
            ),
        )

    def __str__(self) -> str:
        return f"Hold {self.pk}"
