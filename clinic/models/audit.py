"""The audit trail: append-only, plain values, no foreign keys."""

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
