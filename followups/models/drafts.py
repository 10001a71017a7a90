"""What a patient is typing before it is sent: no fact, kept so that nothing is lost."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PatientDraft(models.Model):
    """The answers so far behind one link; gone when they are sent. ``data`` as of ``procedures/domain/reported.py``."""

    link = models.OneToOneField("followups.PatientLink", on_delete=models.PROTECT, related_name="draft")
    data = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("patient's draft")

    def __str__(self) -> str:
        return f"Draft of link {self.link_id}"
