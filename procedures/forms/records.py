"""The procedure record's form, drawn from the pinned protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crispy_forms.bootstrap import AppendedText
from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout
from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormHelper, ClinicFormMixin
from clinic.models import User
from clinic.roles import Role
from procedures.domain.protocol import Protocol, RecordField
from procedures.domain.record import REASON, Problem
from procedures.models import Procedure
from procedures.services.records import Content

REASON_SUFFIX = "__reason"
WIDTHS = {"text": 200, "longtext": 4000}
COMMON = ("started_at", "ended_at", "operator", "supervisor", "assistant")
COMPLICATIONS = ("complications", "no_complications", "complication_note")


def moment(**extra: Any) -> forms.DateTimeField:
    """A date and time of the clinic's zone."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(widget=widget, required=False, **extra)


class RecordForm(ClinicFormMixin, forms.Form):
    """Common fields, then the protocol's sections. Nothing is required here: signing asks, saving does not."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    started_at = moment()
    ended_at = moment(label=_("Ended (dressing on)"))
    operator = forms.ModelChoiceField(label=_("Operator"), queryset=User.objects.none(), required=False)
    supervisor = forms.CharField(label=_("Supervisor"), max_length=120, required=False)
    assistant = forms.CharField(label=_("Assistant"), max_length=120, required=False)
    complications = forms.MultipleChoiceField(
        label=_("Complications"), required=False, widget=forms.CheckboxSelectMultiple
    )
    no_complications = forms.BooleanField(label=_("There was no complication"), required=False)
    complication_note = forms.CharField(
        label=_("What happened, and what was done"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, procedure: Procedure, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.procedure = procedure
        self.protocol: Protocol = procedure.protocol_version.parsed
        self.fields["started_at"].label = gettext("Started (%(needle)s)") % {"needle": self.protocol.needle_noun}
        self.fields["operator"].queryset = _operators(procedure)  # type: ignore[attr-defined]
        self.fields["complications"].choices = [(c.code, c.label) for c in self.protocol.complications]  # type: ignore[attr-defined]
        for item in self.protocol.record_fields:
            self.fields[item.code] = _field(item, self.protocol)
            if any(choice.needs_reason for choice in item.choices):
                self.fields[item.code + REASON_SUFFIX] = _reason_field(item)
        self._react()

    def _react(self) -> None:
        """What a rule looks at tells the page at once: the computed dose appears while one types."""
        url = reverse("procedures:record_hint", args=[self.procedure.code])
        for rule in self.protocol.record_rules:
            for code in {rule.field, *rule.requires}:
                self.fields[code].widget.attrs.update(
                    {
                        "hx-post": url,
                        "hx-trigger": "input changed delay:300ms, change",
                        "hx-target": "#record-hints",
                        "hx-include": "closest form",
                        "hx-sync": "closest form:replace",
                    }
                )

    @property
    def helper(self) -> ClinicFormHelper:
        helper = ClinicFormHelper(self)
        helper.layout = Layout("seen", *self._sections())
        return helper

    def _sections(self) -> Iterator[Any]:
        yield Fieldset(gettext("Who and when"), Div(*COMMON, css_class="field-row"), css_class="panel panel__body")
        for name, items in _by_section(self.protocol):
            parts = [part for item in items for part in self._parts(item)]
            hints = [HTML('{% include "procedures/records/hints.html" %}')] if self._has_rule(items) else []
            yield Fieldset(name, Div(*parts, css_class="field-row"), *hints, css_class="panel panel__body")
        yield Fieldset(gettext("How it went"), *COMPLICATIONS, css_class="panel panel__body")

    def _parts(self, item: RecordField) -> Iterator[Any]:
        yield AppendedText(item.code, item.unit) if item.unit else Field(item.code)
        if item.code + REASON_SUFFIX in self.fields:
            yield Field(item.code + REASON_SUFFIX)

    def _has_rule(self, items: Iterable[RecordField]) -> bool:
        return bool({item.code for item in items} & {rule.field for rule in self.protocol.record_rules})

    # --- to and from what is stored ---

    def raw_fields(self) -> dict[str, Any]:
        """The protocol's fields as they were typed, by their codes."""
        raw: dict[str, Any] = {}
        for item in self.protocol.record_fields:
            raw[item.code] = self.cleaned_data.get(item.code)
            reason = self.cleaned_data.get(item.code + REASON_SUFFIX)
            if reason:
                raw[item.code + REASON] = reason
        return raw

    def content(self) -> Content:
        data = self.cleaned_data
        operator = data.get("operator")
        return Content(
            started_at=data.get("started_at"),
            ended_at=data.get("ended_at"),
            operator_id=operator.pk if operator else None,
            supervisor=data["supervisor"],
            assistant=data["assistant"],
            complications=tuple(data.get("complications") or ()),
            no_complications=bool(data.get("no_complications")),
            complication_note=data["complication_note"],
            fields=self.raw_fields(),
        )

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Put each sentence beside its field."""
        for problem in problems:
            self.add_error(self.name_of(problem.field), said(problem))

    def name_of(self, code: str) -> str | None:
        """The form field of a record field's code; None when there is none."""
        name = code.replace(REASON, REASON_SUFFIX)
        return name if name in self.fields else None


