"""The second signature, and what becomes of tests that are taken later."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from procedures.models.later_tests import LaterChoice, LaterFinding


class CountersignForm(ClinicFormMixin, forms.Form):
    """Nothing is preset: either answer is a signature."""

    agrees = forms.ChoiceField(
        label=_("Was it right to start without the full checklist?"),
        choices=[("yes", _("I agree")), ("no", _("I do not agree; the director sees it"))],
        widget=forms.RadioSelect,
    )
    comment = forms.CharField(
        label=_("Comment"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed when you do not agree."),
    )


class LaterTestsForm(ClinicFormMixin, forms.Form):
    """Taken elsewhere and read, or not needed."""

    use_required_attribute = False

    decision = forms.ChoiceField(
        label=_("If it is not taken here"),
        choices=LaterChoice.choices,
        widget=forms.RadioSelect,
    )
    place = forms.CharField(
        label=_("Read at"), required=False, max_length=160, help_text=_("The hospital's or practice's record.")
    )
    sampled_on = forms.DateField(
        label=_("Taken on"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    finding = forms.ChoiceField(
        label=_("Finding"), required=False, choices=LaterFinding.choices, widget=forms.RadioSelect
    )
    interpretation = forms.CharField(label=_("What it means, in one line"), required=False, max_length=300)
    reason = forms.CharField(
        label=_("Why it is not needed, or what is done about it"),
        required=False,
        max_length=300,
        help_text=_("Needed unless it was read elsewhere with nothing to act on."),
    )

    def elsewhere(self) -> dict[str, Any]:
        names = ("place", "sampled_on", "finding", "interpretation", "reason")
        return {name: self.cleaned_data[name] for name in names}
