"""What laboratories sent: stored as bytes before it is acknowledged, then read, matched and applied; never dropped."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from procedures.domain.states import Level


class InboundSource(models.TextChoices):
    MLLP = "mllp", _("laboratory connection")
    UPLOAD = "upload", _("uploaded file")
    COMMAND = "command", _("imported file")


class InboundState(models.TextChoices):
    STORED = "stored", _("to be read")
    WAITING = "waiting", _("waits for a person")
    UNREADABLE = "unreadable", _("cannot be read")
    DONE = "done", _("dealt with")


class ItemState(models.TextChoices):
    APPLIED = "applied", _("entered")
    WAITING = "waiting", _("waits for a person")
    REJECTED = "rejected", _("rejected")
    NOTED = "noted", _("nothing to enter")


class InboundMessage(models.Model):
    """One message, byte for byte. The same bytes again: the same message; the same number, other bytes: another.

    ``sender`` and ``control_id`` are empty for what is no message; ``digest`` is SHA-256 of ``raw`` in hexadecimal.
    """

    source = models.CharField(max_length=10, choices=InboundSource.choices)
    peer = models.CharField(max_length=120, blank=True)  # address of the connection; never a person's name
    sender = models.CharField(max_length=250, blank=True)
    control_id = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64)
    raw = models.BinaryField()
    received_at = models.DateTimeField(_("received"))
    state = models.CharField(max_length=10, choices=InboundState.choices, default=InboundState.STORED)
    laboratory = models.ForeignKey(
        "procedures.Laboratory", on_delete=models.PROTECT, related_name="messages", null=True, blank=True
    )
    tries = models.PositiveSmallIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)  # last time that it was read and applied
    problem = models.CharField(max_length=300, blank=True)  # why it cannot be read; no value, no name
    closed_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    closed_reason = models.CharField(_("why nothing is entered"), max_length=200, blank=True)
    facts_version = models.PositiveIntegerField(default=0)
    planned_version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("message from a laboratory")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["sender", "control_id", "digest"], name="inbound_once"),
            models.CheckConstraint(condition=Q(state__in=InboundState.values), name="inbound_state_known"),
            models.CheckConstraint(condition=Q(source__in=InboundSource.values), name="inbound_source_known"),
        )
        indexes = (
            models.Index(fields=["received_at"], name="inbound_received"),
            models.Index(fields=["control_id"], name="inbound_by_number"),  # the search
            models.Index(fields=["id"], condition=Q(state="stored"), name="inbound_stored"),
            models.Index(fields=["state", "received_at"], condition=~Q(state="done"), name="inbound_open"),
            models.Index(
                fields=["id"], condition=Q(planned_version__lt=models.F("facts_version")), name="inbound_unplanned"
            ),
        )
        triggers = (
            pgtrigger.ReadOnly(
                name="inbound_bytes_kept",
                fields=["source", "peer", "sender", "control_id", "digest", "raw", "received_at"],
            ),
            pgtrigger.Protect(name="inbound_never_deleted", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"Inbound message {self.pk}"


class InboundItem(models.Model):
    """One observation, or a service without any: applied to one test, waiting for a person, or rejected with a reason.

    ``place`` names its segments (``OBR[1]/OBX[2]``, ``OBR[1]``) and with the message says which part it is: reading
    the message again finds the same row, so nothing is applied twice. Several may have made one version.
    ``level`` of what waits: how it looks, by the laboratory's words and by the rules of the test it may be.
    """

    message = models.ForeignKey(InboundMessage, on_delete=models.PROTECT, related_name="items")
    place = models.CharField(max_length=200)
    label = models.CharField(max_length=200, blank=True)  # what the laboratory calls it
    state = models.CharField(max_length=10, choices=ItemState.choices)
    reasons = models.JSONField(default=list, blank=True)  # codes: why it waits
    patient = models.ForeignKey("procedures.Patient", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    procedure = models.ForeignKey(
        "procedures.Procedure", on_delete=models.PROTECT, related_name="inbound_items", null=True, blank=True
    )
    test = models.ForeignKey("procedures.LabTest", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    version = models.ForeignKey(
        "procedures.ResultVersion", on_delete=models.PROTECT, related_name="inbound_items", null=True, blank=True
    )
    level = models.CharField(max_length=10, choices=[(str(v), str(v)) for v in Level], default=str(Level.UNKNOWN))
    decided_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("part of a message")
        ordering = ("message_id", "pk")
        constraints = (
            models.UniqueConstraint(fields=["message", "place"], name="inbound_item_once"),
            models.CheckConstraint(condition=Q(state__in=ItemState.values), name="inbound_item_state_known"),
            models.CheckConstraint(condition=Q(level__in=[str(v) for v in Level]), name="inbound_item_level_known"),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(decision_reason=""), name="inbound_rejected_has_reason"
            ),
        )
        indexes = (models.Index(fields=["message"], condition=Q(state="waiting"), name="inbound_item_waiting"),)

    def __str__(self) -> str:
        return f"Inbound item {self.pk}"


class CodeMapping(models.Model):
    """A laboratory's own code and what it means here: a test of a protocol, and one of its values (``component``)."""

    laboratory = models.ForeignKey("procedures.Laboratory", on_delete=models.PROTECT, related_name="mappings")
    system = models.CharField(_("code system"), max_length=60, blank=True)
    code = models.CharField(_("code"), max_length=120)
    label = models.CharField(_("the laboratory's words"), max_length=200, blank=True)
    protocol = models.ForeignKey("procedures.Protocol", on_delete=models.PROTECT, related_name="code_mappings")
    test = models.CharField(_("test"), max_length=60)
    component = models.CharField(_("value"), max_length=60, blank=True)
    made_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    made_at = models.DateTimeField()
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("code of a laboratory")
        ordering = ("laboratory_id", "code", "protocol_id")
        constraints = (
            models.UniqueConstraint(
                fields=["laboratory", "system", "code", "protocol"],
                condition=Q(is_active=True),
                name="code_mapping_once",
            ),
            models.CheckConstraint(condition=~Q(code="") & ~Q(test=""), name="code_mapping_not_empty"),
        )

    def __str__(self) -> str:
        return f"Code mapping {self.pk}"


class TakenBackWhy(models.TextChoices):
    WRONG_PATIENT = "wrong_patient", _("reported for the wrong patient")
    DELETED = "deleted", _("deleted by the laboratory")
    MISPLACED = "misplaced", _("entered in the wrong place here")


class TakenBack(models.Model):
    """A laboratory took a result back, and what was done about whoever had acted on it. One row ends its promise."""

    version = models.OneToOneField("procedures.ResultVersion", on_delete=models.PROTECT, related_name="taken_back")
    why = models.CharField(max_length=20, choices=TakenBackWhy.choices)
    at = models.DateTimeField()
    dealt_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    dealt_at = models.DateTimeField(null=True, blank=True)
    done = models.CharField(_("what was done"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("result taken back")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(why__in=TakenBackWhy.values), name="taken_back_why_known"),
            models.CheckConstraint(
                condition=Q(dealt_at__isnull=True, done="") | (Q(dealt_by__isnull=False) & ~Q(done="")),
                name="taken_back_dealt_says_what",
            ),
        )

    def __str__(self) -> str:
        return f"Taken back {self.pk}"
