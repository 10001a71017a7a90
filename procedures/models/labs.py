"""Specimens and the tests that run on them, each with its own clock."""

from __future__ import annotations

from datetime import datetime

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from procedures.domain import couriers
from procedures.domain.states import LAB_TEST, TestStatus


class SpecimenLoss(models.TextChoices):
    REJECTED = "rejected", _("rejected by the laboratory")
    LOST = "lost", _("lost")


class LossCode(models.TextChoices):
    """Why, as a laboratory says it. Rows from before there were codes have the words alone."""

    HAEMOLYSED = "haemolysed", _("haemolysed")
    CLOTTED = "clotted", _("clotted")
    TOO_LITTLE = "too_little", _("too little (quantity not sufficient)")
    UNLABELLED = "unlabelled", _("unlabelled, or the wrong label")
    WRONG_TUBE = "wrong_tube", _("wrong tube or container")
    TOO_LATE = "too_late", _("arrived too late, or kept wrongly")
    LEAKED = "leaked", _("broken or leaked")
    NOT_FOUND = "not_found", _("not found")
    OTHER = "other", _("something else")


class Specimen(models.Model):
    """A tube or bottle: collected, handed over, received, or rejected or lost."""

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="specimens")
    container = models.CharField(_("container"), max_length=60)
    tube_number = models.PositiveSmallIntegerField(_("tube"), null=True, blank=True)
    volume_ml = models.DecimalField(_("volume, mL"), max_digits=7, decimal_places=1, null=True, blank=True)
    accession = models.CharField(_("laboratory number"), max_length=60, blank=True)
    label_checked = models.BooleanField(_("labelled before the patient, two identifiers"), default=False)
    collected_at = models.DateTimeField(_("collected"))
    collected_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    receipt_due_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(_("handed over"), null=True, blank=True)
    handed_over_to = models.CharField(_("to"), max_length=120, blank=True)
    received_at = models.DateTimeField(_("received by the laboratory"), null=True, blank=True)
    received_note = models.CharField(_("confirmed by"), max_length=120, blank=True)
    loss = models.CharField(_("rejected or lost"), max_length=10, choices=SpecimenLoss.choices, blank=True)
    loss_at = models.DateTimeField(null=True, blank=True)
    loss_code = models.CharField(_("why"), max_length=12, choices=LossCode.choices, blank=True)
    loss_reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("specimen")
        ordering = ("tube_number", "pk")
        indexes = (
            # figures of a period
            models.Index(fields=["collected_at"], name="specimen_collected"),
            models.Index(fields=["loss_at"], name="specimen_loss_at"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(loss="") | Q(loss__in=SpecimenLoss.values), name="specimen_loss_known"),
            models.CheckConstraint(
                condition=Q(loss="") | (~Q(loss_reason="") & Q(loss_at__isnull=False)), name="specimen_loss_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(loss_code="") | (Q(loss_code__in=LossCode.values) & ~Q(loss="")),
                name="specimen_loss_code_known",
            ),
            # the laboratory's number identifies one tube
            models.UniqueConstraint(fields=["accession"], condition=~Q(accession=""), name="specimen_accession_once"),
        )

    def __str__(self) -> str:
        return f"Specimen {self.pk}"


class LabTest(models.Model):
    """One ordered test. Its hours come from the pinned protocol and run from the specimen's collection."""

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="tests")
    specimen = models.ForeignKey(Specimen, on_delete=models.PROTECT, related_name="tests", null=True, blank=True)
    code = models.CharField(max_length=60)
    label = models.CharField(max_length=160)
    loinc = models.CharField(max_length=12, blank=True)
    container = models.CharField(max_length=60)
    usual_hours = models.PositiveIntegerField()
    outer_hours = models.PositiveIntegerField()
    extended = models.BooleanField(default=False)
    has_preliminary = models.BooleanField(default=False)
    status = models.CharField(max_length=12, default=str(TestStatus.ORDERED))
    #: What the laboratory is given to name this order by, and what it sends back (ORC-2, OBR-2).
    order_number = models.CharField(_("order number"), max_length=40, blank=True)
    not_ordered = models.BooleanField(_("not ordered here"), default=False)  # its result came all the same
    ordered_at = models.DateTimeField()
    ordered_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    collected_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)  # why cancelled, rejected or lost
    ended_at = models.DateTimeField(null=True, blank=True)  # when it was
    #: Weekdays on which its laboratory works, as they were when it was collected; empty: every day.
    running_days = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    recollect_decided_at = models.DateTimeField(null=True, blank=True)  # rejected or lost, and to be collected again
    #: What is wrong with its specimen, and who decided to take the result all the same.
    flaw_accepted = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("laboratory test")
        ordering = ("usual_hours", "code", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(status__in=[str(s) for s in TestStatus]), name="test_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=["cancelled", "rejected", "lost"]) | ~Q(ended_reason=""),
                name="test_ended_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["collected", "received"]) | Q(collected_at__isnull=False),
                name="test_collected_has_time",
            ),
            models.UniqueConstraint(
                fields=["procedure", "code"], condition=~Q(status="cancelled"), name="test_ordered_once"
            ),
            models.UniqueConstraint(
                fields=["order_number"], condition=~Q(order_number=""), name="test_order_number_once"
            ),
        )
        triggers = (pgtrigger.FSM(name="test_moves", field="status", transitions=LAB_TEST.moves()),)

    def __str__(self) -> str:
        return f"Test {self.pk} {self.code}"

    @property
    def state(self) -> TestStatus:
        return TestStatus(self.status)

    @property
    def due_at(self) -> datetime | None:
        """When it usually is there."""
        return self.after(self.collected_at, self.usual_hours) if self.collected_at else None

    @property
    def outer_at(self) -> datetime | None:
        """When it must be there: after this it is overdue."""
        return self.after(self.collected_at, self.outer_hours) if self.collected_at else None

    def after(self, moment: datetime, hours: int) -> datetime:
        """So many hours later, counted on the days on which its laboratory works."""
        zone = timezone.get_default_timezone()
        return couriers.counted(moment, hours, self.running_days, zone, incubates=self.extended)
