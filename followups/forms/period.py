"""Which days a figure is about: the last 7, 30 or 90, or from one day to another."""

from __future__ import annotations

from datetime import date, tzinfo
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from followups.domain.period import CHOICES, LONGEST, USUAL, Period

DAY = {"type": "date"}


class PeriodForm(ClinicFormMixin, forms.Form):
    """Read from the address. Nothing said: the last 30 days."""

    days = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, choices=[(n, n) for n in CHOICES], widget=forms.HiddenInput
    )
    first = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    last = forms.DateField(
        label=_("To, that day included"), required=False, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, today: date, zone: tzinfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.zone = today, zone

    def clean(self) -> dict[str, Any]:
        found = dict(super().clean() or {})
        first, last = found.get("first"), found.get("last")
        if last and not first and "first" not in self.errors:
            self.add_error("first", _("Say from which day."))
        for name, day in (("first", first), ("last", last)):
            if day and day > self.today:
                self.add_error(name, _("This day has not come yet."))
        if first and last and last < first:
            self.add_error("last", _("This day is before the first one."))
        if first and (last or self.today) - first > LONGEST:
            self.add_error("first", _("Choose at most two years."))
        return found

    @property
    def period(self) -> Period:
        """Of a form without errors."""
        found = self.cleaned_data
        if found.get("first"):
            return Period(found["first"], found.get("last") or self.today, self.zone)
        return Period.of_days(self.chosen or USUAL, self.today, self.zone)

    @property
    def chosen(self) -> int | None:
        """The last so many days; None for a period of one's own."""
        if self.cleaned_data.get("first") or self.errors:
            return None
        return self.cleaned_data.get("days") or USUAL

    @property
    def query(self) -> str:
        """The period for the address of a file or of the next poll."""
        if self.chosen is not None:
            return f"days={self.chosen}"
        period = self.period
        return f"first={period.first.isoformat()}&last={period.last.isoformat()}"
