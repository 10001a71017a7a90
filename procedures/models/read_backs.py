"""How a critical result came to somebody's notice, and what was read back on the telephone."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Noticed(models.TextChoices):
    PHONED = "phoned", _("the laboratory phoned")
    HERE = "here", _("seen here, on a page or by a message of this system")
    ELSEWHERE = "elsewhere", _("seen in another record")
    COLLEAGUE = "colleague", _("told by a colleague")


class CriticalReadBack(models.Model):
    """One call of the laboratory with its read-back, or another way in which the version was noticed."""

    version = models.ForeignKey("procedures.ResultVersion", on_delete=models.PROTECT, related_name="read_backs")
    how = models.CharField(_("how it was noticed"), max_length=10, choices=Noticed.choices)
    caller = models.CharField(_("who called"), max_length=120, blank=True)
    receiver = models.CharField(_("who took the call"), max_length=120, blank=True)
    value = models.CharField(_("the value, read back"), max_length=120, blank=True)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("read-back of a critical result")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(how__in=Noticed.values), name="read_back_how_known"),
            # a call without its read-back is no read-back (clinical-facts §6.6-9)
            models.CheckConstraint(
                condition=~Q(how="phoned") | (~Q(caller="") & ~Q(receiver="") & ~Q(value="")),
                name="read_back_of_a_call_is_whole",
            ),
        )
        triggers = (pgtrigger.Protect(name="read_back_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Read-back {self.pk}"
