"""Laboratories that examine our specimens and send results."""

from __future__ import annotations

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def every_day() -> list[int]:
    """Monday to Sunday."""
    return list(range(7))


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
    #: Whose tubes it examines; a room that no laboratory names uses the default one.
    rooms = models.ManyToManyField("clinic.Room", verbose_name=_("rooms"), related_name="laboratories", blank=True)
    is_default = models.BooleanField(_("for every room that names no other"), default=False)
    running_days = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)]),
        verbose_name=_("days on which it works"),
        default=every_day,
    )
    #: Last courier of each weekday, clinic's local time: ``{"0": "16:15"}``. Empty: no courier is known.
    last_pickups = models.JSONField(_("last courier"), default=dict, blank=True)
    receipt_minutes = models.PositiveSmallIntegerField(
        _("minutes until a tube must have arrived"), null=True, blank=True, validators=[MinValueValidator(1)]
    )

    class Meta:
        verbose_name = _("laboratory")
        verbose_name_plural = _("laboratories")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=["sending_application", "sending_facility"], name="laboratory_sender_once"),
            # a room without a laboratory of its own must not have to choose
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True, is_active=True), name="laboratory_default_once"
            ),
            models.CheckConstraint(condition=~Q(running_days=[]), name="laboratory_runs_on_a_day"),
        )

    def __str__(self) -> str:
        return self.name

    def pickups(self) -> dict[int, time]:
        """The last courier by weekday."""
        return {int(day): time.fromisoformat(clock) for day, clock in self.last_pickups.items()}
