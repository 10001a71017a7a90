"""How a critical result was noticed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from procedures.forms.labs import moment_field
from procedures.models.read_backs import Noticed


class ReadBackForm(ClinicFormMixin, forms.Form):
    """A call of the laboratory with its read-back, or another way."""

    how = forms.ChoiceField(label=_("How was it noticed?"), choices=Noticed.choices, widget=forms.RadioSelect)
    at = moment_field(_("When"))
    caller = forms.CharField(label=_("Who called"), max_length=120, required=False, help_text=_("For a call"))
    receiver = forms.CharField(label=_("Who took the call"), max_length=120, required=False, help_text=_("For a call"))
    value = forms.CharField(
        label=_("The value, read back"),
        max_length=120,
        required=False,
        help_text=_("As it was repeated to the laboratory; it is compared with the result that is here"),
    )

    def arguments(self) -> dict[str, Any]:
        """As ``services.read_backs.record`` takes them."""
        return {name: self.cleaned_data[name] for name in ("how", "at", "caller", "receiver", "value")}
