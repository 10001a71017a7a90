"""Forms for rooms, opening hours, closures, sessions and on-call duty."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import Absence, ClinicHours, Closure, OnCall, OperatorSession, Room, User
from clinic.roles import CLINICAL, Role

#: The location codes that protocols use.
LOCATIONS = (("clinic", _("Clinic")), ("radiology", _("Radiology")), ("bedside", _("Bedside")))

ROLE_NAMES = {
    Role.SCHEDULER: _("Scheduler"),
    Role.NURSE: _("Nurse"),
    Role.PHYSICIAN: _("Physician"),
    Role.DIRECTOR: _("Director"),
    Role.ADMINISTRATOR: _("Administrator"),
}


def time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def moment_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class PlaceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row with a beginning and an end, both named in ``span``: the end comes later, and spans do not overlap."""

    span: tuple[str, str] | None = None
    end_error = _("Must be later than the beginning.")
    overlap_error = _("This overlaps with %(other)s.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.span is None:
            return cleaned
        start, end = (cleaned.get(name) for name in self.span)
        if start is None or end is None:
            return cleaned
        if end <= start:
            self.add_error(self.span[1], self.end_error)
            return cleaned
        other = self._overlapping(start, end)
        if other is not None:
            self.add_error(self.span[0], forms.ValidationError(self.overlap_error, params={"other": str(other)}))
        return cleaned

    def same(self) -> QuerySet[Any] | None:
        """The rows that this one may not overlap; None when a needed value is missing."""
        return None

    def _overlapping(self, start: Any, end: Any) -> Model | None:
        rows = self.same()
        if rows is None or self.span is None:
            return None
        first, last = self.span
        return rows.filter(**{f"{first}__lt": end, f"{last}__gt": start}).exclude(pk=self.instance.pk).first()


class RoomForm(PlaceForm):
    location = forms.ChoiceField(label=_("Location"), choices=LOCATIONS)

    class Meta:
        model = Room
        fields = ("name", "location", "has_fluoroscopy", "is_active")


class HoursForm(PlaceForm):
    span = ("opens", "closes")
    end_error = _("Must be later than the opening time.")

    class Meta:
        model = ClinicHours
        fields = ("weekday", "opens", "closes")
        widgets = {"opens": time_input(), "closes": time_input()}

    def same(self) -> QuerySet[Any] | None:
        weekday = self.cleaned_data.get("weekday")
        return None if weekday is None else ClinicHours.objects.filter(weekday=weekday)


class ClosureForm(PlaceForm):
    class Meta:
        model = Closure
        fields = ("first_day", "last_day", "room", "reason")
        widgets = {"first_day": date_input(), "last_day": date_input()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["room"].empty_label = _("the whole clinic")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("Cannot be before the first day."))
        return cleaned


class SessionForm(PlaceForm):
    span = ("starts", "ends")

    class Meta:
        model = OperatorSession
        fields = ("operator", "weekday", "starts", "ends")
        widgets = {"starts": time_input(), "ends": time_input()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operator"].queryset = User.objects.holding(Role.PHYSICIAN)  # type: ignore[attr-defined]

    def same(self) -> QuerySet[Any] | None:
        operator, weekday = self.cleaned_data.get("operator"), self.cleaned_data.get("weekday")
        if operator is None or weekday is None:
            return None
        return OperatorSession.objects.filter(operator=operator, weekday=weekday).select_related("operator")


class OnCallForm(PlaceForm):
    span = ("starts_at", "ends_at")
    role = forms.ChoiceField(label=_("Role"), choices=[(str(role), ROLE_NAMES[role]) for role in sorted(CLINICAL)])

    class Meta:
        model = OnCall
        fields = ("user", "role", "starts_at", "ends_at")
        widgets = {"starts_at": moment_input(), "ends_at": moment_input()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.filter(  # type: ignore[attr-defined]
            is_active=True, roles__overlap=[str(role) for role in CLINICAL]
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        user, role = cleaned.get("user"), cleaned.get("role")
        if user is not None and role and not user.has(Role(role)):
            self.add_error("role", _("This person does not hold this role."))
        start, end = cleaned.get("starts_at"), cleaned.get("ends_at")
        if user is not None and start and end and self._away(user, start, end):
            self.add_error("user", _("This person is away then. Choose somebody else, or another time."))
        return cleaned

    def _away(self, user: User, start: Any, end: Any) -> bool:
        """A turn that stood before the absence stays as it is: the surrogate answers for it."""
        if not {"user", "starts_at", "ends_at"} & set(self.changed_data):
            return False
        return Absence.objects.filter(user=user, starts_at__lt=end, ends_at__gt=start).exists()

    def same(self) -> QuerySet[Any] | None:
        user, role = self.cleaned_data.get("user"), self.cleaned_data.get("role")
        return OnCall.objects.filter(user=user, role=role).select_related("user") if user and role else None
