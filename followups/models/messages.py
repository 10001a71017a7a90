"""The outbox: what shall be said to whom, and each attempt to say it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from followups.domain.kinds import MessageState
from followups.domain.states import MESSAGE


class Message(models.Model):
    """One message to one recipient by one channel. ``key`` is stable over all attempts: the provider's idempotency key.

    Nothing personal is stored: wording comes from the kind, the address from the recipient at sending time.
    """

    key = models.CharField(max_length=200, unique=True)
    follow_up = models.ForeignKey(
        "followups.FollowUp", on_delete=models.PROTECT, related_name="messages", null=True, blank=True
    )
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=20)
    #: Somebody of the staff, or the patient: one of the two.
    recipient = models.ForeignKey(
        "clinic.User", on_delete=models.PROTECT, related_name="messages", null=True, blank=True
    )
    patient = models.ForeignKey(
        "procedures.Patient", on_delete=models.PROTECT, related_name="messages", null=True, blank=True
    )
    link = models.ForeignKey(
        "followups.PatientLink", on_delete=models.PROTECT, related_name="messages", null=True, blank=True
    )
    #: The language it was written in (``procedures.domain.languages``); empty for the staff's.
    language = models.CharField(max_length=8, blank=True)
    state = models.CharField(max_length=10, default=str(MessageState.QUEUED))
    not_before = models.DateTimeField()
    useful_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)  # wall clock
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True)
    #: What the provider calls it, and what its report said afterwards; of texts alone.
    provider_id = models.CharField(max_length=64, blank=True)
    report = models.CharField(max_length=40, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)  # sent is not delivered, and delivered is not read
    #: Somebody has seen to it in another way (a call); why and whom is in the audit.
    dealt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(state__in=[str(s) for s in MessageState]), name="message_state_known"),
            models.CheckConstraint(
                condition=(~Q(state="sending") & Q(claim_token__isnull=True, lease_until__isnull=True))
                | Q(state="sending", claim_token__isnull=False, lease_until__isnull=False),
                name="message_sending_has_lease",
            ),
            models.CheckConstraint(
                condition=Q(recipient__isnull=False, patient__isnull=True)
                | Q(recipient__isnull=True, patient__isnull=False),
                name="message_to_one",
            ),
            models.CheckConstraint(
                condition=Q(dealt_at__isnull=True) | Q(state__in=["failed", "unknown"]),
                name="message_dealt_with_stopped",
            ),
        )
        indexes = (
            # the dispatcher: what may be sent now, per channel
            models.Index(fields=["channel", "not_before"], condition=Q(state="queued"), name="message_queued"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="message_leased"),  # the reaper
            # what waits for a person: the engine's page and every look of the watchdog
            models.Index(
                fields=["state"],
                condition=Q(state__in=["failed", "unknown"], dealt_at__isnull=True),
                name="message_stopped",
            ),
            # what was said to a patient, on the case and beside the call
            models.Index(fields=["patient"], condition=Q(patient__isnull=False), name="message_of_patient"),
            # mails that came back, and which of a person's arrived last
            models.Index(fields=["recipient", "-settled_at"], name="message_by_recipient"),
        )
        triggers = (pgtrigger.FSM(name="message_moves", field="state", transitions=MESSAGE.moves()),)

    def __str__(self) -> str:
        return f"Message {self.pk}"

    @property
    def to_whom(self) -> str:
        """For the engine's pages, which name nobody but staff."""
        return self.recipient.display_name if self.recipient is not None else str(_("a patient"))


class DeliveryAttempt(models.Model):
    """One try at the provider."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="tries")
    number = models.PositiveSmallIntegerField()
    claim_token = models.UUIDField()
    started_at = models.DateTimeField()  # wall clock
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, default="open")  # open, sent, failed, retry, unknown, lost
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("message_id", "number")
        constraints = (
            models.UniqueConstraint(fields=["message", "number"], name="attempt_number"),
            models.UniqueConstraint(fields=["message"], condition=Q(outcome="open"), name="attempt_one_open"),
        )

    def __str__(self) -> str:
        return f"Attempt {self.pk}"
