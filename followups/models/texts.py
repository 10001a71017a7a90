"""Texts that come in. Words that are no command are read by a person."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from followups.domain.inbound_text import Meaning


class TextMessage(models.Model):
    """One text from a phone, as it came. ``patient`` is empty when nobody, or more than one, has the number.

    ``provider_id`` is the provider's: the same text given to us twice is one.
    """

    provider_id = models.CharField(max_length=64, unique=True)
    number = models.CharField(_("from"), max_length=32)
    body = models.TextField(_("text"), blank=True)
    meaning = models.CharField(max_length=10)
    patient = models.ForeignKey(
        "procedures.Patient", on_delete=models.PROTECT, related_name="texts", null=True, blank=True
    )
    procedure = models.ForeignKey(
        "procedures.Procedure", on_delete=models.PROTECT, related_name="texts", null=True, blank=True
    )
    received_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    read_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    done = models.TextField(_("what was done"), blank=True)

    class Meta:
        verbose_name = _("text from a patient")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(meaning__in=[str(m) for m in Meaning]), name="text_meaning_known"),
            models.CheckConstraint(
                condition=Q(read_at__isnull=True, read_by__isnull=True, done="")
                | (Q(read_at__isnull=False, read_by__isnull=False) & ~Q(done="")),
                name="text_read_by_somebody",
            ),
        )
        indexes = (
            models.Index(fields=["received_at"], condition=Q(read_at__isnull=True), name="text_unread"),
            models.Index(fields=["number", "-received_at"], name="text_by_number"),
            models.Index(fields=["-received_at", "-id"], name="text_newest"),  # the list
        )
        triggers = (
            pgtrigger.ReadOnly(
                name="text_stays_as_it_came",
                fields=["provider_id", "number", "body", "meaning", "patient", "procedure", "received_at"],
            ),
            pgtrigger.Protect(name="text_never_deleted", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"Text {self.pk}"
