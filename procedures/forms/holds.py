"""Held medicines: what is held, when the patient was told, when it is due again, what became of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from clinic.models import User
from clinic.roles import Role
from procedures.forms.checklist_rows import DateInput, MomentMixin, TimeInput
from procedures.models.holds import RestartDecision


class PhysicianField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    def label_from_instance(self, obj: User) -> str:
        return obj.display_name


class HoldForm(ClinicFormMixin, MomentMixin, forms.Form):
    """A medicine that is held for the needle."""

    ingredient = forms.CharField(label=_("Medicine"), max_length=120)
    reason = forms.CharField(label=_("Why held"), max_length=200, required=False)
    decided_by = PhysicianField(label=_("Decided by"), queryset=User.objects.none())
    agreed_with = forms.CharField(
        label=_("Agreed with"), max_length=200, required=False, help_text=_("The prescriber: name, clinic, phone.")
    )
    planned_last_dose_date = forms.DateField(label=_("Planned last dose: date"), required=False, widget=DateInput)
    planned_last_dose_time = forms.TimeField(label=_("Planned last dose: time"), required=False, widget=TimeInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["decided_by"].queryset = User.objects.holding(Role.PHYSICIAN)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["planned_last_dose_at"] = self.joined(cleaned, "planned_last_dose")
        return cleaned

    def values(self) -> dict[str, Any]:
        """Arguments for the service."""
        names = ("ingredient", "reason", "decided_by", "agreed_with", "planned_last_dose_at")
        return {name: self.cleaned_data[name] for name in names}


class MomentForm(ClinicFormMixin, MomentMixin, forms.Form):
    """A moment that is needed."""

    at_date = forms.DateField(label=_("Date"), widget=DateInput)
    at_time = forms.TimeField(label=_("Time"), widget=TimeInput)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["at"] = self.joined(cleaned, "at")
        return cleaned


class ToldForm(MomentForm):
    """When the patient was told about the last dose, and what they said back."""

    teach_back = forms.CharField(
        label=_("What the patient said back"),
        max_length=200,
        required=False,
        help_text=_("In their own words: which medicine, last dose when, and not again before somebody says so."),
    )


class LastDoseForm(MomentForm):
    """When the last dose is taken, and with whom that was agreed."""

    agreed_with = forms.CharField(
        label=_("Agreed with"), max_length=200, required=False, help_text=_("The prescriber: name, clinic, phone.")
    )


class RestartForm(ClinicFormMixin, MomentMixin, forms.Form):
    """What became of a held medicine: taken again since when, or why not."""

    use_required_attribute = False

    decision = forms.ChoiceField(
        label=_("What became of it?"), choices=RestartDecision.choices, widget=forms.RadioSelect
    )
    at_date = forms.DateField(label=_("Restarted: date"), required=False, widget=DateInput)
    at_time = forms.TimeField(label=_("Restarted: time"), required=False, widget=TimeInput)
    reason = forms.CharField(label=_("Not restarted, because"), max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["at"] = self.joined(cleaned, "at")
        decision = cleaned.get("decision")
        if decision == RestartDecision.RESTARTED and cleaned["at"] is None and not self.errors:
            self.add_error("at_date", _("Say when it was taken again."))
        if decision == RestartDecision.NOT_RESTARTED and not (cleaned.get("reason") or "").strip():
            self.add_error("reason", _("Say why it is not restarted."))
        return cleaned


class WithdrawHoldForm(ClinicFormMixin, forms.Form):
    """Why the medicine is not held after all."""

    reason = forms.CharField(label=_("Why is it not held after all?"), max_length=200)
