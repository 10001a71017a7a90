"""Reading a result."""

from __future__ import annotations

from copy import copy
from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormHelper, ClinicFormMixin
from followups.models.reviews import Interpretation, Plan, TellHow
from procedures.forms.read_backs import ReadBackForm


class ReviewForm(ClinicFormMixin, forms.Form):
    """Nothing is preset for a critical result: each answer is a decision."""

    interpretation = forms.ChoiceField(
        label=_("Interpretation"), choices=Interpretation.choices, widget=forms.RadioSelect
    )
    comment = forms.CharField(label=_("What it means"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    plan = forms.ChoiceField(label=_("Plan"), choices=Plan.choices, widget=forms.RadioSelect)
    plan_detail = forms.CharField(label=_("What exactly, for repeat, treat or refer"), required=False, max_length=300)
    action_due_at = forms.DateTimeField(
        label=_("To be done by"),
        required=False,
        help_text=_("Empty: within the protocol's limit."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    tell = forms.ChoiceField(label=_("Tell the patient"), choices=TellHow.choices, widget=forms.RadioSelect)
    tell_reason = forms.CharField(label=_("Because (when not told)"), required=False, max_length=200)
    patient_message = forms.CharField(
        label=_("What the patient is told, in plain words"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    read_elsewhere = forms.CharField(
        label=_("Read in another record"),
        required=False,
        max_length=200,
        help_text=_("Where, by whom and when, if it was not read here."),
    )

    def __init__(self, *args: Any, noticing: bool = False, **kwargs: Any) -> None:
        """``noticing``: the version is critical and came by itself, so how it was noticed is asked first."""
        super().__init__(*args, **kwargs)
        self.noticing = noticing
        if noticing:
            asked = {name: field for name, field in ReadBackForm.base_fields.items() if name != "at"}
            self.fields = {**{name: copy(field) for name, field in asked.items()}, **self.fields}

    @property
    def helper(self) -> ClinicFormHelper:
        helper = ClinicFormHelper(self)
        if self.noticing:
            call = Div("caller", "receiver", "value", css_class="field-row")
            rest = [name for name in self.fields if name not in ("how", "caller", "receiver", "value")]
            helper.layout = Layout("how", call, *rest)
        return helper

    def arguments(self) -> dict[str, Any]:
        """As ``services.reviews.review`` takes them."""
        data = dict(self.cleaned_data)
        if self.noticing:
            data["noticed"] = {name: data.pop(name) for name in ("how", "caller", "receiver", "value")}
        return data


class NormalsForm(ClinicFormMixin, forms.Form):
    """All normal finals of a case, signed on one screen."""

    versions = forms.MultipleChoiceField(label=_("Read and normal"), widget=forms.CheckboxSelectMultiple)
    patient_message = forms.CharField(
        label=_("What the patient is told, in plain words"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["versions"].choices = choices  # type: ignore[attr-defined]

    def chosen(self) -> list[int]:
        return [int(v) for v in self.cleaned_data["versions"]]


class ActionForm(ClinicFormMixin, forms.Form):
    """What became of a decided action."""

    done = forms.ChoiceField(
        label=_("What became of it"),
        choices=[("yes", _("It is done")), ("no", _("It was decided otherwise"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label=_("What was done, or why not"), max_length=300)
