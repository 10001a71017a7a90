"""Forms about bookings. What may be booked is decided in the services."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic import clock
from clinic.forms import ClinicFormMixin
from clinic.models import Room, User
from clinic.person_field import PersonField
from clinic.roles import Role
from procedures.domain import slots
from procedures.domain.protocol import Protocol
from procedures.domain.states import Disposition, Outcome, Urgency
from procedures.models.procedures import ALPHABET, new_code

URGENCY_LABELS = {
    str(Urgency.ELECTIVE): _("Elective"),
    str(Urgency.URGENT): _("Urgent"),
    str(Urgency.EMERGENCY): _("Emergency"),
}
OUTCOME_LABELS = {
    str(Outcome.DONE): _("Done"),
    str(Outcome.PARTIAL): _("Done in part"),
    str(Outcome.NO_FLUID): _("Needle in, no fluid"),
    str(Outcome.NOT_ATTEMPTED): _("Not attempted"),
}
DISPOSITION_LABELS = {
    str(Disposition.HOME): _("Home"),
    str(Disposition.WARD): _("Back to the ward"),
    str(Disposition.ADMITTED): _("Admitted"),
    str(Disposition.EMERGENCY_DEPARTMENT): _("Emergency department"),
    str(Disposition.DIED): _("Died"),
}
CODE = re.compile(f"^[{ALPHABET}]{{7}}$")
RANGES = ((7, _("7 days")), (14, _("14 days")), (28, _("28 days")))


def physicians() -> Any:
    """The same people, by name."""
    return User.objects.holding(Role.PHYSICIAN).order_by("full_name", "pk")


def offer_physicians(field: forms.Field) -> None:
    """Who may be responsible or operate; who is away is said, and stands last."""
    assert isinstance(field, PersonField)
    field.offer(User.objects.holding(Role.PHYSICIAN), clock.now())


class RequestForm(ClinicFormMixin, forms.Form):
    """What is to be done, and why. ``shown_for``: the indication whose form and panel the page has shown."""

    protocol = forms.CharField(widget=forms.HiddenInput)
    code = forms.CharField(widget=forms.HiddenInput, required=False)
    shown_for = forms.CharField(widget=forms.HiddenInput, required=False)
    indication = forms.ChoiceField(label=_("Indication"))
    variant = forms.ChoiceField(
        label=_("Form"), help_text=_("It decides how long room, operator and patient are booked.")
    )
    urgency = forms.ChoiceField(label=_("Urgency"), choices=list(URGENCY_LABELS.items()), widget=forms.RadioSelect)
    responsible = PersonField(
        label=_("Responsible clinician"),
        queryset=User.objects.none(),
        empty_label=_("choose a physician"),
        help_text=_("Reads the results, and answers for the case until the patient has been told."),
    )
    location = forms.ChoiceField(label=_("Location"))
    note = forms.CharField(
        label=_("Note for the booking"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=1000
    )

    def __init__(self, data: Any = None, *, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.protocol_data = protocol
        self._choices("indication", protocol.indications)
        self._choices("variant", protocol.variants)
        self._choices("location", protocol.locations)
        offer_physicians(self.fields["responsible"])
        for name in ("indication", "variant"):
            self.fields[name].widget.attrs |= {
                "hx-post": "",
                "hx-trigger": "change",
                "hx-target": "#request-form",
                "hx-swap": "outerHTML",
                "hx-vals": '{"refresh": "1"}',
            }

    @classmethod
    def start(cls, protocol: Protocol, **initial: Any) -> RequestForm:
        """An empty form, set for the protocol's first indication."""
        usual = {"code": new_code(), "urgency": str(Urgency.ELECTIVE), "location": protocol.locations[0].code}
        return cls(protocol=protocol, initial=cls.settled(protocol, {**usual, **initial}))

    @classmethod
    def settled(cls, protocol: Protocol, values: dict[str, Any]) -> dict[str, Any]:
        """The values as typed, with the form of the indication where that has changed since it was shown."""
        known = {i.code: i for i in protocol.indications}
        indication = known.get(values.get("indication", ""), protocol.indications[0])
        changed = values.get("shown_for") != indication.code
        fixed = {"protocol": protocol.code, "indication": indication.code, "shown_for": indication.code}
        return {**values, **fixed, **({"variant": indication.variant} if changed else {})}

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        return code if CODE.match(code) else new_code()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        indication = data.get("indication")
        usual = self.protocol_data.indication(indication).variant if indication else ""
        if indication and data.get("shown_for") != indication and data.get("variant") != usual:
            self.add_error("variant", _("The indication was changed after this was set. Check it, and send again."))
            self.data = {**_typed(self.data), "shown_for": indication, "variant": usual}
        return data

    def _choices(self, name: str, items: Any) -> None:
        self.fields[name].choices = [(item.code, item.label) for item in items]  # type: ignore[attr-defined]


