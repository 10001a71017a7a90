"""Who takes what of somebody who leaves: one answer for each group, or one for each thing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from clinic.models import User
from clinic.person_field import away_words, with_absences
from followups.selectors.holdings import MAY_BE_NOBODYS, Group, Item

NOBODY = "nobody"
TITLES: dict[Group, Promise] = {
    Group.SERIES: _("Series they answer for or do"),
    Group.CASES: _("Cases they are responsible for"),
    Group.OPERATES: _("Cases they are to do"),
    Group.ACTIONS: _("What was decided and they are to do"),
    Group.PROMISES: _("Tasks they have"),
    Group.COVERS: _("Absences they cover"),
    Group.TURNS: _("Turns on call"),
}
NOBODYS: dict[Group, Promise] = {
    Group.OPERATES: _("nobody yet: named on the day"),
    Group.COVERS: _("nobody: the role on duty is asked"),
    Group.TURNS: _("nobody: a gap in the roster"),
}


@dataclass(frozen=True)
class Part:
    """A group on the screen: one field for all of it, and one for each thing."""

    group: Group
    title: str
    field: BoundField
    rows: list[tuple[Item, BoundField]]
    open: bool


class HandOverAllForm(ClinicFormMixin, forms.Form):
    """``held``: as ``holdings.of`` gives it."""

    def __init__(self, *args: Any, leaving: User, held: dict[Group, list[Item]], now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held, self.now = held, now
        others = with_absences(User.objects.filter(is_active=True).exclude(pk=leaving.pk), now)
        self.people = {str(person.pk): person for person in others}
        for group, items in held.items():
            able = frozenset().union(*(item.roles for item in items))
            label = say("%(what)s: who takes them") % {"what": TITLES[group]}
            self.fields[str(group)] = self._field(group, able, label, _("choose"))
            for item in items:
                self.fields[item.key] = self._field(group, item.roles, item.words, _("as above"))

    def choices(self) -> dict[str, User | None]:
        """Who takes each thing, by its key."""
        return {item.key: self.people.get(self._answer(item)) for items in self.held.values() for item in items}

    def parts(self) -> list[Part]:
        return [
            Part(
                group,
                str(TITLES[group]),
                self[str(group)],
                [(item, self[item.key]) for item in items],
                any(self[item.key].errors or self[item.key].value() for item in items),
            )
            for group, items in self.held.items()
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for group, items in self.held.items():
            missing = [item for item in items if not self._answer(item)]
            if missing and str(group) not in self.errors:
                self.add_error(str(group), say("Choose who takes these, or somebody for each one below."))
                continue
            for item in items:
                person = self.people.get(self._answer(item))
                if person is not None and not person.has(*item.roles) and item.key not in self.errors:
                    words = say("%(who)s does not hold the role for this. Choose somebody else for it.")
                    self.add_error(item.key, words % {"who": person.display_name})
        return data

    def _answer(self, item: Item) -> str:
        return str(self.cleaned_data.get(item.key) or self.cleaned_data.get(str(item.group)) or "")

    def _field(self, group: Group, roles: frozenset[Any], label: Any, empty: Any) -> forms.ChoiceField:
        able = [(pk, self._label(person)) for pk, person in self.people.items() if person.has(*roles)]
        nobody = [(NOBODY, NOBODYS[group])] if group in MAY_BE_NOBODYS else []
        widget = forms.Select(attrs={"class": "form-select"})  # those of the rows are drawn by hand
        return forms.ChoiceField(label=label, required=False, choices=[("", empty), *able, *nobody], widget=widget)

    def _label(self, person: User) -> str:
        away = away_words(getattr(person, "away_soon", ()), self.now)
        return f"{person.display_name}: {away}" if away else person.display_name
