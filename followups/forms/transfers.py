"""Handing on what is pending, and the answer to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from clinic.models import User
from followups.services import transfers
from procedures.models.transfers import WHY_LABELS


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    def label_from_instance(self, obj: User) -> str:
        return obj.display_name


class OfferForm(ClinicFormMixin, forms.Form):
    """To whom: a person of the clinic, or somebody outside with name, place and phone."""

    why = forms.ChoiceField(label=_("Why"), choices=[(str(w), label) for w, label in WHY_LABELS.items()])
    to = PersonField(
        label=_("To a person of this clinic"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("nobody here: somebody outside, named below"),
        help_text=_("They accept with their own log-in."),
    )
    take_over = forms.BooleanField(label=_("With it they become the responsible clinician"), required=False)
    name = forms.CharField(
        label=_("Or outside: name"), max_length=120, required=False, help_text=_("Who will answer for it there.")
    )
    place = forms.CharField(label=_("Ward, department or practice"), max_length=120, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    note = forms.CharField(
        label=_("What else they should know"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=2000
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fits = Q()
        for role in transfers.HAND_ON:
            fits |= Q(roles__contains=[str(role)])
        people = User.objects.filter(fits, is_active=True).order_by("full_name", "pk")
        self.fields["to"].queryset = people  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        outside = [name for name in ("name", "place", "phone") if (cleaned.get(name) or "").strip()]
        if cleaned.get("to") and outside:
            self.add_error("to", _("Choose one: a person of this clinic, or somebody outside."))
        elif not cleaned.get("to") and "to" not in self.errors:
            for name in {"name", "place", "phone"} - set(outside):
                self.add_error(name, _("Needed when nobody of this clinic is chosen."))
        return cleaned


class AnswerForm(ClinicFormMixin, forms.Form):
    """What became of the offer. ``may_accept``: with this log-in."""

    use_required_attribute = False

    answer = forms.ChoiceField(label=_("What is the answer?"), widget=forms.RadioSelect)
    name = forms.CharField(
        label=_("Accepted on the phone by"), max_length=120, required=False, help_text=_("Name of who said yes.")
    )
    read_back = forms.BooleanField(label=_("They read the list back"), required=False)
    reason = forms.CharField(label=_("Declined or withdrawn, because"), max_length=300, required=False)

    def __init__(self, *args: Any, may_accept: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = [("accept", _("I accept the list"))] if may_accept else []
        self.fields["answer"].choices = [  # type: ignore[attr-defined]
            *mine,
            ("phone", _("Accepted on the phone, and read back")),
            ("decline", _("Not accepted: somebody else must be named")),
            ("withdraw", _("Offered by mistake: withdraw it")),
        ]
