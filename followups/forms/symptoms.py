"""The phone form of a symptom check: the protocol's own questions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from followups.models.symptoms import CheckOutcome, Relation, ReportChannel
from procedures.domain.patient_content import SymptomQuestion

#: A form that was begun is the patient's own.
OUTCOMES = [c for c in CheckOutcome.choices if c[0] != CheckOutcome.BEGUN]


class SymptomForm(ClinicFormMixin, forms.Form):
    """One radio group for each question; which of them must be answered depends on the answers before."""

    outcome = forms.ChoiceField(
        label=_("What happened"), choices=OUTCOMES, widget=forms.RadioSelect, initial=CheckOutcome.ANSWERED
    )
    channel = forms.ChoiceField(
        label=_("How"),
        choices=[c for c in ReportChannel.choices if c[0] != ReportChannel.LINK],
        widget=forms.RadioSelect,
        initial=ReportChannel.PHONE,
        required=False,
    )
    relation = forms.ChoiceField(
        label=_("Who answers"), choices=[("", _("not said")), *Relation.choices], required=False
    )
    answered_by = forms.CharField(
        label=_("Who answered"), required=False, max_length=120, help_text=_("The patient, or the name of who did.")
    )
    language = forms.CharField(label=_("Language spoken"), required=False, max_length=40)
    interpreter = forms.BooleanField(label=_("Through an interpreter"), required=False)
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