class WhenForm(ClinicFormMixin, forms.Form):
    """Which free slots are looked for (a GET: dates and row numbers only)."""

    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    days = forms.TypedChoiceField(label=_("For"), choices=RANGES, coerce=int, required=False)
    in_room = forms.ModelChoiceField(
        label=_("Room"), queryset=Room.objects.none(), required=False, empty_label=_("any room")
    )
    by = PersonField(
        label=_("Operator"), queryset=User.objects.none(), required=False, empty_label=_("named on the day")
    )

    def __init__(self, *args: Any, rooms: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first"].initial = first_day(None)
        self.fields["in_room"].queryset = rooms  # type: ignore[attr-defined]
        offer_physicians(self.fields["by"])


class SlotForm(ClinicFormMixin, forms.Form):
    """A slot: one of the offered ones (``slot``), or typed by hand. The overbook needs a reason."""

    slot = forms.CharField(required=False, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    day = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    at = forms.TimeField(
        label=_("Time"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    room = forms.ModelChoiceField(
        label=_("Room"), queryset=Room.objects.none(), required=False, empty_label=_("no room (bedside)")
    )
    operator = PersonField(
        label=_("Operator"), queryset=User.objects.none(), required=False, empty_label=_("named on the day")
    )
    overbook_room = forms.BooleanField(label=_("Book the room although it is taken"), required=False)
    overbook_operator = forms.BooleanField(label=_("Book the operator although they are busy"), required=False)
    outside_hours = forms.BooleanField(label=_("Book outside the usual hours"), required=False)
    reason = forms.CharField(
        label=_("Reason for booking it all the same"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, rooms: Any, room_needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.room_needed = room_needed
        self.fields["room"].queryset = rooms  # type: ignore[attr-defined]
        if room_needed:
            self.fields["room"].empty_label = _("choose a room")  # type: ignore[attr-defined]
        offer_physicians(self.fields["operator"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("slot"):
            self._take_offered(data)
            return data
        for name, message in (("day", _("Choose a day.")), ("at", _("Choose a time."))):
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, message)
        if self.room_needed and data.get("room") is None and "room" not in self.errors:
            self.add_error("room", _("Choose a room."))
        if data.get("day") and data.get("at"):
            data["start"] = slots.moment(data["day"], data["at"], timezone.get_default_timezone())
        return data

    def wish(self) -> dict[str, Any]:
        """What ``bookings.schedule`` takes."""
        data = self.cleaned_data
        overbook = [what for what in ("room", "operator") if data[f"overbook_{what}"]]
        names = ("start", "room", "operator", "outside_hours", "reason", "seen")
        return {**{name: data[name] for name in names}, "overbook": overbook}

    def by_hand(self) -> dict[str, Any]:
        """The same wish in the fields for typing: an offered slot that was taken meanwhile can be thought over."""
        data = self.cleaned_data
        local = timezone.localtime(data["start"], timezone.get_default_timezone())
        chosen = {name: data[name].pk if data[name] else "" for name in ("room", "operator")}
        when = {"day": local.date().isoformat(), "at": f"{local:%H:%M}", "slot": ""}
        return {**_typed(self.data), **chosen, **when}

    def _take_offered(self, data: dict[str, Any]) -> None:
        moment, _bar, room = str(data["slot"]).partition("|")
        try:
            data["start"] = datetime.fromisoformat(moment)
            data["room"] = self.fields["room"].clean(room)
        except (ValueError, forms.ValidationError):
            data.pop("start", None)
        if data.get("start") is None or data["start"].tzinfo is None:
            self.add_error(None, _("That slot is not one that was offered. Choose again."))


class ReasonForm(ClinicFormMixin, forms.Form):
    """A reason, for the case and the audit trail."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=1000)


class NoteForm(ClinicFormMixin, forms.Form):
    """A reason that may be left out."""

    reason = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=1000)


class EmptyForm(ClinicFormMixin, forms.Form):
    """Only yes."""


class StartForm(ClinicFormMixin, forms.Form):
    """Who operates, where the booking named nobody."""

    operator = PersonField(
        label=_("Operator"), queryset=User.objects.none(), required=False, empty_label=_("choose a physician")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_physicians(self.fields["operator"])


class EmergencyForm(StartForm):
    """One person's override: why it cannot wait, where and by whom."""

    reason = forms.CharField(label=_("Why it cannot wait"), widget=forms.Textarea(attrs={"rows": 2}), max_length=1000)
    room = forms.ModelChoiceField(
        label=_("Room"),
        queryset=Room.objects.none(),
        required=False,
        empty_label=_("no room (bedside)"),
        help_text=_("A taken room does not stop an emergency."),
    )

    field_order = ("reason", "operator", "room")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["room"].queryset = Room.objects.filter(is_active=True)  # type: ignore[attr-defined]


class CompleteForm(ClinicFormMixin, forms.Form):
    """How the attempt ended, and where the patient goes."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=list(OUTCOME_LABELS.items()), widget=forms.RadioSelect)
    outcome_reason = forms.CharField(
        label=_("What happened"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=1000,
        help_text=_("Needed unless it was done. Without fluid the tests that were not collected are cancelled."),
    )
    disposition = forms.ChoiceField(
        label=_("The patient goes"), choices=list(DISPOSITION_LABELS.items()), widget=forms.RadioSelect
    )


class ContinueForm(ClinicFormMixin, forms.Form):
    """Where, and in which form, it goes on."""

    location = forms.ChoiceField(label=_("Location"), widget=forms.RadioSelect)
    variant = forms.ChoiceField(label=_("Form"))
    note = forms.CharField(label=_("Note for the booking"), required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, items in (("location", protocol.locations), ("variant", protocol.variants)):
            self.fields[name].choices = [(i.code, i.label) for i in items]  # type: ignore[attr-defined]


def _typed(data: Any) -> dict[str, Any]:
    """What was sent, one value for each name."""
    return {name: data.get(name) for name in data}


def first_day(value: Any) -> Any:
    """The day asked for, never before today."""
    today = timezone.localdate(clock.now())
    return max(value, today) if value else today
