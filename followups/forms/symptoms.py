"""The phone form of a symptom check: the protocol's own questions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from followups.models.symptoms import CheckOutcome
from procedures.domain.protocol import SymptomQuestion


class SymptomForm(ClinicFormMixin, forms.Form):
    """One radio group for each question; which of them must be answered depends on the answers before."""

    outcome = forms.ChoiceField(
        label=_("What happened"), choices=CheckOutcome.choices, widget=forms.RadioSelect, initial=CheckOutcome.ANSWERED
    )
    answered_by = forms.CharField(
        label=_("Who answered"), required=False, max_length=120, help_text=_("The patient, a caregiver, the ward.")
    )
    reason = forms.CharField(label=_("Why the check is not needed"), required=False, max_length=200)
    note = forms.CharField(label=_("In their own words"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    handled = forms.CharField(
        label=_("What was done about a danger sign"),
        required=False,
        max_length=300,
        help_text=_("Needed as soon as one answer is a danger sign: whom you called, where the patient was sent."),
    )

    def __init__(self, *args: Any, questions: list[SymptomQuestion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = questions
        for question in questions:
            self.fields[question.code] = forms.ChoiceField(
                label=question.text,
                required=False,
                help_text=question.help,
                choices=[(c.code, c.label) for c in question.answers],
                widget=forms.RadioSelect,
            )

    def asked(self) -> list[Any]:
        """The bound fields of the questions, in order."""
        return [self[q.code] for q in self.questions]

    def answers(self) -> dict[str, str]:
        return {q.code: self.cleaned_data.get(q.code, "") for q in self.questions}
