"""Tests that the protocol asks for days after the needle and that are not taken here."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class LaterChoice(models.TextChoices):
    ELSEWHERE = "elsewhere", _("taken elsewhere, and read")
    NOT_NEEDED = "not_needed", _("not needed, because")


class LaterFinding(models.TextChoices):
    NORMAL = "normal", _("nothing to act on")
    ABNORMAL = "abnormal", _("something to act on")


class LaterDecision(models.Model):
    """A physician's word on one item of the protocol's ``later_tests``: one row ends its promise."""

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="later_decisions")
    code = models.CharField(max_length=60)
    decision = models.CharField(_("decision"), max_length=10, choices=LaterChoice.choices)
    reason = models.CharField(_("because"), max_length=300, blank=True)
    place = models.CharField(_("read at"), max_length=160, blank=True)
    sampled_on = models.DateField(_("day of the sample"), null=True, blank=True)
    finding = models.CharField(_("finding"), max_length=10, choices=LaterFinding.choices, blank=True)
    interpretation = models.CharField(_("what it means"), max_length=300, blank=True)
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("decision on later tests")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["procedure", "code"], name="later_decision_once"),
            models.CheckConstraint(condition=Q(decision__in=LaterChoice.values), name="later_decision_known"),
            models.CheckConstraint(
                condition=~Q(decision="not_needed") | ~Q(reason=""), name="later_not_needed_has_reason"
            ),
            models.CheckConstraint(
                condition=~Q(decision="elsewhere")
                | (Q(finding__in=LaterFinding.values, sampled_on__isnull=False) & ~Q(place="") & ~Q(interpretation="")),
                name="later_elsewhere_was_read",
            ),
            models.CheckConstraint(condition=~Q(finding="abnormal") | ~Q(reason=""), name="later_abnormal_has_plan"),
        )
        triggers = (pgtrigger.Protect(name="later_decision_fixed", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Decision {self.pk} on {self.code}"
