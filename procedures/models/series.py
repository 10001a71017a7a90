"""The same procedure for one patient again and again, every so many days."""

from __future__ import annotations

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clinic.models.places import WEEKDAYS
from procedures.domain.series import INTERVAL_DAYS, MOST_IN_ALL
from procedures.domain.states import SeriesEnd, SeriesStatus
from procedures.models.procedures import new_code


class Series(models.Model):
    """What the cases of a series have in common; each case keeps its own booking, and its place in the series.

    ``total`` and ``until`` say when it is complete; without both it goes on until somebody ends it.
    """

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    patient = models.ForeignKey("procedures.Patient", on_delete=models.PROTECT, related_name="series")
    protocol = models.ForeignKey("procedures.Protocol", on_delete=models.PROTECT, related_name="series")
    indication = models.CharField(_("indication"), max_length=60)
    variant = models.CharField(_("form"), max_length=60)
    location = models.CharField(_("location"), max_length=40)
    responsible = models.ForeignKey(
        "clinic.User", on_delete=models.PROTECT, related_name="+", verbose_name=_("responsible clinician")
    )
    operator = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    room = models.ForeignKey("clinic.Room", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    note = models.TextField(_("note for the booking"), blank=True)

    interval_days = models.PositiveSmallIntegerField(
        _("interval in days"), validators=[MinValueValidator(INTERVAL_DAYS[0]), MaxValueValidator(INTERVAL_DAYS[1])]
    )
    weekday = models.SmallIntegerField(_("preferred weekday"), choices=WEEKDAYS, null=True, blank=True)
    at = models.TimeField(_("preferred time"))
    total = models.PositiveSmallIntegerField(_("how many in all"), null=True, blank=True)
    until = models.DateField(_("until"), null=True, blank=True)

    status = models.CharField(max_length=12, default=str(SeriesStatus.ACTIVE))
    started_at = models.DateTimeField()
    started_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=12, blank=True)
    end_reason = models.TextField(_("reason"), blank=True)

    facts_version = models.PositiveIntegerField(default=1)
    #: Derived, written by reconcile alone.
    planned_version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("series")
        verbose_name_plural = _("series")
        ordering = ("-started_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(status__in=[str(s) for s in SeriesStatus]), name="series_status_known"),
            models.CheckConstraint(
                condition=Q(interval_days__gte=INTERVAL_DAYS[0], interval_days__lte=INTERVAL_DAYS[1]),
                name="series_interval_in_range",
            ),
            models.CheckConstraint(
                condition=Q(weekday__isnull=True) | Q(weekday__gte=0, weekday__lte=6), name="series_weekday_known"
            ),
            models.CheckConstraint(
                condition=Q(total__isnull=True) | Q(total__gte=1, total__lte=MOST_IN_ALL), name="series_total_in_range"
            ),
            models.CheckConstraint(
                condition=Q(status="active", ended_at__isnull=True, ended_because="")
                | Q(status="ended", ended_at__isnull=False, ended_because__in=[str(e) for e in SeriesEnd]),
                name="series_ended_because",
            ),
            models.CheckConstraint(
                condition=~Q(ended_because=str(SeriesEnd.STOPPED)) | ~Q(end_reason=""), name="series_stop_has_reason"
            ),
            # two people who plan the same thing at once: one of them
            models.UniqueConstraint(
                fields=["patient", "protocol"], condition=Q(status="active"), name="series_once_for_a_patient"
            ),
        )
        indexes = (
            models.Index(
                fields=["id"], condition=Q(planned_version__lt=models.F("facts_version")), name="series_unplanned"
            ),
        )
        triggers = (pgtrigger.ReadOnly(name="series_whose", fields=["code", "patient", "protocol"]),)

    def __str__(self) -> str:
        return f"Series {self.code}"

    def get_absolute_url(self) -> str:
        return reverse("procedures:series", args=[self.code])

    @property
    def weeks(self) -> int:
        """The interval in whole weeks; 0 where it is none."""
        return 0 if self.interval_days % 7 else self.interval_days // 7

    @property
    def is_active(self) -> bool:
        return self.status == SeriesStatus.ACTIVE
