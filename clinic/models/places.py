"""When and where work is possible."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

WEEKDAYS = (
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
)


class Room(models.Model):
    """A place where a procedure is done. ``location`` is a location code of the protocols (clinic, radiology …)."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    location = models.CharField(_("location"), max_length=40, default="clinic")
    has_fluoroscopy = models.BooleanField(_("fluoroscopy"), default=False)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("room")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ClinicHours(models.Model):
    """Opening hours of one weekday, clinic's local time. Several rows make a lunch break."""

    weekday = models.SmallIntegerField(_("weekday"), choices=WEEKDAYS)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"))

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ("weekday", "opens")
        constraints = (
            models.CheckConstraint(condition=models.Q(closes__gt=models.F("opens")), name="hours_close_after_open"),
            models.CheckConstraint(condition=models.Q(weekday__gte=0, weekday__lte=6), name="hours_weekday_known"),
        )

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"

    def clean(self) -> None:
        # either is None while the form is incomplete, whatever the annotations say
        if None not in (self.opens, self.closes) and self.opens >= self.closes:
            raise ValidationError({"closes": _("Must be later than the opening time.")})


class Closure(models.Model):
    """Whole days on which the clinic is closed (or one room is), both ends included."""

    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="closures")
    reason = models.CharField(_("reason"), max_length=120)

    class Meta:
        verbose_name = _("closure")
        ordering = ("first_day",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="closure_ends_after_it_begins"
            ),
        )

    def __str__(self) -> str:
        return f"{self.first_day}–{self.last_day}: {self.reason}"


class OperatorSession(models.Model):
    """When an operator does procedures: a weekday and local times. No rows: any opening hour."""

    operator = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="operator_sessions")
    weekday = models.SmallIntegerField(_("weekday"), choices=WEEKDAYS)
    starts = models.TimeField(_("starts"))
    ends = models.TimeField(_("ends"))

    class Meta:
        verbose_name = _("operator session")
        ordering = ("operator_id", "weekday", "starts")
        constraints = (
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="session_ends_after_start"),
            models.CheckConstraint(condition=models.Q(weekday__gte=0, weekday__lte=6), name="session_weekday_known"),
        )

    def __str__(self) -> str:
        return f"{self.operator}: {self.get_weekday_display()} {self.starts:%H:%M}–{self.ends:%H:%M}"
