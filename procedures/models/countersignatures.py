"""The second signature under an emergency start."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

#: Somebody else than who started it, and about the start that stands.
_BY_ANOTHER = """
    IF NOT EXISTS (
        SELECT 1 FROM procedures_procedure p
        WHERE p.id = NEW.procedure_id AND p.emergency_start AND p.started_at = NEW.start_at
          AND p.emergency_by_id IS DISTINCT FROM NEW.by_id
    ) THEN
        RAISE EXCEPTION 'countersignature_by_another: not an emergency start of somebody else'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""


class Countersignature(models.Model):
    """What another authorised person says to a start that one person decided on alone.

    ``start_at`` is the moment of that start: one that was abandoned and begun again is signed anew.
    """

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="countersignatures")
    start_at = models.DateTimeField()
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    agrees = models.BooleanField(_("agrees"))
    comment = models.TextField(_("comment"), blank=True)

    class Meta:
        verbose_name = _("countersignature")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["procedure", "start_at"], name="countersignature_once"),
            models.CheckConstraint(
                condition=Q(agrees=True) | ~Q(comment=""), name="countersignature_disagreement_has_comment"
            ),
        )
        triggers = (
            pgtrigger.Protect(name="countersignature_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="countersignature_by_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_BY_ANOTHER,
            ),
        )

    def __str__(self) -> str:
        return f"Countersignature {self.pk}"
