"""Links that let a patient answer or read one thing without an account."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class LinkPurpose(models.TextChoices):
    SYMPTOMS = "symptoms", _("how are you after the procedure")
    BEFORE = "before", _("what to tell us before the procedure")
    RESULTS = "results", _("read a message about a result")


class PatientLink(models.Model):
    """One purpose, one case, until ``expires_at`` or until the POST that answers it. A GET never spends it.

    ``code`` is random and says nothing; the address also carries a signature that the database does not hold.
    ``about`` names what exactly within the purpose (the symptom check's code).
    """

    code = models.CharField(max_length=32, unique=True)
    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="patient_links")
    purpose = models.CharField(max_length=12, choices=LinkPurpose.choices)
    about = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)  # the birth date was right for the first time
    spent_at = models.DateTimeField(null=True, blank=True)
    wrong_tries = models.PositiveSmallIntegerField(default=0)  # wrong birth dates
    locked_at = models.DateTimeField(null=True, blank=True)  # too many of them: a person calls
    withdrawn_at = models.DateTimeField(null=True, blank=True)  # closed by us: moved, cancelled, died, wrong address

    class Meta:
        verbose_name = _("patient's link")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(purpose__in=LinkPurpose.values), name="link_purpose_known"),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("created_at")), name="link_expires_later"),
        )
        indexes = (models.Index(fields=["procedure", "purpose", "about"], name="link_of_case"),)
        triggers = (
            pgtrigger.ReadOnly(
                name="link_stays_what_it_is",
                fields=["code", "procedure", "purpose", "about", "created_at", "expires_at"],
            ),
            pgtrigger.Protect(name="link_never_deleted", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"Link {self.pk}"
