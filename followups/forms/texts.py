"""What a person did about a text that came in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin


class TextReadForm(ClinicFormMixin, forms.Form):
    """The service refuses an empty one as well."""

    done = forms.CharField(
        label=_("What was done"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For example: called back at 14:10, no fever, comes on Friday."),
        error_messages={"required": _("Say what was done.")},
    )
