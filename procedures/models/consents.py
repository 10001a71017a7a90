"""What a patient agreed to, channel by channel. Rows are added, never changed: the newest counts."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ConsentChannel(models.TextChoices):
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("text message")


class ConsentHow(models.TextChoices):
    SIGNED = "signed", _("a signed form")
    SPOKEN = "spoken", _("said so, in person or on the phone")
    CHART = "chart", _("ticked when the patient's details were written down")
    TEXT = "text", _("by a text message")
    PROVIDER = "provider", _("told the provider of text messages to stop")


class Consent(models.Model):
    """Given or withdrawn. ``address``: the number or e-mail it is for; another one needs a consent of its own.

    ``warned``: was told that such messages are not encrypted, and wants them.
    """

    patient = models.ForeignKey("procedures.Patient", on_delete=models.PROTECT, related_name="consents")
    channel = models.CharField(_("way"), max_length=8, choices=ConsentChannel.choices)
    given = models.BooleanField(_("agrees"))
    how = models.CharField(_("how"), max_length=10, choices=ConsentHow.choices)
    address = models.CharField(_("number or address"), max_length=254, blank=True)
    warned = models.BooleanField(_("was told that it is not encrypted"), default=False)
    note = models.TextField(_("note"), blank=True)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)

    class Meta:
        verbose_name = _("consent to messages")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(channel__in=ConsentChannel.values), name="consent_channel_known"),
            models.CheckConstraint(condition=Q(how__in=ConsentHow.values), name="consent_how_known"),
        )
        indexes = (models.Index(fields=["patient", "channel", "-id"], name="consent_newest"),)
        triggers = (pgtrigger.Protect(name="consent_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Consent {self.pk}"
