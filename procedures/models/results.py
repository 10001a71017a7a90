"""Results as immutable versions, numbered by arrival."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from procedures.domain.states import Level, ResultStatus


class ResultVersion(models.Model):
    """What the laboratory said, once. ``domain.versions`` picks the current one; only that one needs review.

    ``values`` is ``{component: {"value": 312, "unit": "/mm3", "text": "312"}}``; ``calculated`` the same for named
    calculations, with the reason where one was refused; ``level`` and ``rules`` are what the pinned protocol's rules
    said when it arrived.
    """

    test = models.ForeignKey("procedures.LabTest", on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=[(str(s), str(s)) for s in ResultStatus])
    values = models.JSONField(default=dict)
    text = models.TextField(_("report text"), blank=True)
    calculated = models.JSONField(default=dict)
    level = models.CharField(max_length=10, choices=[(str(v), str(v)) for v in Level])
    rules = models.JSONField(default=list)
    phoned_critical = models.BooleanField(_("the laboratory phoned this as critical"), default=False)
    #: Read-back of a phoned or critical value: caller, receiver, time, value read back.
    read_back = models.JSONField(default=dict)
    reported_at = models.DateTimeField(_("reported by the laboratory"))
    arrived_at = models.DateTimeField()
    entered_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    change_reason = models.CharField(_("what was corrected"), max_length=200, blank=True)
    #: What the laboratory's message said besides: ``{"flags": {component: ["H"]}, "ranges": {component: "0-5"},
    #: "notes": [...]}``. Shown, never graded; empty for what was entered by hand.
    laboratory_said = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("result")
        ordering = ("test_id", "number")
        constraints = (
            models.UniqueConstraint(fields=["test", "number"], name="result_number"),
            models.CheckConstraint(condition=Q(status__in=[str(s) for s in ResultStatus]), name="result_status_known"),
            models.CheckConstraint(condition=Q(level__in=[str(v) for v in Level]), name="result_level_known"),
        )
        indexes = (models.Index(fields=["arrived_at"], name="result_arrived"),)  # figures of a period
        triggers = (pgtrigger.Protect(name="result_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Result {self.pk} v{self.number}"
