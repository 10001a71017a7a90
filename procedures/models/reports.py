"""What a patient said by themselves before the visit, as they said it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


class PatientReport(models.Model):
    """One form, sent once. ``answers``: by question, as of ``domain/reported.py``; nothing of it is confirmed."""

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="patient_reports")
    at = models.DateTimeField()
    language = models.CharField(_("language"), max_length=10)
    answered_by = models.CharField(_("somebody who helped"), max_length=120, blank=True)  # empty: the patient
    answers = models.JSONField()

    class Meta:
        verbose_name = _("patient's report")
        ordering = ("pk",)
        triggers = (pgtrigger.Protect(name="patient_report_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Report {self.pk}"
