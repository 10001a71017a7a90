"""The way to a laboratory, as the director keeps it."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from clinic.models import Room
from clinic.models.places import WEEKDAYS
from clinic.place_forms import time_input
from procedures.models import Laboratory

MOST_MINUTES = 60 * 72


class CourierForm(ClinicFormMixin, forms.Form):
    rooms = forms.ModelMultipleChoiceField(
        label=_("Its rooms"),
        queryset=Room.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What is taken in these rooms goes to this laboratory."),
    )
    is_default = forms.BooleanField(label=_("Also every room that names no other laboratory"), required=False)
    running_days = forms.TypedMultipleChoiceField(
        label=_("It works on"),
        coerce=int,
        choices=WEEKDAYS,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The latest hours of a test are counted on these days."),
    )
    receipt_minutes = forms.IntegerField(
        label=_("Minutes until a tube must have arrived"),
        min_value=1,
        max_value=MOST_MINUTES,
        required=False,
        help_text=_("Empty: what the protocol says of each container."),
    )

    def __init__(self, *args: Any, laboratory: Laboratory, **kwargs: Any) -> None:
        known = laboratory.pickups()
        kwargs["initial"] = {
            "rooms": list(laboratory.rooms.all()),
            "is_default": laboratory.is_default,
            "running_days": laboratory.running_days,
            "receipt_minutes": laboratory.receipt_minutes,
            **{f"last_{day}": clock for day, clock in known.items()},
        }
        super().__init__(*args, **kwargs)
        self.fields["rooms"].queryset = Room.objects.filter(is_active=True)  # type: ignore[attr-defined]
        for day, name in WEEKDAYS:
            label = gettext("Last courier on %(day)s") % {"day": name}
            self.fields[f"last_{day}"] = forms.TimeField(label=label, required=False, widget=time_input())

    def pickups(self) -> dict[int, time]:
        given = {day: self.cleaned_data[f"last_{day}"] for day, _name in WEEKDAYS}
        return {day: clock for day, clock in given.items() if clock is not None}

    def arguments(self) -> dict[str, Any]:
        """As ``services.couriers.arrange`` takes them."""
        names = ("rooms", "is_default", "running_days", "receipt_minutes")
        return {**{name: self.cleaned_data[name] for name in names}, "last_pickups": self.pickups()}
