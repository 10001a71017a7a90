"""The audit trail: append-only, plain values, no foreign keys; and its daily seals."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """Who did or read what, to whose chart, when and why.

    ``at`` is the clinic's time (in a demonstration it carries the offset), ``recorded_at`` the wall clock.
    """

    id = models.BigAutoField(primary_key=True)
    action = models.CharField(max_length=80)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=160)
    via = models.CharField(max_length=20)
    subject_type = models.CharField(max_length=80, blank=True)
    subject_id = models.BigIntegerField(null=True)
    patient_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["patient_id", "-id"], name="audit_by_patient"),  # accounting of disclosures
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),  # activity review
            models.Index(fields=["subject_type", "subject_id"], name="audit_by_subject"),  # history of one thing
            models.Index(fields=["action", "-id"], name="audit_by_action"),  # overrides, exports
            # accounting of disclosures: a list was read with this patient on it
            GinIndex(
                OpClass("data", name="jsonb_path_ops"), name="audit_lists", condition=models.Q(action="list.read")
            ),
        )
        triggers = (pgtrigger.Protect(name="audit_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} by {self.actor_name}"


class AuditSeal(models.Model):
    """The digest of one clinic day of the trail, chained to the day before (``clinic.audit_seal``).

    A seal covers the rows after the previous one's ``last_id`` up to and with its own, so that every row belongs to
    exactly one. ``marks`` has twelve bytes for each row, enough to name the one that does not match.
    """

    day = models.DateField(unique=True)
    first_id = models.BigIntegerField(null=True)  # None: a day without a row
    last_id = models.BigIntegerField()
    count = models.PositiveIntegerField()
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    marks = models.BinaryField()
    sealed_at = models.DateTimeField()  # wall clock

    class Meta:
        verbose_name = _("audit seal")
        ordering = ("day",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(count=0, first_id__isnull=True)
                | models.Q(count__gt=0, first_id__isnull=False, first_id__lte=models.F("last_id")),
                name="audit_seal_range",
            ),
        )
        triggers = (pgtrigger.Protect(name="audit_seal_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.digest[:12]}"
