"""What was done about what a patient reported."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from followups.models.symptoms import TriageOutcome


class TriageForm(ClinicFormMixin, forms.Form):
    """One try to answer it. ``seen``: what the page showed, so that a later answer is not closed unread."""

    outcome = forms.ChoiceField(label=_("What happened"), choices=TriageOutcome.choices, widget=forms.RadioSelect)
    spoke_with = forms.CharField(
        label=_("Spoke with"), required=False, max_length=120, help_text=_("The patient, or who is with them.")
    )
    done = forms.CharField(
        label=_("What was done"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What you told them, whom you asked, where the patient goes."),
    )
    at = forms.DateTimeField(
        label=_("When"),
        required=False,
        help_text=_("Empty: now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
