"""Laboratories that examine our specimens and send results."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Laboratory(models.Model):
    """One laboratory: how its messages are known, in which zone its times are, whose patient numbers it uses."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    #: MSH-3 and MSH-4 of its messages; an empty one matches any.
    sending_application = models.CharField(_("sending application (MSH-3)"), max_length=120, blank=True)
    sending_facility = models.CharField(_("sending facility (MSH-4)"), max_length=120, blank=True)
    zone = models.CharField(_("time zone of times without one"), max_length=60)
    #: Its names of who gave a patient number, and ours: ``{"EXAMPLE HOSPITAL": "CLINIC"}``.
    authorities = models.JSONField(_("patient numbers"), default=dict, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("laboratory")
        verbose_name_plural = _("laboratories")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=["sending_application", "sending_facility"], name="laboratory_sender_once"),
        )

    def __str__(self) -> str:
        return self.name
