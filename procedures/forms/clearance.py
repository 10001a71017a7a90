"""What is decided about findings. Which fields a decision needs is said once more by the service."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from clinic.models import Room
from procedures.domain.clearance import Decision
from procedures.forms.checklist_rows import DateInput, MomentMixin, TimeInput
from procedures.services.clearance import To, Wish

LABELS = (
    (str(Decision.PROCEED), _("Proceed")),
    (str(Decision.HOLD_UNTIL), _("Hold until")),
    (str(Decision.CORRECT_FIRST), _("Correct first")),
    (str(Decision.CANCEL_UNSAFE), _("Cancel as unsafe")),
)


class DecisionForm(ClinicFormMixin, MomentMixin, forms.Form):
    """One decision about the chosen findings. ``slots``: what is offered, as pairs of value and words."""

    use_required_attribute = False

    seen = forms.CharField(widget=forms.HiddenInput)
    booking = forms.CharField(widget=forms.HiddenInput, required=False)
    keys = forms.MultipleChoiceField(
        label=_("About these findings"), widget=forms.CheckboxSelectMultiple, required=False
    )
    decision = forms.ChoiceField(label=_("Decision"), choices=LABELS, widget=forms.RadioSelect)
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=1000)
    slot = forms.ChoiceField(
        label=_("Hold until: move the booking to"),
        widget=forms.RadioSelect,
        required=False,
        help_text=_("The earliest free slots that are safe if what is held is stopped as planned."),
    )
    hold_until_date = forms.DateField(label=_("Or hold until: date"), required=False, widget=DateInput)
    hold_until_time = forms.TimeField(label=_("Or hold until: time"), required=False, widget=TimeInput)
    hold_medicines = forms.BooleanField(
        label=_("Record the medicines as held, so that their restart is promised"), required=False, initial=True
    )
    agreed_with = forms.CharField(
        label=_("Agreed with"), max_length=200, required=False, help_text=_("The prescriber: name, clinic, phone.")
    )
    correct = forms.CharField(
        label=_("Correct first: what"), max_length=200, required=False, help_text=_("The drug, the product, the test.")
    )

    def __init__(self, *args: Any, findings: Iterable[tuple[str, str]], slots: Any, rooms: Iterable[Room], **kw: Any):
        super().__init__(*args, **kw)
        self.rooms = {str(room.pk): room for room in rooms}
        self.fields["keys"].choices = list(findings)  # type: ignore[attr-defined]
        self.fields["slot"].choices = [("", _("do not move it now")), *slots]  # type: ignore[attr-defined]
        self.to: To | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["hold_until"] = self.joined(cleaned, "hold_until")
        if cleaned.get("decision") == Decision.HOLD_UNTIL and cleaned.get("slot"):
            start, _bar, room = str(cleaned["slot"]).partition("|")
            self.to = To(start=datetime.fromisoformat(start), room=self.rooms.get(room), seen=cleaned["booking"])
        return cleaned

    def wish(self) -> Wish:
        data = self.cleaned_data
        return Wish(
            decision=Decision(data["decision"]),
            keys=tuple(data["keys"]),
            seen=data["seen"],
            reason=data["reason"],
            hold_until=data["hold_until"],
            correct=data["correct"],
            agreed_with=data["agreed_with"],
            hold_medicines=data["hold_medicines"],
            to=self.to,
        )
