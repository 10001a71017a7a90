"""Forms about what laboratories sent: looking for a message, rejecting, and keeping laboratories and their codes."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from procedures.domain.protocol import Protocol
from procedures.domain.test_codes import Target
from procedures.models import Laboratory
from procedures.models.inbound import InboundState
from procedures.selectors.unmatched import targets_of
from procedures.services.inbound_decisions import DONE_LENGTH


class MessageSearchForm(ClinicFormMixin, forms.Form):
    """A control number or a day may lead to a person: sent by POST, never in an address."""

    control_id = forms.CharField(label=_("Number of the message (MSH-10)"), max_length=200, required=False)
    day = forms.DateField(
        label=_("Received on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("any")), *InboundState.choices])


class DoneForm(ClinicFormMixin, forms.Form):
    done = forms.CharField(
        label=_("What was done"),
        max_length=DONE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who had acted on it and has heard, what was undone, what the patient was told"),
    )


class LaboratoryForm(ClinicFormMixin, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """``authorities`` is typed one a line: theirs = ours."""

    authorities = forms.CharField(
        label=_("Patient numbers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_(
            "One a line: who gave the number in its messages (PID-3.4) = the same here. Only these numbers identify. "
            "For example: EXAMPLE HOSPITAL = CLINIC"
        ),
    )

    class Meta:
        model = Laboratory
        fields = ("name", "sending_application", "sending_facility", "zone", "authorities", "is_active")
        help_texts = {
            "zone": _("For example America/New_York"),
            "sending_application": _("Empty: any"),
            "sending_facility": _("Empty: any"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["authorities"] = "\n".join(f"{a} = {b}" for a, b in (self.instance.authorities or {}).items())

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"].strip()
        if zone not in available_timezones():
            raise forms.ValidationError(_("There is no such time zone. Write it like America/New_York."))
        return zone

    def clean_authorities(self) -> dict[str, str]:
        found = {}
        for line in self.cleaned_data["authorities"].splitlines():
            if not line.strip():
                continue
            theirs, sign, ours = (part.strip() for part in line.partition("="))
            if not (theirs and sign and ours):
                words = gettext('Write each line as "theirs = ours": %(line)s')
                raise forms.ValidationError(words % {"line": line.strip()})
            found[theirs] = ours
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("sending_application") and not cleaned.get("sending_facility"):
            self.add_error("sending_application", _("Say at least one of the two, or its messages are nobody's."))
        return cleaned

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class MappingForm(ClinicFormMixin, forms.Form):
    """A laboratory's code, and the test and value that it means."""

    code = forms.CharField(label=_("Code"), max_length=120, widget=forms.TextInput(attrs={"spellcheck": "false"}))
    system = forms.CharField(
        label=_("Code system"),
        max_length=60,
        required=False,
        help_text=_("As in the message: L, 99LAB … LN for a LOINC"),
    )
    label = forms.CharField(label=_("The laboratory's words"), max_length=200, required=False)
    target = forms.ChoiceField(label=_("Means"))

    def __init__(self, *args: Any, protocols: list[Protocol], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [
            (protocol.label, [(f"{protocol.code}|{value}", label) for value, label in targets_of(protocol)])
            for protocol in protocols
        ]
        self.fields["target"].choices = [("", gettext("Choose")), *groups]  # type: ignore[attr-defined]

    def chosen(self) -> tuple[str, Target]:
        """The protocol's code, and the test and value."""
        protocol, _sep, value = self.cleaned_data["target"].partition("|")
        test, _dot, component = value.partition(".")
        return protocol, Target(test, component)
