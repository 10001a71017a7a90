"""Who is on duty, and who covers whom."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.roles import Role


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
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="on_call_has_length"),
            models.CheckConstraint(condition=models.Q(role__in=[str(r) for r in Role]), name="on_call_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.role} {self.starts_at:%d %b %H:%M}–{self.ends_at:%d %b %H:%M}"


class Absence(models.Model):
    """Somebody is away. It covers only once the surrogate has accepted."""

    user = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="absences")
    surrogate = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="covers")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)

    class Meta:
        verbose_name = _("absence")
        ordering = ("starts_at",)
        constraints = (
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="absence_has_length"),
            models.CheckConstraint(condition=~models.Q(user=models.F("surrogate")), name="absence_covered_by_another"),
        )

    def __str__(self) -> str:
        return f"{self.user} → {self.surrogate}"
