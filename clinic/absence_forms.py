"""Forms about absence and cover. What may be planned is decided in ``clinic.covers``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from clinic import covers, timewords
from clinic.forms import ClinicFormMixin
from clinic.models import Absence, User
from clinic.person_field import PersonField

NOBODY = _("nobody: it goes to whoever is on duty for the role")
LOCAL = "%Y-%m-%dT%H:%M"


def moment_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)


class AbsenceForm(ClinicFormMixin, forms.Form):
    """From when until when, and who covers. A cover of one's own in that time must find somebody else first.

    ``person``: who is away; None lets a director choose.
    """

    user = PersonField(label=_("Who is away"), queryset=User.objects.none(), empty_label=_("choose a person"))
    starts_at = forms.DateTimeField(label=_("Away from"), widget=moment_input())
    ends_at = forms.DateTimeField(label=_("Back at"), widget=moment_input())
    surrogate = PersonField(
        label=_("Who covers"),
        queryset=User.objects.none(),
        required=False,
        empty_label=NOBODY,
        help_text=_("They are asked, and cover once they have accepted. Until then the role on duty is asked."),
        error_messages={"invalid_choice": _("This person cannot cover: no role in common, or no longer here.")},
    )

    def __init__(
        self, *args: Any, now: datetime, person: User | None = None, absence: Absence | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.now, self.person, self.absence = now, person, absence
        if person is None:
            self._person("user").offer(User.objects.filter(is_active=True), now)
            able = User.objects.filter(is_active=True)
        else:
            del self.fields["user"]
            able = covers.candidates(person)
        self._person("surrogate").offer(able, now)
        self.covers: dict[int, str] = {}
        if self.is_bound:
            self._ask_about_covers()

    def wish(self) -> dict[str, Any]:
        """What ``covers.plan`` takes."""
        data = self.cleaned_data
        wish = {name: data[name] for name in ("starts_at", "ends_at", "surrogate")}
        return {**wish, "taken_over": {pk: _chosen(data[name]) for pk, name in self.covers.items()}}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        user = data.get("user") or self.person
        if user is None or data.get("starts_at") is None or data.get("ends_at") is None:
            return data
        found = covers.problems(
            user=user,
            surrogate=data.get("surrogate"),
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            now=self.now,
            absence=self.absence,
        )
        for problem in found:
            self.add_error(problem.field, say(problem.message) % problem.params)
        return data

    def _person(self, name: str) -> PersonField:
        field = self.fields[name]
        assert isinstance(field, PersonField)
        return field

    def _ask_about_covers(self) -> None:
        """A field for each cover that falls into the time that was typed."""
        user, start, end = self.person or self._typed("user"), self._typed("starts_at"), self._typed("ends_at")
        if user is None or start is None or end is None or end <= start:
            return
        for cover in covers.covered_by(user, start, end):
            name = f"cover_{cover.pk}"
            self.covers[cover.pk] = name
            self.fields[name] = _TakesOver(cover, user, self.now)

    def _typed(self, name: str) -> Any:
        field = self.fields[name]
        try:
            return field.clean(field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name)))
        except forms.ValidationError:
            return None


class _TakesOver(forms.ChoiceField):
    """Who takes over a cover: somebody, or knowingly nobody. Nothing is chosen by leaving it blank."""

    def __init__(self, cover: Absence, leaving: User, now: datetime) -> None:
        people = PersonField(queryset=User.objects.none())
        people.offer(covers.candidates(cover.user).exclude(pk=leaving.pk), now)
        self.people = {str(person.pk): person for person in people.queryset or ()}
        named = [(pk, people.label_from_instance(person)) for pk, person in self.people.items()]
        span = f"{_when(cover.starts_at, now)} – {_when(cover.ends_at, now)}"
        super().__init__(
            label=say("Who takes over the cover for %(who)s (%(span)s)")
            % {"who": cover.user.display_name, "span": span},
            choices=[("", say("choose")), *named, ("nobody", NOBODY)],
            error_messages={
                "required": say("%(who)s counts on the person who goes away. Say who takes that over.")
                % {"who": cover.user.display_name}
            },
        )

    def clean(self, value: Any) -> Any:
        return self.people.get(super().clean(value), "nobody")


def _chosen(value: Any) -> User | None:
    return value if isinstance(value, User) else None


class DeclineForm(ClinicFormMixin, forms.Form):
    """Why the cover is not possible."""

    reason = forms.CharField(
        label=_("Why you cannot"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Shown to whoever is away, and to the director."),
    )


class PassOnForm(ClinicFormMixin, forms.Form):
    """Who is asked instead."""

    to = PersonField(label=_("Who is asked instead"), queryset=User.objects.none(), required=False, empty_label=NOBODY)

    def __init__(self, *args: Any, absence: Absence, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = covers.candidates(absence.user)
        if absence.surrogate_id is not None:
            people = people.exclude(pk=absence.surrogate_id)
        self.fields["to"].offer(people, now)  # type: ignore[attr-defined]


def _when(moment: datetime, now: datetime) -> str:
    return timewords.when(moment, now, timezone.get_current_timezone())
