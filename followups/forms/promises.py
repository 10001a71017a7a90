"""What a person says when handing a promise over, putting it off, or noting something about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from clinic.models import User
from followups.models import FollowUp
from followups.services import promises

LOCAL = "%Y-%m-%dT%H:%M"


class SeenForm(ClinicFormMixin, forms.Form):
    """Carries what the person saw: who had the promise, and its generation. Anything else by now is a conflict.

    A button on another page may leave both out: it speaks of a promise that nobody has taken, as it stands.
    """

    seen_taker = forms.IntegerField(required=False, widget=forms.HiddenInput)
    seen_generation = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, follow_up: FollowUp, **kwargs: Any) -> None:
        self.follow_up = follow_up
        kwargs["initial"] = {"seen_taker": follow_up.taken_by_id, "seen_generation": follow_up.generation}
        super().__init__(*args, **kwargs)

    def as_seen(self) -> FollowUp:
        """The promise as it was shown: what the service compares with what is stored."""
        self.follow_up.taken_by_id = self.cleaned_data["seen_taker"]
        self.follow_up.generation = self.cleaned_data["seen_generation"] or self.follow_up.generation
        return self.follow_up


class HandOverForm(SeenForm):
    to = forms.ModelChoiceField(label=_("To whom"), queryset=User.objects.none())
    text = forms.CharField(
        label=_("What they should know"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = promises.candidates(self.follow_up)  # type: ignore[attr-defined]
        self.fields["to"].widget.attrs["autofocus"] = True


class SnoozeForm(SeenForm):
    until = forms.DateTimeField(
        label=_("No reminder before"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)
    )
    reason = forms.CharField(label=_("Because"), max_length=300, widget=forms.TextInput(attrs={"autofocus": True}))

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        latest = promises.latest_snooze(self.follow_up, now)
        self.fields["until"].initial = latest.replace(second=0, microsecond=0)


class NoteForm(SeenForm):
    text = forms.CharField(
        label=_("Note"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4, "autofocus": True})
    )
