"""The safety rules over a case at a moment, and what people decided about what they found. Nothing here is changed."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from procedures.domain.clearance import Decision, Moment
from procedures.domain.findings import Finding

APPEND_ONLY = pgtrigger.Update | pgtrigger.Delete
MOMENTS = {
    Moment.SIGNING: _("a stage was signed"),
    Moment.BOOKING: _("it was booked or moved"),
    Moment.DAY_BEFORE: _("the day before"),
    Moment.ARRIVAL: _("arrival"),
    Moment.SIGN_IN: _("sign-in"),
    Moment.TIME_OUT: _("time-out"),
    Moment.START: _("start"),
    Moment.STOP_APPEARED: _("an answer changed what stops it"),
    Moment.RULE_CHANGE: _("the rules changed"),
}
DECISIONS = {
    Decision.PROCEED: _("proceed"),
    Decision.HOLD_UNTIL: _("hold until"),
    Decision.CORRECT_FIRST: _("correct first"),
    Decision.CANCEL_UNSAFE: _("cancel as unsafe"),
}


class SafetyRun(models.Model):
    """The newest rules over a case's answers. ``judged_at``: the needle that was judged; ``ran_at``: when.

    ``findings``: each as ``Finding.as_data``, with ``since``: from when on it was found so without a break.
    ``changed``: whether anything is different from the run before it.
    """

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="safety_runs")
    moment = models.CharField(max_length=20, choices=[(str(m), words) for m, words in MOMENTS.items()])
    judged_at = models.DateTimeField()
    ran_at = models.DateTimeField()
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True)
    rule_set = models.ForeignKey("procedures.RuleSetVersion", on_delete=models.PROTECT, related_name="runs")
    snapshot_digest = models.CharField(max_length=64)
    findings = models.JSONField(default=list)
    changed = models.BooleanField(default=False)
    #: Of a run that is made once: the day before a slot, a rule set over a case.
    once = models.CharField(max_length=80, null=True, unique=True)  # noqa: DJ001  # null: any number of others

    class Meta:
        verbose_name = _("safety run")
        ordering = ("procedure_id", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(moment__in=[str(m) for m in Moment]), name="safety_run_moment_known"),
        )
        indexes = (models.Index(fields=["procedure", "-id"], name="safety_run_newest"),)
        triggers = (pgtrigger.Protect(name="safety_run_append_only", operation=APPEND_ONLY),)

    def __str__(self) -> str:
        return f"Safety run {self.pk}"

    @property
    def found(self) -> tuple[Finding, ...]:
        """The findings, the hardest first."""
        return tuple(Finding.from_data(row) for row in self.findings)


class FindingsSeen(models.Model):
    """Somebody has looked at what was different in a run."""

    run = models.OneToOneField(SafetyRun, on_delete=models.PROTECT, related_name="seen")
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("findings seen")
        triggers = (pgtrigger.Protect(name="findings_seen_append_only", operation=APPEND_ONLY),)

    def __str__(self) -> str:
        return f"Findings of run {self.run_id} seen"


class ClearanceDecision(models.Model):
    """What a physician decided about findings. ``covers``: key of each, with what was seen of it.

    ``emergency``: it was started over these by one person; the second signature is that of the emergency.
    """

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="clearances")
    run = models.ForeignKey(SafetyRun, on_delete=models.PROTECT, related_name="decisions")
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    decision = models.CharField(max_length=16, choices=[(str(d), words) for d, words in DECISIONS.items()])
    covers = models.JSONField()
    over_stop = models.BooleanField()
    reason = models.TextField(_("reason"))
    hold_until = models.DateTimeField(_("hold until"), null=True, blank=True)
    correct = models.CharField(_("what to correct (drug, product, test)"), max_length=200, blank=True)
    emergency = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("clearance")
        ordering = ("procedure_id", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(decision__in=[str(d) for d in Decision]), name="clearance_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="clearance_has_reason"),
            models.CheckConstraint(condition=~Q(covers={}), name="clearance_covers_something"),
            models.CheckConstraint(
                condition=~Q(decision="hold_until") | Q(hold_until__isnull=False), name="clearance_hold_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(decision="correct_first") | ~Q(correct=""), name="clearance_correct_says_what"
            ),
        )
        # the director's overrides
        indexes = (
            models.Index(fields=["-at"], condition=Q(over_stop=True, decision="proceed"), name="clearance_overrides"),
        )
        triggers = (pgtrigger.Protect(name="clearance_append_only", operation=APPEND_ONLY),)

    def __str__(self) -> str:
        return f"Clearance {self.pk}"


class ClearanceSignature(models.Model):
    """The second person behind *proceed* over a stop."""

    decision = models.OneToOneField(ClearanceDecision, on_delete=models.PROTECT, related_name="signature")
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("second signature")
        triggers = (
            pgtrigger.Protect(name="clearance_signature_append_only", operation=APPEND_ONLY),
            pgtrigger.Trigger(
                name="clearance_signed_by_another",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (SELECT 1 FROM procedures_clearancedecision d
                               WHERE d.id = NEW.decision_id AND d.by_id = NEW.by_id) THEN
                        RAISE EXCEPTION 'the second signature is that of another person'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        )

    def __str__(self) -> str:
        return f"Second signature of clearance {self.decision_id}"
