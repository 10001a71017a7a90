"""One question to a patient as a form: large, plain, saved as one goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from procedures.domain.answers import LONGEST_TEXT, ROWS
from procedures.domain.patient_content import PatientQuestion
from procedures.domain.protocol import Question
from procedures.domain.reported import SOME, Given, Line

FEWEST, STEP, MOST = 3, 3, 30
LONGEST_NAME, LONGEST_MORE = 120, 100
STILL = (("", gettext_lazy("Choose")), ("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No, I stopped")),
         ("unknown", gettext_lazy("I do not know")))  # fmt: skip


@dataclass(frozen=True)
class LineFields:
    """The fields of one medicine or allergy."""

    number: int
    name: forms.BoundField
    more: forms.BoundField
    still: forms.BoundField | None


class QuestionForm(forms.Form):
    """``asked`` is the question in the patient's words; ``question`` the checklist's, which knows its kind."""

    def __init__(self, asked: PatientQuestion, question: Question, given: Given, data: QueryDict | None = None) -> None:
        self.asked, self.question, self.given = asked, question, given
        self.lines = _count(data, given) if question.kind in ROWS else 0
        super().__init__(data, initial=_initial(given), label_suffix="")
        if asked.answers:
            self.fields["pick"] = forms.ChoiceField(
                choices=[(answer.code, answer.label) for answer in asked.answers],
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("Please choose an answer. “I do not know” is an answer too."),
                    "invalid_choice": _("Please choose an answer from the list."),
                },
            )
        if question.kind == "text" or asked.detail:
            self.fields["words"] = _text(asked.detail or asked.text, LONGEST_TEXT, forms.Textarea(attrs={"rows": 4}))
        for number in range(self.lines):
            self._add_line(number)

    def _add_line(self, number: int) -> None:
        medicines = self.question.kind == "medicines"
        self.fields[f"name_{number}"] = _text(_("Medicine") if medicines else _("I am allergic to"), LONGEST_NAME)
        more = _("How much, and how often") if medicines else _("What happened")
        self.fields[f"more_{number}"] = _text(more, LONGEST_MORE)
        if medicines:
            self.fields[f"still_{number}"] = forms.ChoiceField(
                label=_("Do you take it now?"), choices=STILL, required=False
            )

    def widen(self, lines: int) -> None:
        """More empty lines than are needed now."""
        for number in range(self.lines, min(lines, MOST) if self.lines else 0):
            self._add_line(number)
            self.lines = number + 1

    @property
    def may_be_kept(self) -> bool:
        """Nothing that was typed is too long: it can be put away although the answer is not complete."""
        return set(self.errors) <= {"pick"}

    @property
    def rows(self) -> Iterator[LineFields]:
        for number in range(self.lines):
            still = f"still_{number}"
            yield LineFields(
                number + 1,
                self[f"name_{number}"],
                self[f"more_{number}"],
                self[still] if still in self.fields else None,
            )

    @property
    def more_lines(self) -> int:
        """How many there are when one asks for more; 0 when there are enough."""
        return min(self.lines + STEP, MOST) if 0 < self.lines < MOST else 0

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Each message with the field that it is about."""
        found = []
        for name, messages in self.errors.items():
            target = self[name] if name in self.fields else self[next(iter(self.fields))]
            number = "_0" if name == "pick" or (name not in self.fields and "pick" in self.fields) else ""
            found += [(f"{target.auto_id}{number}", str(message)) for message in messages]
        return found

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        pick, lines = data.get("pick", ""), self._lines(data)
        for number in range(self.lines):
            if not data.get(f"name_{number}") and (data.get(f"more_{number}") or data.get(f"still_{number}")):
                self.add_error(
                    f"name_{number}", _("Please write the name. If you do not know it, write what it is for.")
                )
        if pick == SOME and not lines and not self.errors:
            self.add_error("pick", _("Please write at least one below, or choose another answer."))
        if pick and pick != SOME and lines:
            self.add_error("pick", _("You wrote something in the list. Choose “Yes”, or empty the list."))
        return data

    def _lines(self, data: dict[str, Any]) -> tuple[Line, ...]:
        return tuple(
            Line(
                name=" ".join(data[f"name_{n}"].split()),
                more=" ".join(data.get(f"more_{n}", "").split()),
                still=data.get(f"still_{n}", ""),
            )
            for n in range(self.lines)
            if data.get(f"name_{n}")
        )

    def answer(self) -> Given:
        """What was picked and written; of a form that is not valid as much as can be kept."""
        data = self.cleaned_data
        return Given(pick=data.get("pick", ""), words=data.get("words", "").strip(), lines=self._lines(data))


def _text(label: str, longest: int, widget: forms.Widget | None = None) -> forms.CharField:
    too_long = _("This is too long. Please write at most %(n)s letters.") % {"n": longest}
    field = forms.CharField(
        label=label,
        required=False,
        max_length=longest,
        widget=widget or forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": too_long},
    )
    field.widget.attrs.pop("maxlength", None)  # a browser would cut what is pasted without a word
    return field


def _count(data: QueryDict | None, given: Given) -> int:
    typed = sum(1 for key in data if key.startswith("name_")) if data is not None else 0
    return min(max(FEWEST, len(given.lines) + 1, typed), MOST)


def _initial(given: Given) -> dict[str, str]:
    initial = {"pick": given.pick, "words": given.words}
    for number, line in enumerate(given.lines):
        initial |= {f"name_{number}": line.name, f"more_{number}": line.more, f"still_{number}": line.still}
    return initial


class SendForm(forms.Form):
    """Who has answered."""

    answered_by = forms.CharField(
        label=gettext_lazy("Are you helping the patient? Then write your name."), required=False, max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    @property
    def problems(self) -> list[tuple[str, str]]:
        return [(self["answered_by"].auto_id, str(text)) for texts in self.errors.values() for text in texts]
