"""Forms about patients. What may be stored is decided in ``services.patients``."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from clinic import clock
from clinic.forms import ClinicFormMixin
from procedures.domain.states import EncounterClass
from procedures.models import Patient

#: In whose way a number without a country code is read.
REGION = getattr(settings, "PHONENUMBER_DEFAULT_REGION", None) or "US"
ENCOUNTER_LABELS = {
    str(EncounterClass.OUTPATIENT): _("Outpatient"),
    str(EncounterClass.INPATIENT): _("Inpatient: no texts or links, telling goes to the ward team"),
}
MOMENT = "%Y-%m-%dT%H:%M"


class PatientForm(ClinicFormMixin, forms.ModelForm):  # type: ignore[type-arg]
    """Identity and contact. ``despite``: the similar patients that were shown and are somebody else."""

    mrn = forms.CharField(
        label=_("Medical record number"), max_length=60, required=False, help_text=_("Empty: a number is made.")
    )
    phone = PhoneNumberField(label=_("Phone"), required=False, region=REGION)
    caregiver_phone = PhoneNumberField(label=_("Caregiver's phone"), required=False, region=REGION)
    encounter_class = forms.ChoiceField(label=_("Encounter"), choices=list(ENCOUNTER_LABELS.items()))
    despite = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Patient
        fields = (
            "family_name",
            "given_name",
            "birth_date",
            "mrn",
            "sex",
            "encounter_class",
            "phone",
            "email",
            "reach_by",
            "voicemail_allowed",
            "consent_sms",
            "consent_email",
            "caregiver_name",
            "caregiver_phone",
            "facility",
            "language",
            "interpreter_needed",
        )
        widgets = {"birth_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    field_order = Meta.fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("family_name", "given_name", "phone", "email", "caregiver_name"):
            self.fields[name].widget.attrs["autocomplete"] = "off"  # a shared computer remembers nobody
        if self.instance.pk:
            self.fields["mrn"].required = True
            self.fields["mrn"].help_text = ""
            self.fields["mrn"].initial = self.instance.mrn

    def clean_despite(self) -> list[int]:
        return [int(pk) for pk in self.cleaned_data["despite"].split(",") if pk.isdigit()]

    def details(self) -> dict[str, Any]:
        """What the service takes, without number and ``despite``."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"mrn", "despite"}}


class DeceasedForm(ClinicFormMixin, forms.Form):
    """When the patient died, and how we know."""

    at = forms.DateTimeField(
        label=_("Died"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
        help_text=_("As exactly as known. From now on no message reaches the patient or the caregiver."),
    )
    reason = forms.CharField(label=_("How we know"), required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["at"].initial = timezone.localtime(clock.now()).replace(second=0, microsecond=0)


class ReasonForm(ClinicFormMixin, forms.Form):
    """A reason that must be given."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))
