"""Danger signs, asked at their hour and answered; silence is never taken for well."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CheckOutcome(models.TextChoices):
    BEGUN = "begun", _("begun, not finished")
    ANSWERED = "answered", _("answered")
    NOT_REACHED = "not_reached", _("not reached")
    NOT_NEEDED = "not_needed", _("not needed, because")


class ReportChannel(models.TextChoices):
    PHONE = "phone", _("on the phone")
    IN_PERSON = "in_person", _("in person")
    LINK = "link", _("by the patient's link")


class Relation(models.TextChoices):
    """Who answers."""

    SELF = "self", _("the patient")
    CAREGIVER = "caregiver", _("family or a caregiver")
    FACILITY = "facility", _("the facility")
    WARD = "ward", _("the ward team")


class SymptomCheck(models.Model):
    """One asking: by whom, whom, and the worst tier. Not reached does not end the promise.

    What a patient answers by a link arrives one answer at a time: until it is finished the row is *begun*, and nothing
    else is ever changed.
    """

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="symptom_checks")
    check_code = models.CharField(max_length=60)
    outcome = models.CharField(max_length=12, choices=CheckOutcome.choices)
    reason = models.CharField(max_length=200, blank=True)
    channel = models.CharField(_("how"), max_length=10, choices=ReportChannel.choices, default=ReportChannel.PHONE)
    relation = models.CharField(_("who answers"), max_length=10, choices=Relation.choices, blank=True)
    answered_by = models.CharField(_("who answered"), max_length=120, blank=True)  # the name, where it was said
    language = models.CharField(_("language"), max_length=40, blank=True)
    interpreter = models.BooleanField(_("through an interpreter"), default=False)
    link = models.ForeignKey(
        "followups.PatientLink", on_delete=models.PROTECT, related_name="reports", null=True, blank=True
    )
    #: The most urgent of all answers ever given in it, taken back or not.
    worst_tier = models.CharField(max_length=1, blank=True)
    note = models.TextField(_("in their own words"), blank=True)
    words_at = models.DateTimeField(null=True, blank=True)  # a patient wrote ``note``: a person reads it
    #: What was done about a sign of tier A, B or C while it was written down; otherwise a triage says it.
    handled = models.CharField(_("what was done"), max_length=300, blank=True)
    at = models.DateTimeField()  # when it began
    finished_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        verbose_name = _("symptom check")
        ordering = ("at", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(outcome__in=CheckOutcome.values), name="symptom_outcome_known"),
            models.CheckConstraint(condition=Q(channel__in=ReportChannel.values), name="symptom_channel_known"),
            models.CheckConstraint(condition=Q(worst_tier__in=["", "A", "B", "C", "D"]), name="symptom_tier_known"),
            models.CheckConstraint(
                condition=~Q(outcome="not_needed") | ~Q(reason=""), name="symptom_not_needed_has_reason"
            ),
            models.CheckConstraint(condition=Q(by__isnull=False) | Q(channel="link"), name="symptom_by_staff_or_link"),
            # two telephones with one link write into one row
            models.UniqueConstraint(fields=["link"], condition=Q(outcome="begun"), name="symptom_one_begun_for_link"),
        )
        # overrides of a period
        indexes = (models.Index(fields=["at"], condition=Q(outcome="not_needed"), name="symptom_not_needed"),)
        triggers = (
            pgtrigger.Protect(name="symptom_check_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="symptom_check_immutable", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__outcome="begun")
            ),
            pgtrigger.ReadOnly(
                name="symptom_check_stays_whose_it_is",
                fields=["procedure", "check_code", "channel", "relation", "language", "link", "at", "by"],
            ),
        )

    def __str__(self) -> str:
        return f"Symptom check {self.pk}"


class SymptomAnswer(models.Model):
    """One answer, with the tier the server gave it and the protocol version it was asked under.

    Another answer to the same question is another row with the next ``number``: the highest counts for what is asked
    next, but a danger sign once given stays one until a person has dealt with it.
    """

    check_row = models.ForeignKey(SymptomCheck, on_delete=models.PROTECT, related_name="answers")
    question = models.CharField(max_length=60)
    number = models.PositiveSmallIntegerField(default=1)
    answer = models.CharField(max_length=60)
    tier = models.CharField(max_length=1, blank=True)
    combination = models.CharField(max_length=60, blank=True)  # that made it more urgent than it is by itself
    at = models.DateTimeField(null=True)  # empty in rows from before answers had a time of their own
    protocol_version = models.ForeignKey("procedures.ProtocolVersion", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["check_row", "question", "number"], name="symptom_answer_once"),
            models.CheckConstraint(condition=Q(tier__in=["", "A", "B", "C", "D"]), name="symptom_answer_tier_known"),
        )
        triggers = (pgtrigger.Protect(name="symptom_answer_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Symptom answer {self.pk}"


class TriageOutcome(models.TextChoices):
    CALLED_911 = "called_911", _("911 was called, or they were told to call it and will")
    EMERGENCY = "emergency", _("goes to the emergency department")
    SEEN = "seen", _("is seen here, or has been")
    ADVISED = "advised", _("spoken with and advised")
    READ = "read", _("read; nothing more to do")
    NOT_REACHED = "not_reached", _("not reached")


#: Somebody has spoken with the patient or whoever is with them, and something was done.
SPOKEN = (TriageOutcome.CALLED_911, TriageOutcome.EMERGENCY, TriageOutcome.SEEN, TriageOutcome.ADVISED)


class SymptomTriage(models.Model):
    """What a nurse or a physician did about what a patient reported. Not reached leaves it open."""

    check_row = models.ForeignKey(SymptomCheck, on_delete=models.PROTECT, related_name="triages")
    outcome = models.CharField(_("what happened"), max_length=12, choices=TriageOutcome.choices)
    done = models.CharField(_("what was done"), max_length=300, blank=True)
    spoke_with = models.CharField(_("spoke with"), max_length=120, blank=True)
    at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField()
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("triage of a symptom check")
        ordering = ("at", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(outcome__in=TriageOutcome.values), name="triage_outcome_known"),
            models.CheckConstraint(
                condition=~Q(outcome__in=[str(o) for o in SPOKEN]) | (~Q(done="") & ~Q(spoke_with="")),
                name="triage_spoken_says_what",
            ),
        )
        triggers = (pgtrigger.Protect(name="triage_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Triage {self.pk}"
