"""The patient's own forms about danger signs: who answers, one question, and the last page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from procedures.domain.patient_content import SymptomQuestion


class AnswerForm(forms.Form):
    """One question on one screen. Nothing is chosen beforehand."""

    use_required_attribute = False
    answer = forms.ChoiceField(widget=forms.RadioSelect)

    def __init__(self, *args: Any, question: SymptomQuestion, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["answer"]
        field.choices = [(choice.code, choice.label) for choice in question.answers]  # type: ignore[attr-defined]
        field.error_messages = dict.fromkeys(("required", "invalid_choice"), _("Please choose one answer."))


class WordsForm(forms.Form):
    """Anything else. A little more than is asked for is kept as well."""

    use_required_attribute = False
    words = forms.CharField(
        required=False, strip=False, widget=forms.Textarea(attrs={"rows": 5, "aria-describedby": "words-help"})
    )
