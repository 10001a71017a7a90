"""A line of the medicine list, a line of the allergy list, and why a line is taken off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from procedures.models.checklists import AllergySeverity, MedicineStatus

THINS = (("yes", _("Yes")), ("no", _("No")), ("", _("Nobody has said")))
#: What the safety rules tell apart; the code is stored.
CATEGORIES = (
    ("", _("not said")),
    ("anaesthetic_amide", _("numbing medicine: lidocaine and relatives (amide)")),
    ("anaesthetic_ester", _("numbing medicine: procaine and relatives (ester)")),
    ("chlorhexidine", _("chlorhexidine")),
    ("povidone_iodine", _("povidone-iodine")),
    ("latex", _("latex")),
    ("adhesive", _("tape, plaster or skin glue")),
    ("albumin", _("human albumin")),
    ("antibiotic", _("antibiotic")),
    ("heparin", _("heparin")),
    ("sedative_opioid", _("sedative or opioid")),
    ("other_medicine", _("another medicine")),
    ("other", _("something else")),
)


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class MomentMixin:
    """A date and a time of day in two fields: both, or neither."""

    def joined(self, cleaned: dict[str, Any], name: str) -> datetime | None:
        day, hour = cleaned.get(f"{name}_date"), cleaned.get(f"{name}_time")
        if day and hour:
            return timezone.make_aware(datetime.combine(day, hour))
        if day and f"{name}_time" not in self.errors:  # type: ignore[attr-defined]
            self.add_error(f"{name}_time", _("The time of day is needed too."))  # type: ignore[attr-defined]
        if hour and f"{name}_date" not in self.errors:  # type: ignore[attr-defined]
            self.add_error(f"{name}_date", _("The date is needed too."))  # type: ignore[attr-defined]
        return None


class RowForm(ClinicFormMixin, forms.Form):
    """A line that is drawn by hand: fields in Bootstrap's classes, radios as segments."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for item in self.fields.values():
            if isinstance(item.widget, forms.RadioSelect):
                continue
            item.widget.attrs["class"] = "form-select" if isinstance(item.widget, forms.Select) else "form-control"
            item.widget.attrs["autocomplete"] = "off"


class MedicineForm(MomentMixin, RowForm):
    """One medicine. A stopped one needs the date and time of its last dose."""

    name = forms.CharField(label=_("Medicine"), max_length=120)
    dose = forms.CharField(label=_("Dose and how often"), max_length=120, required=False)
    indication = forms.CharField(label=_("Taken for"), max_length=120, required=False)
    prescriber = forms.CharField(label=_("Prescriber"), max_length=120, required=False)
    status = forms.ChoiceField(label=_("Still taken?"), choices=MedicineStatus.choices, widget=forms.RadioSelect)
    last_dose_date = forms.DateField(label=_("Last dose: date"), required=False, widget=DateInput)
    last_dose_time = forms.TimeField(label=_("Last dose: time"), required=False, widget=TimeInput)
    thins_blood = forms.ChoiceField(
        label=_("Affects bleeding?"), choices=THINS, required=False, widget=forms.RadioSelect
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["last_dose_at"] = self.joined(cleaned, "last_dose")
        return cleaned

    def values(self) -> dict[str, Any]:
        """Arguments for the service."""
        data = self.cleaned_data
        plain = {n: data[n] for n in ("name", "dose", "indication", "prescriber", "status", "last_dose_at")}
        return {**plain, "thins_blood": {"yes": True, "no": False}.get(data["thins_blood"])}

    #: Where an error of the service belongs on this form.
    places = {"last_dose_at": "last_dose_date"}

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        last = timezone.localtime(row.last_dose_at) if row.last_dose_at else None
        return {
            **{n: getattr(row, n) for n in ("name", "dose", "indication", "prescriber", "status")},
            "last_dose_date": last.date() if last else None,
            "last_dose_time": last.time() if last else None,
            "thins_blood": {True: "yes", False: "no"}.get(row.thins_blood, ""),
        }


class AllergyForm(RowForm):
    """One allergy: to what, what happened, how severe."""

    substance = forms.CharField(label=_("Substance"), max_length=120)
    category = forms.ChoiceField(label=_("Kind"), choices=CATEGORIES, required=False)
    reaction = forms.CharField(label=_("What happened"), max_length=200, required=False)
    severity = forms.ChoiceField(label=_("How severe"), choices=AllergySeverity.choices, widget=forms.RadioSelect)

    places: dict[str, str] = {}

    def values(self) -> dict[str, Any]:
        """Arguments for the service."""
        return {n: self.cleaned_data[n] for n in ("substance", "category", "reaction", "severity")}

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        return {n: getattr(row, n) for n in ("substance", "category", "reaction", "severity")}


class WithdrawForm(ClinicFormMixin, forms.Form):
    """Why a line was never right."""

    reason = forms.CharField(label=_("Why is it taken off the list?"), max_length=200)


FORMS: dict[str, type[MedicineForm] | type[AllergyForm]] = {"medicines": MedicineForm, "allergies": AllergyForm}


def row_form(kind: str, *args: Any, **kwargs: Any) -> MedicineForm | AllergyForm:
    """The form of a list's line, with its own prefix so that both fit on one page."""
    return FORMS[kind](*args, prefix=kind, auto_id="id_%s", **kwargs)
