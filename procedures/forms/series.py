"""Forms about series. What may be booked is decided in the services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic import clock
from clinic.forms import ClinicFormMixin
from clinic.models import Room, User
from clinic.models.places import WEEKDAYS
from clinic.person_field import PersonField
from procedures.domain import slots
from procedures.domain.protocol import Protocol
from procedures.domain.series import INTERVAL_DAYS, MOST_AT_ONCE, MOST_IN_ALL
from procedures.forms.bookings import CODE, offer_physicians, physicians
from procedures.models.procedures import new_code

WEEK = 7
UNITS = ((WEEK, _("weeks")), (1, _("days")))
USUAL_COUNT = 4
#: How far a booking is shifted at once.
FARTHEST = 180


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PlanForm(ClinicFormMixin, forms.Form):
    """A plan with an interval (*every 2 weeks*). ``shown``: for which values the page has shown what follows."""

    #: What that depends on.
    PLAN: tuple[str, ...] = ()

    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def signature(self) -> str:
        """Those values as they stand in the fields, typed or proposed."""
        return "|".join(str(self.fields[name].widget.format_value(self[name].value())) for name in self.PLAN)

    @property
    def was_changed(self) -> bool:
        """Since: what is on the page is no longer what the plan says."""
        return bool(self["shown"].value() != self.signature())

    def interval(self) -> int | None:
        data = self.cleaned_data
        every = data.get("every")
        return every * (data.get("unit") or 1) if every else None

    def check_interval(self) -> None:
        days = self.interval()
        least, most = INTERVAL_DAYS
        if days is not None and not least <= days <= most:
            words = _("The interval is %(least)d to %(most)d days.") % {"least": least, "most": most}
            self.add_error("every", words)


class SeriesForm(PlanForm):
    """What a series is about, and its rhythm."""

    protocol = forms.CharField(widget=forms.HiddenInput)
    code = forms.CharField(widget=forms.HiddenInput, required=False)
    indication = forms.ChoiceField(label=_("Indication"))
    variant = forms.ChoiceField(label=_("Form"), required=False)
    responsible = PersonField(
        label=_("Responsible clinician"), queryset=User.objects.none(), empty_label=_("choose a physician")
    )
    location = forms.ChoiceField(label=_("Location"))
    every = forms.IntegerField(label=_("Every"), min_value=1, max_value=INTERVAL_DAYS[1])
    unit = forms.TypedChoiceField(label=_("Unit"), choices=UNITS, coerce=int)
    count = forms.IntegerField(label=_("Book now"), min_value=1, max_value=MOST_AT_ONCE)
    first = forms.DateField(label=_("First day"), widget=date_input())
    at = forms.TimeField(label=_("Time"), widget=time_input())
    in_room = forms.ModelChoiceField(
        label=_("Room"), queryset=Room.objects.none(), required=False, empty_label=_("any room")
    )
    by = PersonField(
        label=_("Operator"), queryset=User.objects.none(), required=False, empty_label=_("named on the day")
    )
    total = forms.IntegerField(
        label=_("How many in all"),
        required=False,
        min_value=1,
        max_value=MOST_IN_ALL,
        help_text=_("Empty, and no last day: until somebody ends it."),
    )
    until = forms.DateField(label=_("Last day"), required=False, widget=date_input())
    note = forms.CharField(
        label=_("Note for each booking"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=1000
    )

    PLAN = ("indication", "variant", "location", "every", "unit", "count", "first", "at", "in_room", "by")

    def __init__(self, data: Any = None, *, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.protocol_data = protocol
        for name, items in (
            ("indication", protocol.indications),
            ("variant", protocol.variants),
            ("location", protocol.locations),
        ):
            self.fields[name].choices = [(item.code, item.label) for item in items]  # type: ignore[attr-defined]
        self.fields["variant"].choices = [  # type: ignore[attr-defined]
            ("", _("the usual one of the indication")),
            *self.fields["variant"].choices,  # type: ignore[attr-defined]
        ]
        offer_physicians(self.fields["responsible"])
        offer_physicians(self.fields["by"])
        self.fields["in_room"].queryset = Room.objects.filter(is_active=True)  # type: ignore[attr-defined]

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        return code if CODE.match(code) else new_code()

    def clean_first(self) -> date:
        first: date = self.cleaned_data["first"]
        if first < timezone.localdate(clock.now()):
            raise forms.ValidationError(_("That day is past."))
        return first

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate(clock.now()):
            raise forms.ValidationError(_("That day is past."))
        return until

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.check_interval()
        if data.get("until") and data.get("first") and data["until"] < data["first"]:
            self.add_error("until", _("This is before the first day."))
        return data


class CountForm(ClinicFormMixin, forms.Form):
    """How many more to propose."""

    count = forms.IntegerField(label=_("Book now"), min_value=1, max_value=MOST_AT_ONCE)


class TapForm(forms.Form):
    """One line: a booking that is proposed, typed over, or left out."""

    picked = forms.BooleanField(label=_("Book"), required=False)
    day = forms.DateField(label=_("Day"), required=False, widget=date_input())
    at = forms.TimeField(label=_("Time"), required=False, widget=time_input())
    room = forms.ModelChoiceField(
        label=_("Room"), queryset=Room.objects.none(), required=False, empty_label=_("no room (bedside)")
    )
    operator = PersonField(
        label=_("Operator"), queryset=User.objects.none(), required=False, empty_label=_("named on the day")
    )
    case = forms.CharField(required=False, widget=forms.HiddenInput, max_length=12)
    seen = forms.CharField(required=False, widget=forms.HiddenInput, max_length=80)
    why = forms.CharField(required=False, widget=forms.HiddenInput, max_length=300)

    def __init__(self, *args: Any, rooms: Sequence[Room], operators: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needs_room = bool(rooms)
        room, operator = self.fields["room"], self.fields["operator"]
        room.queryset = Room.objects.filter(is_active=True)  # type: ignore[attr-defined]
        operator.queryset = physicians()  # type: ignore[attr-defined]
        # drawn from what was read once, not once for each line
        if rooms:
            room.choices = [("", _("choose a room")), *((r.pk, r.name) for r in rooms)]  # type: ignore[attr-defined]
        operator.choices = [("", _("named on the day")), *((u.pk, u.display_name) for u in operators)]  # type: ignore[attr-defined]
        for name in ("picked", "day", "at", "room", "operator"):
            css = {"picked": "form-check-input", "room": "form-select", "operator": "form-select"}
            self.fields[name].widget.attrs["class"] = css.get(name, "form-control")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("picked"):
            self._errors = type(self.errors)()  # what is left out need not be right
            return data
        for name, message in (("day", _("Choose a day.")), ("at", _("Choose a time."))):
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, message)
        if self.needs_room and data.get("room") is None and "room" not in self.errors:
            self.add_error("room", _("Choose a room."))
        if data.get("day") and data.get("at"):
            data["start"] = slots.moment(data["day"], data["at"], timezone.get_default_timezone())
            if data["start"] <= clock.now():
                self.add_error("day", _("That time is past."))
        return data

    @property
    def start(self) -> datetime | None:
        return self.cleaned_data.get("start")


SCOPES = (
    ("this", _("this one alone")),
    ("following", _("this one and those that follow")),
    ("all", _("all that have not begun")),
)
KINDS = (
    ("move", _("Move to another day or time")),
    ("interval", _("Another interval")),
    ("where", _("Another room or operator")),
    ("cancel", _("Cancel")),
)


class ChangeForm(PlanForm):
    """Which bookings of a series change, and how. Only the fields of the kind chosen count."""

    scope = forms.ChoiceField(label=_("Which"), choices=SCOPES, widget=forms.RadioSelect)
    kind = forms.ChoiceField(label=_("What"), choices=KINDS, widget=forms.RadioSelect)
    shift = forms.IntegerField(
        label=_("Days later"),
        required=False,
        min_value=-FARTHEST,
        max_value=FARTHEST,
        help_text=_("Earlier: with a minus."),
    )
    weekday = forms.TypedChoiceField(
        label=_("Weekday"), required=False, coerce=int, empty_value=None, choices=[("", _("as it is")), *WEEKDAYS]
    )
    at = forms.TimeField(label=_("Time"), required=False, widget=time_input(), help_text=_("Empty: as it is."))
    every = forms.IntegerField(label=_("Every"), required=False, min_value=1, max_value=INTERVAL_DAYS[1])
    unit = forms.TypedChoiceField(label=_("Unit"), choices=UNITS, coerce=int, required=False)
    to_room = forms.ModelChoiceField(
        label=_("Room"), queryset=Room.objects.none(), required=False, empty_label=_("as it is")
    )
    to_operator = PersonField(
        label=_("Operator"), queryset=User.objects.none(), required=False, empty_label=_("as it is")
    )
    reason = forms.CharField(
        label=_("Reason"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=1000
    )
    PLAN = ("scope", "kind", "shift", "weekday", "at", "every", "unit", "to_room", "to_operator")

    def __init__(self, *args: Any, rooms: Any, only_all: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to_room"].queryset = rooms  # type: ignore[attr-defined]
        offer_physicians(self.fields["to_operator"])
        if only_all:
            self.fields["scope"].choices = SCOPES[2:]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = data.get("kind")
        if kind == "move" and not data.get("shift") and data.get("weekday") is None and not data.get("at"):
            self._missing("shift", _("Say by how many days, to which weekday or to which time."))
        if kind == "interval":
            self._missing("every" if not data.get("every") else "", _("Say the new interval."))
            self.check_interval()
            if data.get("scope") == "this":
                self.add_error("scope", _("An interval lies between several: choose those that follow, or all."))
        if kind == "where" and not data.get("to_room") and not data.get("to_operator"):
            self._missing("to_room", _("Choose a room, an operator or both."))
        return data

    def _missing(self, name: str, message: Any) -> None:
        if name and name not in self.errors:
            self.add_error(name, message)


class EndForm(ClinicFormMixin, forms.Form):
    """Why a series ends, and what becomes of what is booked."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=1000)
    booked = forms.ChoiceField(
        label=_("Those that are booked"),
        widget=forms.RadioSelect,
        choices=(("keep", _("stay booked")), ("cancel", _("are cancelled, with the same reason"))),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)


class SeenForm(ClinicFormMixin, forms.Form):
    """Only yes, to what the page has shown."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


class GapForm(SeenForm):
    """Why a distance that drifts from the interval is right."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=1000)


__all__ = ["USUAL_COUNT", "ChangeForm", "CountForm", "EndForm", "GapForm", "SeenForm", "SeriesForm", "TapForm"]
