"""Each try to tell the patient."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ContactChannel(models.TextChoices):
    IN_PERSON = "in_person", _("in person")
    PHONE = "phone", _("phone")
    CAREGIVER = "caregiver", _("caregiver by phone")
    PORTAL = "portal", _("message with a link")
    LETTER = "letter", _("letter")
    WARD_TEAM = "ward_team", _("ward team (inpatient)")


class ContactOutcome(models.TextChoices):
    REACHED = "reached", _("reached and told")
    VOICEMAIL = "voicemail", _("voicemail left")
    NO_ANSWER = "no_answer", _("no answer")
    WRONG_NUMBER = "wrong_number", _("wrong number")
    REFUSED = "refused", _("did not want to hear it")
    LETTER_SENT = "letter_sent", _("letter sent")
    LINK_SENT = "link_sent", _("a message with a link sent")
    CALL_WANTED = "call_wanted", _("read it and asks for a call")


class ContactPurpose(models.TextChoices):
    RESULTS = "results", _("tell results")
    CANCELLATION = "cancellation", _("tell about a cancellation or a lost specimen")
    OTHER = "other", _("other")


#: What only a message with a link brings about: nobody enters it by hand.
BY_LINK = ("link_sent", "call_wanted")
#: Outcomes that mean the patient (or who answers for them) knows.
TOLD = ("reached", "refused")


class PatientContact(models.Model):
    """One try, successful or not. ``told_versions`` names the result versions it spoke of: told is per version.

    ``by`` is empty for what the patient did alone, with a link.
    """

    procedure = models.ForeignKey("procedures.Procedure", on_delete=models.PROTECT, related_name="contacts")
    purpose = models.CharField(_("about"), max_length=14, choices=ContactPurpose.choices)
    channel = models.CharField(_("how"), max_length=12, choices=ContactChannel.choices)
    outcome = models.CharField(_("what happened"), max_length=14, choices=ContactOutcome.choices)
    spoke_with = models.CharField(_("spoke with"), max_length=120, blank=True)
    told_versions = ArrayField(models.BigIntegerField(), default=list, blank=True)
    understood = models.BooleanField(_("repeated it back in own words"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField()
    by = models.ForeignKey("clinic.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    #: The link that was sent, or through which it was read.
    link = models.ForeignKey(
        "followups.PatientLink", on_delete=models.PROTECT, related_name="contacts", null=True, blank=True
    )

    class Meta:
        verbose_name = _("patient contact")
        ordering = ("at", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(outcome__in=ContactOutcome.values), name="contact_outcome_known"),
            models.CheckConstraint(condition=Q(channel__in=ContactChannel.values), name="contact_channel_known"),
        )
        indexes = (models.Index(fields=["at"], name="contact_at"),)  # figures of a period
        triggers = (pgtrigger.Protect(name="contact_immutable", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"Contact {self.pk}"
