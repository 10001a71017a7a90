"""What was done: the procedure record. Signed; amended by a new version."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ProcedureRecord(models.Model):
    """Common columns plus ``fields``: JSON checked against the pinned protocol's record fields.

    Saving is never refused for what is missing; signing is. Signed content is frozen by a trigger.
    """

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="records")
    number = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(_("needle in"), null=True, blank=True)
    ended_at = models.DateTimeField(_("dressing on"), null=True, blank=True)
    operator = models.ForeignKey(
        "clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("operator")
    )
    supervisor = models.CharField(_("supervisor"), max_length=120, blank=True)
    assistant = models.CharField(_("assistant"), max_length=120, blank=True)
    complications = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    #: "None" is an assertion of its own: an empty list alone says nothing.
    no_complications = models.BooleanField(_("no complication"), default=False)
    complication_note = models.TextField(_("what happened"), blank=True)
    fields = models.JSONField(default=dict)
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    amendment_reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("procedure record")
        ordering = ("procedure_id", "-number")
        constraints = (
            models.UniqueConstraint(fields=["procedure", "number"], name="record_number"),
            models.UniqueConstraint(
                fields=["procedure"], condition=Q(supersedes__isnull=True), name="record_first_once"
            ),
            # one draft at a time
            models.UniqueConstraint(fields=["procedure"], condition=Q(signed_at__isnull=True), name="record_one_draft"),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True, signed_by__isnull=True)
                | Q(signed_at__isnull=False, signed_by__isnull=False),
                name="record_signed_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(supersedes__isnull=True) | ~Q(amendment_reason=""), name="record_amendment_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(no_complications=False) | Q(complications=[]), name="record_none_means_none"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(started_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="record_ends_after_start",
            ),
        )
        triggers = (
            pgtrigger.Protect(
                name="record_signed_frozen",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__signed_at__isnull=False),
            ),
            pgtrigger.Protect(name="record_never_deleted", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"Record {self.pk}"
