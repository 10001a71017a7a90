"""What a person says about a message that did not arrive."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin


class DealtWithForm(ClinicFormMixin, forms.Form):
    """The service refuses an empty reason as well."""

    reason = forms.CharField(
        label=_("Who was told, and how"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For example: told by phone at 14:10. No names of patients."),
        error_messages={"required": _("Say who was told, and how.")},
    )