def said(problem: Problem) -> str:
    """The problem in the reader's language."""
    text = gettext(problem.message)
    return text % problem.params if problem.params else text


def initial_of(content: Content) -> dict[str, Any]:
    """A version's content as the form shows it."""
    fields = {code.replace(REASON, REASON_SUFFIX): value for code, value in content.fields.items()}
    return {
        "started_at": content.started_at,
        "ended_at": content.ended_at,
        "operator": content.operator_id,
        "supervisor": content.supervisor,
        "assistant": content.assistant,
        "complications": list(content.complications),
        "no_complications": content.no_complications,
        "complication_note": content.complication_note,
        **fields,
    }


class AmendForm(ClinicFormMixin, forms.Form):
    reason = forms.CharField(
        label=_("Why is the signed record changed?"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stays on the chart beside both versions."),
    )


def _operators(procedure: Procedure) -> Any:
    """Active physicians, and whoever is named already."""
    named = [procedure.operator_id, *procedure.records.values_list("operator_id", flat=True)]
    ids = [pk for pk in named if pk is not None]
    return (User.objects.holding(Role.PHYSICIAN) | User.objects.filter(pk__in=ids)).distinct()


def _by_section(protocol: Protocol) -> list[tuple[str, list[RecordField]]]:
    sections: dict[str, list[RecordField]] = {}
    for item in protocol.record_fields:
        sections.setdefault(item.section, []).append(item)
    return list(sections.items())


def _field(item: RecordField, protocol: Protocol) -> forms.Field:
    common = {"label": _label(item), "help_text": _help(item, protocol), "required": False}
    if item.kind in ("number", "integer"):
        mode = "numeric" if item.kind == "integer" else "decimal"
        return forms.CharField(widget=forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off"}), **common)
    if item.kind == "datetime":
        return moment(label=common["label"], help_text=common["help_text"])
    if item.kind == "multichoice":
        choices = [(c.code, c.label) for c in item.choices]
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
    if item.kind in ("choice", "yes_no"):
        return _choice_field(item, common)
    if item.kind == "longtext":
        widget = forms.Textarea(attrs={"rows": 3})
        return forms.CharField(max_length=WIDTHS["longtext"], widget=widget, **common)
    return forms.CharField(max_length=WIDTHS["text"], **common)


def _choice_field(item: RecordField, common: dict[str, Any]) -> forms.ChoiceField:
    """A list, so that an answer given by mistake can be taken back."""
    choices = [(c.code, c.label) for c in item.choices]
    if item.kind == "yes_no":
        choices = [("yes", gettext("Yes")), ("no", gettext("No")), ("unknown", gettext("Not known"))]
    return forms.ChoiceField(choices=[("", gettext("Not recorded")), *choices], **common)


def _reason_field(item: RecordField) -> forms.Field:
    named = " / ".join(choice.label for choice in item.choices if choice.needs_reason)
    label = gettext("%(label)s: what exactly, if “%(choice)s”") % {"label": item.label, "choice": named}
    return forms.CharField(label=label, max_length=WIDTHS["text"], required=False)


def _label(item: RecordField) -> Any:
    """The unit stands beside the input for the eye; here it is for the ear."""
    label = item.label
    if item.required:
        label = gettext("%(label)s (to sign)") % {"label": label}
    return format_html('{}<span class="visually-hidden">, {}</span>', label, item.unit) if item.unit else label


def _help(item: RecordField, protocol: Protocol) -> str:
    parts = [item.help] if item.help else []
    if item.asked_if:
        code, _sep, wanted = item.asked_if.partition("=")
        other = next(f for f in protocol.record_fields if f.code == code)
        answers = {c.code: c.label for c in other.choices} | {"yes": gettext("Yes"), "no": gettext("No")}
        named = ", ".join(answers.get(answer, answer) for answer in wanted.split("|"))
        parts.append(gettext("Only if “%(field)s” is: %(answers)s.") % {"field": other.label, "answers": named})
    if item.minimum is not None and item.maximum is not None:
        limits = {"low": f"{item.minimum:g}", "high": f"{item.maximum:g}"}
        parts.append(gettext("%(low)s to %(high)s") % limits)
    return " ".join(parts)
