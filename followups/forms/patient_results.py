"""What a patient says after reading a message about a result."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

#: Far more than a question needs; nothing that was typed is cut.
LONGEST = 10_000


class ReadResultForm(forms.Form):
    """One choice must be made: opening the page says nothing."""

    answer = forms.ChoiceField(
        choices=[("read", _("I have read this.")), ("call", _("I have read this. Please call me."))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose one of the two answers.")},
    )
    note = forms.CharField(
        label=_("What would you like to ask? You can leave this empty."),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @property
    def wants_call(self) -> bool:
        """Whoever writes a question is called, whichever answer they picked: nobody reads it otherwise."""
        return self.cleaned_data["answer"] == "call" or bool(self.cleaned_data["note"].strip())
