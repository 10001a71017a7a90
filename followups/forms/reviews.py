"""Reading a result."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from followups.models.reviews import Interpretation, Plan, TellHow


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
        label=_("What the patient is told, in plain words"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Empty: the prepared sentence for the interpretation you choose, as it stands under this form."),
    )
    patient_message_theirs = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    read_elsewhere = forms.CharField(
        label=_("Read in another record"),
        required=False,
        max_length=200,
        help_text=_("Where, by whom and when, if it was not read here."),
    )

    def __init__(self, *args: Any, other_language: str = "", **kwargs: Any) -> None:
        """``other_language``: the name of the language the patient reads, when it is not English."""
        super().__init__(*args, **kwargs)
        if not other_language:
            del self.fields["patient_message_theirs"]
            return
        field = self.fields["patient_message_theirs"]
        field.label = _("The same in %(language)s") % {"language": other_language}
        field.help_text = _(
            "Empty: the prepared sentence, if you changed nothing above. If you did and leave this empty, nothing is "
            "written to the patient: somebody calls with an interpreter."
        )


class NormalsForm(ClinicFormMixin, forms.Form):
    """All normal finals of a case, signed on one screen."""

    versions = forms.MultipleChoiceField(label=_("Read and normal"), widget=forms.CheckboxSelectMultiple)
    patient_message = forms.CharField(
        label=_("What the patient is told, in plain words"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Empty: the prepared sentence of each result. What you write is said of all of them together."),
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
