"""A shift's promises on one screen: which of them, to whom, and what the next one should know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.forms import ClinicFormMixin
from clinic.models import User
from followups.models import FollowUp
from followups.services.promises import Handed

#: Back to whoever is responsible, or to the role.
NOBODY = "nobody"
TO = {"required": gettext_lazy("Choose who goes on with it.")}


def seen(data: QueryDict) -> dict[int, int]:
    """What was on the screen: number and generation of each promise. What cannot be read was not there."""
    found = {}
    for value in data.getlist("seen"):
        number, _colon, generation = value.partition(":")
        if number.isdecimal() and generation.isdecimal():
            found[int(number)] = int(generation)
    return found


class HandoverForm(ClinicFormMixin, forms.Form):
    """A tick and a note for each promise; one person and one note for all."""

    to = forms.ChoiceField(label=gettext_lazy("To whom"), error_messages=TO)
    text = forms.CharField(
        label=gettext_lazy("What they should know, about all of it"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, promises: Sequence[FollowUp], people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.promises, self.people = promises, {str(person.pk): person for person in people}
        to: Any = self.fields["to"]
        to.choices = [
            ("", "–"),
            *((pk, f"{person.display_name} ({_roles(person)})") for pk, person in self.people.items()),
            (NOBODY, _("Nobody yet: back to whoever is responsible, or to the role")),
        ]
        note = _("A note on this one")
        for promise in promises:
            self.fields[f"give-{promise.pk}"] = forms.BooleanField(required=False, initial=True)
            widget = forms.TextInput(attrs={"class": "form-control form-control-sm", "placeholder": note.lower()})
            self.fields[f"note-{promise.pk}"] = forms.CharField(
                required=False, max_length=300, label=note, widget=widget
            )

    def clean(self) -> dict[str, Any]:
        found = dict(super().clean() or {})
        if self.promises and not self._ticked(found):
            self.add_error(None, _("Tick at least one task."))
        return found

    def _ticked(self, found: dict[str, Any]) -> list[FollowUp]:
        return [promise for promise in self.promises if found.get(f"give-{promise.pk}")]

    @property
    def person(self) -> User | None:
        """None: nobody yet."""
        return self.people.get(self.cleaned_data["to"])

    def handed(self, generations: dict[int, int]) -> list[Handed]:
        """What was ticked, as it was shown, with its own note or the one for all."""
        found = []
        for promise in self._ticked(self.cleaned_data):
            promise.generation = generations[promise.pk]
            own = self.cleaned_data[f"note-{promise.pk}"].strip()
            found.append(Handed(promise, ". ".join(filter(None, (own, self.cleaned_data["text"].strip())))))
        return found


def _roles(person: User) -> str:
    return ", ".join(sorted(person.roles))
