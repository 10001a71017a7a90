"""A promise: what must still happen, by when, by whom.

Who owns which column: reconcile owns kind, subject, key, about, start, due, role, responsible, level and the closing;
the engine owns rung, repeat and next action; people own taken by, snoozed until and the notes.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.roles import Role
from followups.domain.kinds import Closed, Subject


class FollowUp(models.Model):
    """One promise about one subject. ``key`` names it within the subject (``review:57``)."""

    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    procedure = models.ForeignKey(
        "procedures.Procedure", on_delete=models.PROTECT, related_name="follow_ups", null=True, blank=True
    )
    #: Codes and ids the wording needs (test code, version number); never a name.
    about = models.JSONField(default=dict)
    level = models.CharField(max_length=10, default="normal")  # normal, abnormal, critical
    start_at = models.DateTimeField()
    due_at = models.DateTimeField()
    role = models.CharField(max_length=20)
    responsible = models.ForeignKey(
        "clinic.User", on_delete=models.PROTECT, related_name="promises", null=True, blank=True
    )

    generation = models.PositiveIntegerField(default=1)
    rung = models.PositiveSmallIntegerField(default=0)  # how many rungs have been taken
    repeat = models.PositiveIntegerField(default=0)  # of the last rung
    next_action_at = models.DateTimeField(null=True, blank=True)
    escalated_role = models.CharField(max_length=20, blank=True)  # a rung moved it here; the owner stays

    taken_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="taken", null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)

    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_because = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name = _("promise")
        ordering = ("due_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=["subject_kind", "subject_id", "key"], name="promise_once"),
            # the kinds themselves are modules (followups.domain.kinds): one more is no change of the database
            models.CheckConstraint(condition=Q(kind__regex=r"^[a-z][a-z_]*$"), name="promise_kind_known"),
            models.CheckConstraint(
                condition=Q(subject_kind__in=[str(s) for s in Subject]), name="promise_subject_known"
            ),
            models.CheckConstraint(
                condition=~Q(subject_kind="procedure") | Q(procedure=models.F("subject_id")),
                name="promise_of_its_case",
            ),
            models.CheckConstraint(condition=Q(role__in=[str(r) for r in Role]), name="promise_role_known"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_because="")
                | Q(closed_at__isnull=False, closed_because__in=[str(c) for c in Closed]),
                name="promise_closed_because",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=False) | Q(next_action_at__isnull=False),
                name="promise_open_has_next_action",
            ),
            models.CheckConstraint(
                condition=Q(taken_by__isnull=True) | Q(taken_at__isnull=False), name="promise_taken_has_time"
            ),
        )
        indexes = (
            # the engine: what is to be advanced now
            models.Index(fields=["next_action_at"], condition=Q(closed_at__isnull=True), name="promise_next_action"),
            # every pass of the engine: plans that failed, and whether a digest has anything to speak of
            models.Index(
                fields=["kind"], condition=Q(closed_at__isnull=True, kind="plan_failed"), name="promise_plan_failed"
            ),
            # every look at a board: how many series have a next one to be booked
            models.Index(
                fields=["kind"], condition=Q(closed_at__isnull=True, kind="next_in_series"), name="promise_of_series"
            ),
            models.Index(
                fields=["escalated_role"],
                condition=Q(closed_at__isnull=True) & ~Q(escalated_role=""),
                name="promise_escalated",
            ),
            # worklists: mine, and my role's
            models.Index(
                fields=["responsible", "due_at"], condition=Q(closed_at__isnull=True), name="promise_of_person"
            ),
            models.Index(fields=["role", "due_at"], condition=Q(closed_at__isnull=True), name="promise_of_role"),
            models.Index(fields=["procedure"], condition=Q(closed_at__isnull=True), name="promise_open_of_case"),
            # on every page: critical results that nobody has taken
            models.Index(
                fields=["start_at"], condition=Q(closed_at__isnull=True, level="critical"), name="promise_critical"
            ),
            # figures of a period, and whether anything has changed since they were read
            models.Index(fields=["due_at"], name="promise_due"),
            models.Index(fields=["closed_at"], name="promise_closed"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    def is_overdue(self, now: datetime) -> bool:
        """Computed from the data, never from a reminder that was or was not sent."""
        return self.is_open and self.due_at < now


class FollowUpNote(models.Model):
    """What somebody said or did about a promise: took it, gave it away, snoozed it, commented."""

    follow_up = models.ForeignKey(FollowUp, on_delete=models.PROTECT, related_name="notes")
    at = models.DateTimeField()
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    action = models.CharField(max_length=20)  # taken, handed_over, given_back, snoozed, comment, escalated
    text = models.TextField(blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"Note {self.pk}"
