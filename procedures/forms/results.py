"""Entering a result by hand, drawn from the pinned protocol's test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crispy_forms.layout import HTML, Div, Fieldset, Layout
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormHelper, ClinicFormMixin
from procedures.domain.lab_content import Component, Test
from procedures.domain.record import Problem
from procedures.domain.states import ResultStatus
from procedures.forms.labs import moment_field
from procedures.forms.records import said
from procedures.selectors.results import reference
from procedures.services.results import BEFORE_COLLECTION, SECOND_FINAL, UNKNOWN_UNIT, Doubt

#: Before a component's code, so that no protocol can collide with the form's own fields.
VALUE, UNIT, OTHER_UNIT = "v_", "__unit", "__other_unit"
ANOTHER = "?"
#: Names of the read-back in the form, by their stored names.
READ_BACK = {"caller": "rb_caller", "receiver": "rb_receiver", "at": "rb_at", "value": "rb_value"}
_PLACES = {f"read_back.{name}": field for name, field in READ_BACK.items()}
STATUSES = (
    (str(ResultStatus.PRELIMINARY), _("Preliminary: more is to come")),
    (str(ResultStatus.FINAL), _("Final")),
    (str(ResultStatus.CORRECTED), _("Corrected: the laboratory changed its result")),
)
CONFIRMATIONS = (
    (BEFORE_COLLECTION, _("The time of report is right, although it is before the collection")),
    (UNKNOWN_UNIT, _("The unit stands like this in the report; show the value as unknown")),
    (SECOND_FINAL, _("This is another final result, not a correction")),
)


class ResultForm(ClinicFormMixin, forms.Form):
    """Every component with its unit and reference range, the report's text, and the second check."""

    after = forms.IntegerField(widget=forms.HiddenInput, required=False)
    status = forms.ChoiceField(label=_("Status"), choices=STATUSES, widget=forms.RadioSelect)
    reported_at = moment_field(_("Reported by the laboratory"))
    text = forms.CharField(label=_("Report in words"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
    change_reason = forms.CharField(label=_("What was corrected"), max_length=200, required=False)
    confirmed = forms.MultipleChoiceField(
        label=_("Confirm"), choices=CONFIRMATIONS, required=False, widget=forms.CheckboxSelectMultiple
    )
    phoned_critical = forms.BooleanField(label=_("The laboratory phoned this as critical"), required=False)
    rb_caller = forms.CharField(label=_("Who called"), max_length=120, required=False)
    rb_receiver = forms.CharField(label=_("Who took the call"), max_length=120, required=False)
    rb_at = moment_field(_("When"), required=False)
    rb_value = forms.CharField(
        label=_("The critical value, typed a second time"),
        max_length=120,
        required=False,
        help_text=_("As it was read back, or from the report again"),
    )

    def __init__(self, *args: Any, data_of_test: Test, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.test = data_of_test
        self.asked: set[str] = set(
            self.fields["confirmed"].widget.value_from_datadict(self.data, {}, "confirmed") or ()
        )
        for component in self.test.components:
            name = VALUE + component.code
            self.fields[name] = _value_field(component)
            if component.kind == "number":
                self.fields[name + UNIT] = _unit_field(component)
                self.fields[name + OTHER_UNIT] = forms.CharField(
                    label=gettext("%(label)s: unit, if another") % {"label": component.label},
                    max_length=30,
                    required=False,
                )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for component in self.test.components:
            name = VALUE + component.code
            if component.kind == "number" and cleaned.get(name):
                unit = cleaned.get(name + UNIT)
                if unit == ANOTHER and not cleaned.get(name + OTHER_UNIT):
                    self.add_error(name + OTHER_UNIT, _("Write the unit as it stands in the report."))
                elif not unit and "" not in component.units:
                    self.add_error(name + UNIT, _("Choose the unit: without it the value cannot be judged."))
        return cleaned

    @property
    def helper(self) -> ClinicFormHelper:
        helper = ClinicFormHelper(self)
        confirm = ["confirmed"] if self.asked else []
        helper.layout = Layout(
            "after",
            *confirm,
            Fieldset(gettext("Values"), *self._rows(), css_class="panel panel__body"),
            Fieldset(
                gettext("The report"), "status", "reported_at", "change_reason", "text", css_class="panel panel__body"
            ),
            Fieldset(
                gettext("Phoned or critical: the second check"),
                HTML('{% include "procedures/results/second_check.html" %}'),
                "phoned_critical",
                Div(*READ_BACK.values(), css_class="field-row"),
                css_class="panel panel__body",
            ),
        )
        return helper

    def _rows(self) -> Iterator[Any]:
        for component in self.test.components:
            names = [VALUE + component.code]
            if component.kind == "number":
                names += [names[0] + UNIT, names[0] + OTHER_UNIT]
            yield Div(*names, css_class="field-row")

    def values(self) -> dict[str, dict[str, Any]]:
        """What was typed, by component."""
        found: dict[str, dict[str, Any]] = {}
        for component in self.test.components:
            name = VALUE + component.code
            text = self.cleaned_data.get(name)
            if text:
                unit = self.cleaned_data.get(name + UNIT) or ""
                other = self.cleaned_data.get(name + OTHER_UNIT) or ""
                found[component.code] = {"text": text, "unit": other if unit == ANOTHER else unit}
        return found

    def read_back(self) -> dict[str, str]:
        data = self.cleaned_data
        at = data.get("rb_at")
        given = {name: data.get(field) or "" for name, field in READ_BACK.items() if name != "at"}
        return {**given, "at": at.isoformat() if at else ""}

    def arguments(self) -> dict[str, Any]:
        """As ``services.results.enter`` takes them."""
        data = self.cleaned_data
        return {
            "status": data["status"],
            "values": self.values(),
            "text": data["text"],
            "reported_at": data["reported_at"],
            "phoned_critical": data["phoned_critical"],
            "read_back": self.read_back(),
            "change_reason": data["change_reason"],
            "confirmed": data["confirmed"],
            "after": data["after"],
        }

    def add_problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            names = (_PLACES.get(problem.field, ""), VALUE + problem.field, problem.field)
            self.add_error(next((name for name in names if name in self.fields), None), said(problem))

    def ask(self, doubts: Iterable[Doubt]) -> None:
        """Say what is unusual beside its field, and offer to confirm it."""
        for doubt in doubts:
            self.asked.add(doubt.code)
            self.add_problems([doubt.problem])
        self.fields["confirmed"].choices = [c for c in CONFIRMATIONS if c[0] in self.asked]  # type: ignore[attr-defined]


def _value_field(component: Component) -> forms.Field:
    common: dict[str, Any] = {"label": component.label, "required": False}
    if component.kind == "choice":
        choices = [("", gettext("Not reported")), *((c.code, c.label) for c in component.choices)]
        return forms.ChoiceField(choices=choices, **common)
    if component.kind == "text":
        return forms.CharField(max_length=500, **common)
    known = reference(component)
    if known:
        common["help_text"] = gettext("Reference: %(range)s") % {"range": known}
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.CharField(max_length=40, widget=widget, **common)


def _unit_field(component: Component) -> forms.Field:
    """Preselected only where there is one: a count in 10⁹/L taken for one in /µL is a thousandfold error."""
    units = [(unit, unit or gettext("no unit")) for unit in component.units]
    choices = [*([("", gettext("Choose"))] if "" not in component.units else []), *units]
    choices.append((ANOTHER, gettext("another unit")))
    initial = component.units[0] if len(component.units) == 1 else ""
    label = gettext("%(label)s: unit") % {"label": component.label}
    return forms.ChoiceField(label=label, choices=choices, required=False, initial=initial)
