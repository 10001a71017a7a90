"""What is pending in a case, handed on to somebody who accepts it by name."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from procedures.domain.transfers import TransferAnswer, TransferWhy

WHY_LABELS = {
    TransferWhy.WARD: _("back to the ward"),
    TransferWhy.ADMITTED: _("admitted to the hospital"),
    TransferWhy.EMERGENCY_DEPARTMENT: _("to the emergency department"),
    TransferWhy.DISCHARGE: _("discharged from the hospital"),
    TransferWhy.RESPONSIBLE: _("another clinician becomes responsible"),
}
ANSWER_LABELS = {
    TransferAnswer.ACCEPTED: _("accepted"),
    TransferAnswer.DECLINED: _("declined"),
    TransferAnswer.WITHDRAWN: _("withdrawn"),
}


class AcceptedHow(models.TextChoices):
    HERE = "here", _("here, with their own log-in")
    PHONE = "phone", _("by phone, read back")


class Transfer(models.Model):
    """One offer to one acceptor: a user, or somebody outside with name, place and phone.

    ``pending`` is the list as it was then: kind, key and codes of each promise, when it is due and who owns it. The
    offer never changes; an answer is written once. Who does not accept is followed by a new row.
    """

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="transfers")
    why = models.CharField(_("why"), max_length=24, choices=[(str(w), label) for w, label in WHY_LABELS.items()])
    note = models.TextField(_("what else the acceptor should know"), blank=True)
    pending = models.JSONField(default=list)
    offered_at = models.DateTimeField()
    offered_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    to_user = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    to_name = models.CharField(_("name"), max_length=120, blank=True)
    to_place = models.CharField(_("ward, department or practice"), max_length=120, blank=True)
    to_phone = models.CharField(_("phone"), max_length=40, blank=True)
    #: With the acceptance the acceptor becomes the responsible clinician of the case.
    take_over = models.BooleanField(default=False)

    answer = models.CharField(
        max_length=10, blank=True, choices=[(str(a), label) for a, label in ANSWER_LABELS.items()]
    )
    how = models.CharField(max_length=8, blank=True, choices=AcceptedHow.choices)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    accepted_name = models.CharField(_("who accepted on the phone"), max_length=120, blank=True)
    read_back = models.BooleanField(default=False)
    answer_reason = models.CharField(_("because"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("transfer")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(why__in=[str(w) for w in TransferWhy]), name="transfer_why_known"),
            models.CheckConstraint(
                condition=Q(to_user__isnull=False, to_name="", to_place="", to_phone="")
                | (Q(to_user__isnull=True) & ~Q(to_name="") & ~Q(to_place="") & ~Q(to_phone="")),
                name="transfer_names_an_acceptor",
            ),
            models.CheckConstraint(
                condition=Q(take_over=False) | Q(to_user__isnull=False), name="transfer_to_a_user_to_take_over"
            ),
            models.CheckConstraint(condition=~Q(pending=[]), name="transfer_has_a_list"),
            models.CheckConstraint(
                condition=Q(answer__in=[str(a) for a in TransferAnswer]), name="transfer_answer_known"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True, answered_by__isnull=True, how="")
                | (~Q(answer="") & Q(answered_at__isnull=False, answered_by__isnull=False)),
                name="transfer_answered_by_someone",
            ),
            # by their own log-in, or by name on the phone and read back; nothing else is an acceptance
            models.CheckConstraint(
                condition=~Q(answer="accepted")
                | Q(how="here", to_user__isnull=False)
                | (Q(how="phone", read_back=True) & ~Q(accepted_name="")),
                name="transfer_acceptance_is_personal",
            ),
            models.CheckConstraint(
                condition=~Q(answer__in=["declined", "withdrawn"]) | ~Q(answer_reason=""),
                name="transfer_refusal_has_reason",
            ),
            models.UniqueConstraint(fields=["procedure"], condition=Q(answer=""), name="transfer_one_open"),
        )
        triggers = (
            pgtrigger.ReadOnly(
                name="transfer_offer_frozen",
                fields=[
                    "procedure",
                    "why",
                    "note",
                    "pending",
                    "offered_at",
                    "offered_by",
                    "to_user",
                    "to_name",
                    "to_place",
                    "to_phone",
                    "take_over",
                ],
            ),
            pgtrigger.Protect(
                name="transfer_answered_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__answer=""),
            ),
            pgtrigger.Protect(name="transfer_never_deleted", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"Transfer {self.pk}"

    @property
    def acceptor(self) -> str:
        """Whom it was offered to, in words."""
        return self.to_user.display_name if self.to_user else f"{self.to_name}, {self.to_place}"

    @property
    def is_open(self) -> bool:
        return not self.answer
