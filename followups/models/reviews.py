"""Who read which version, what it means, what shall be done, and that it was done."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Interpretation(models.TextChoices):
    NORMAL = "normal", _("normal")
    ABNORMAL = "abnormal", _("abnormal")
    CRITICAL = "critical", _("critical")


class Plan(models.TextChoices):
    NONE = "none", _("nothing further")
    REPEAT = "repeat", _("repeat the test")
    TREAT = "treat", _("treat")
    REFER = "refer", _("refer")


class TellHow(models.TextChoices):
    """What the reviewer chose about telling the patient. Nothing is chosen by leaving it blank."""

    WITH_ALL = "with_all", _("with the other results of this case")
    NOW = "now", _("at once, about this result")
    NOT_THIS = "not_this", _("not about this version, because")


class Review(models.Model):
    """A physician's reading of one version of a result. A review of a preliminary never satisfies the final."""

    version = models.ForeignKey("procedures.ResultVersion", on_delete=models.PROTECT, related_name="reviews")
    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="reviews")
    at = models.DateTimeField()
    interpretation = models.CharField(_("interpretation"), max_length=10, choices=Interpretation.choices)
    comment = models.TextField(_("what it means"), blank=True)
    plan = models.CharField(_("plan"), max_length=10, choices=Plan.choices)
    plan_detail = models.CharField(_("what exactly"), max_length=300, blank=True)
    tell = models.CharField(_("tell the patient"), max_length=10, choices=TellHow.choices)
    tell_reason = models.CharField(_("because"), max_length=200, blank=True)
    patient_message = models.TextField(_("what the patient is told"), blank=True)  # in English, for the staff
    #: The same in the language the patient reads (``patient_language``); empty when nobody has put it into it.
    patient_message_theirs = models.TextField(_("the same in the patient's language"), blank=True)
    patient_language = models.CharField(max_length=8, blank=True)
    #: "Read in the hospital's record by, at": where it was read when not here.
    read_elsewhere = models.CharField(_("read elsewhere"), max_length=200, blank=True)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )

    class Meta:
        verbose_name = _("review")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["version", "reviewer"], condition=Q(supersedes__isnull=True), name="review_once_per_reader"
            ),
            models.CheckConstraint(condition=Q(interpretation__in=Interpretation.values), name="review_known"),
            models.CheckConstraint(condition=Q(plan__in=Plan.values), name="review_plan_known"),
            models.CheckConstraint(condition=Q(tell__in=TellHow.values), name="review_tell_known"),
            models.CheckConstraint(condition=Q(plan="none") | ~Q(plan_detail=""), name="review_plan_says_what"),
            models.CheckConstraint(
                condition=~Q(tell="not_this") | ~Q(tell_reason=""), name="review_not_told_has_reason"
            ),
        )
        # overrides of a period
        indexes = (
            models.Index(fields=["at"], name="review_at"),
            models.Index(fields=["at"], condition=Q(tell="not_this"), name="review_not_told"),
        )
        triggers = (pgtrigger.Protect(name="review_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Review {self.pk}"


class Action(models.Model):
    """What a review decided must be done (repeat, treat, refer), until somebody has done it."""

    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="action")
    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="actions")
    what = models.CharField(max_length=300)
    plan = models.CharField(max_length=10)
    responsible = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="actions")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    done_note = models.CharField(_("what was done"), max_length=300, blank=True)
    #: Decided otherwise: not done, with a reason. Also ends it.
    not_done = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("action")
        ordering = ("due_at", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | (Q(done_by__isnull=False) & ~Q(done_note="")),
                name="action_done_by_someone",
            ),
        )
        # overrides of a period
        indexes = (models.Index(fields=["done_at"], condition=Q(not_done=True), name="action_not_done"),)

    def __str__(self) -> str:
        return f"Action {self.pk}"
