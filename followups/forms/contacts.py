"""The phone card: one try to tell the patient."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from followups.models.contacts import BY_LINK, ContactChannel, ContactOutcome, ContactPurpose
from procedures.models import ResultVersion


class ContactForm(ClinicFormMixin, forms.Form):
    """``versions``: what may be told. For an inpatient the ward team comes first."""

    purpose = forms.ChoiceField(label=_("About"), choices=ContactPurpose.choices, widget=forms.RadioSelect)
    versions = forms.MultipleChoiceField(
        label=_("Results told"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only reviewed results are listed. Tick those that were really told."),
    )
    channel = forms.ChoiceField(label=_("How"), choices=ContactChannel.choices, widget=forms.RadioSelect)
    outcome = forms.ChoiceField(
        label=_("What happened"),
        choices=[(code, label) for code, label in ContactOutcome.choices if code not in BY_LINK],
        widget=forms.RadioSelect,
    )
    spoke_with = forms.CharField(
        label=_("Spoke with"), required=False, max_length=120, help_text=_("The patient, or who answered for them.")
    )
    understood = forms.ChoiceField(
        label=_("Repeated it back in their own words"),
        required=False,
        choices=[("", _("not asked")), ("yes", _("yes")), ("no", _("no"))],
    )
    at = forms.DateTimeField(
        label=_("When"),
        required=False,
        help_text=_("Empty: now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, tellable: list[tuple[ResultVersion, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["versions"].choices = [(str(v.pk), label) for v, label in tellable]  # type: ignore[attr-defined]
        if not tellable:
            del self.fields["versions"]

    def told(self) -> list[int]:
        return [int(v) for v in self.cleaned_data.get("versions", [])]

    def was_understood(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data["understood"])
