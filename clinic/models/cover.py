"""Who is on duty, and who covers whom."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _

from clinic.roles import Role


class TimeRange(Func):
    """Two columns as one interval, its end not included."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


def _span() -> TimeRange:
    return TimeRange("starts_at", "ends_at", RangeBoundary())


class OnCall(models.Model):
    """Who answers for a role in an interval; the ladder asks when nobody else is there."""

    role = models.CharField(_("role"), max_length=20, choices=[(str(r), str(r)) for r in Role])
    user = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="on_call")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("on call")
        ordering = ("starts_at",)
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="on_call_has_length"),
            models.CheckConstraint(condition=Q(role__in=[str(r) for r in Role]), name="on_call_role_known"),
            ExclusionConstraint(
                name="on_call_once",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (_span(), RangeOperators.OVERLAPS),
                ],
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.role} {self.starts_at:%d %b %H:%M}–{self.ends_at:%d %b %H:%M}"


class Absence(models.Model):
    """Somebody is away. It covers only once the surrogate has accepted; ``surrogate`` is empty while nobody is asked.

    Away is away: without an accepted surrogate what is theirs goes to the role on duty.
    """

    user = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="absences")
    surrogate = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="covers", null=True, blank=True)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    declined_at = models.DateTimeField(_("declined"), null=True, blank=True)
    decline_reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("absence")
        ordering = ("starts_at",)
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="absence_has_length"),
            models.CheckConstraint(condition=~Q(user=models.F("surrogate")), name="absence_covered_by_another"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(surrogate__isnull=False, declined_at__isnull=True),
                name="absence_accepted_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(declined_at__isnull=True) | (Q(surrogate__isnull=False) & ~Q(decline_reason="")),
                name="absence_declined_with_reason",
            ),
            # Nobody is away twice at once: which surrogate would answer?
            ExclusionConstraint(
                name="absence_once",
                expressions=[("user", RangeOperators.EQUAL), (_span(), RangeOperators.OVERLAPS)],
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} → {self.surrogate}" if self.surrogate else str(self.user)

    @property
    def is_covered(self) -> bool:
        return self.accepted_at is not None

    @property
    def is_asked(self) -> bool:
        """Somebody is asked and has not answered."""
        return self.surrogate_id is not None and self.accepted_at is None and self.declined_at is None
