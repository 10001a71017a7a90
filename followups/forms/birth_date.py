"""The birth date that a patient's link asks for: three plain numbers, in the order in which they are said here."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


def _number(label: Any, autocomplete: str, length: int) -> forms.CharField:
    attrs = {"inputmode": "numeric", "autocomplete": autocomplete, "size": length, "maxlength": length}
    return forms.CharField(label=label, max_length=length, required=False, widget=forms.TextInput(attrs=attrs))


class BirthDateForm(forms.Form):
    """What cannot be a birth date at all is said at once and is no try."""

    use_required_attribute = False
    month = _number(_("Month"), "bday-month", 2)
    day = _number(_("Day"), "bday-day", 2)
    year = _number(_("Year"), "bday-year", 4)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        parts = [str(data.get(name, "")).strip() for name in ("year", "month", "day")]
        if not all(part.isascii() and part.isdigit() for part in parts) or len(parts[0]) != 4:
            raise forms.ValidationError(_("Please write the month, the day and the year with four digits."))
        try:
            data["date"] = date(*map(int, parts))
        except ValueError:
            raise forms.ValidationError(_("There is no such date. Please look at it again.")) from None
        return data

    @property
    def birth_date(self) -> date:
        """Of a form that is valid."""
        found: date = self.cleaned_data["date"]
        return found
