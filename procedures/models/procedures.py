"""The case: one procedure for one patient, from the request on."""

from __future__ import annotations

import secrets

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.fields.ranges import RangeStartsWith
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from procedures.domain.states import ACTIVE, PROCEDURE, Disposition, Outcome, ProcedureStatus, Urgency

#: No vowels and nothing that reads like another sign: codes are read out on the phone.
ALPHABET = "23456789CDFGHJKMNPQRTVWXYZ"
ACTIVE_VALUES = sorted(str(s) for s in ACTIVE)
#: A case belongs to a series of its own patient and protocol, or to none.
SERIES_OF_ITS_OWN = """
    IF NOT EXISTS (
        SELECT 1 FROM procedures_series s JOIN procedures_protocolversion v ON v.protocol_id = s.protocol_id
        WHERE s.id = NEW.series_id AND s.patient_id = NEW.patient_id AND v.id = NEW.protocol_version_id
    ) THEN
        RAISE EXCEPTION 'a case belongs to a series of its own patient and protocol'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'procedure_series_of_its_own';
    END IF;
    RETURN NEW;
"""


def new_code() -> str:
    """A case's public name: seven signs, no personal data, safe in a URL."""
    return "".join(secrets.choice(ALPHABET) for _ in range(7))


class Procedure(models.Model):
    """A case. ``stay``, ``room_time`` and ``operator_time`` are the three intervals of its booking."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    patient = models.ForeignKey("procedures.Patient", on_delete=models.PROTECT, related_name="procedures")
    protocol_version = models.ForeignKey(
        "procedures.ProtocolVersion", on_delete=models.PROTECT, related_name="procedures"
    )
    indication = models.CharField(_("indication"), max_length=60)
    variant = models.CharField(_("form"), max_length=60)
    urgency = models.CharField(
        _("urgency"), max_length=12, choices=[(str(u), str(u)) for u in Urgency], default=str(Urgency.ELECTIVE)
    )
    location = models.CharField(_("location"), max_length=40, default="clinic")
    note = models.TextField(_("note for the booking"), blank=True)
    responsible = models.ForeignKey(
        "clinic.User", on_delete=models.PROTECT, related_name="responsible_for", verbose_name=_("responsible clinician")
    )
    operator = models.ForeignKey(
        "clinic.User", on_delete=models.PROTECT, related_name="operates", null=True, blank=True
    )
    room = models.ForeignKey("clinic.Room", on_delete=models.PROTECT, related_name="procedures", null=True, blank=True)

    status = models.CharField(max_length=20, default=str(ProcedureStatus.REQUESTED))
    stay = DateTimeRangeField(null=True, blank=True)
    room_time = DateTimeRangeField(null=True, blank=True)
    operator_time = DateTimeRangeField(null=True, blank=True)
    #: A knowing, reasoned, audited overbook lifts the room's or the operator's constraint; never the patient's.
    room_overbooked = models.BooleanField(default=False)
    operator_overbooked = models.BooleanField(default=False)
    overbook_reason = models.TextField(blank=True)

    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("cancelled, no-show or entered in error"))
    end_reason = models.TextField(_("reason"), blank=True)
    outcome = models.CharField(max_length=20, blank=True, choices=[(str(o), str(o)) for o in Outcome])
    outcome_reason = models.TextField(blank=True)
    disposition = models.CharField(max_length=24, blank=True, choices=[(str(d), str(d)) for d in Disposition])
    #: Started on the six-item minimum by one person's override; the rest became promises.
    emergency_start = models.BooleanField(default=False)
    emergency_reason = models.TextField(blank=True)
    emergency_by = models.ForeignKey(
        "clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )  # somebody else countersigns
    continues = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="continued_by")

    #: At most one series, and the place in it. ``series_gap_accepted``: so many days after the tap before are right.
    series = models.ForeignKey(
        "procedures.Series", on_delete=models.PROTECT, related_name="taps", null=True, blank=True
    )
    series_place = models.PositiveSmallIntegerField(null=True, blank=True)
    series_gap_accepted = models.PositiveSmallIntegerField(null=True, blank=True)

    facts_version = models.PositiveIntegerField(default=1)
    #: Derived, written by reconcile alone.
    planned_version = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("procedure")
        ordering = ("-requested_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=[str(s) for s in ProcedureStatus]), name="procedure_status_known"
            ),
            models.CheckConstraint(condition=Q(urgency__in=[str(u) for u in Urgency]), name="procedure_urgency_known"),
            models.CheckConstraint(
                condition=Q(outcome="") | Q(outcome__in=[str(o) for o in Outcome]), name="procedure_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(disposition="") | Q(disposition__in=[str(d) for d in Disposition]),
                name="procedure_disposition_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="scheduled") | Q(stay__isnull=False), name="procedure_scheduled_has_slot"
            ),
            models.CheckConstraint(
                condition=~Q(status="completed") | (Q(completed_at__isnull=False) & ~Q(outcome="")),
                name="procedure_completed_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(room_overbooked=False, operator_overbooked=False) | ~Q(overbook_reason=""),
                name="procedure_overbook_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(emergency_start=False) | ~Q(emergency_reason=""), name="procedure_emergency_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(series__isnull=True, series_place__isnull=True)
                | Q(series__isnull=False, series_place__isnull=False, series_place__gte=1),
                name="procedure_series_has_place",
            ),
            models.UniqueConstraint(fields=["series", "series_place"], name="procedure_series_place_once"),
            # Nobody is in two places: whole stay per patient, never liftable.
            ExclusionConstraint(
                name="procedure_patient_once",
                expressions=[("patient", RangeOperators.EQUAL), ("stay", RangeOperators.OVERLAPS)],
                condition=Q(status__in=ACTIVE_VALUES),
            ),
            ExclusionConstraint(
                name="procedure_room_once",
                expressions=[("room", RangeOperators.EQUAL), ("room_time", RangeOperators.OVERLAPS)],
                condition=Q(status__in=ACTIVE_VALUES, room_overbooked=False),
            ),
            ExclusionConstraint(
                name="procedure_operator_once",
                expressions=[("operator", RangeOperators.EQUAL), ("operator_time", RangeOperators.OVERLAPS)],
                condition=Q(status__in=ACTIVE_VALUES, operator_overbooked=False),
            ),
        )
        indexes = (
            models.Index(fields=["patient", "-requested_at"], name="procedure_by_patient"),  # the patient's page
            models.Index(
                fields=["responsible"], condition=Q(closed_at__isnull=True), name="procedure_open_responsible"
            ),
            models.Index(fields=["status"], condition=Q(closed_at__isnull=True), name="procedure_open_status"),
            # the boards: what begins on a day, by its slot or without one
            models.Index(RangeStartsWith("stay"), name="procedure_slot_begins"),
            models.Index(fields=["started_at"], condition=Q(stay__isnull=True), name="procedure_started_no_slot"),
            models.Index(fields=["arrived_at"], condition=Q(stay__isnull=True), name="procedure_arrived_no_slot"),
            # the engine's sweep: it should find nothing
            models.Index(
                fields=["id"], condition=Q(planned_version__lt=models.F("facts_version")), name="procedure_unplanned"
            ),
            # the engine: the rules once more over the cases of the next days
            models.Index(
                models.F("stay__startswith"), condition=Q(status="scheduled"), name="procedure_scheduled_start"
            ),
        )
        triggers = (
            pgtrigger.FSM(
                name="procedure_moves",
                field="status",
                transitions=PROCEDURE.moves(),
            ),
            pgtrigger.Trigger(
                name="procedure_series_of_its_own",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("series_id", "patient_id", "protocol_version_id"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(new__series__isnull=False),
                func=SERIES_OF_ITS_OWN,
            ),
        )

    def __str__(self) -> str:
        return f"Procedure {self.code}"

    def get_absolute_url(self) -> str:
        return reverse("followups:case", args=[self.code])

    @property
    def state(self) -> ProcedureStatus:
        return ProcedureStatus(self.status)

    @property
    def needle_at(self):  # type: ignore[no-untyped-def]
        """Planned needle time: the slot's start; once started, the real start."""
        return self.started_at or (self.stay.lower if self.stay else None)
