"""A line of the medicine list, a line of the allergy list, and why a line is taken off."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin
from procedures.models.checklists import AllergySeverity, MedicineRoute, MedicineStatus
from procedures.selectors import medicine_list
from procedures.selectors.medicine_list import Known

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


NOT_SAID = ("", _("not said"))
UNITS = (NOT_SAID, ("mg", "mg"), ("g", "g"), ("mcg", "mcg"), ("units", _("units")))
OFTEN = (
    NOT_SAID,
    ("1.0", _("once a day")),
    ("2.0", _("twice a day")),
    ("3.0", _("three times a day")),
    ("4.0", _("four times a day")),
    ("0.5", _("every other day")),
    (str(1 / 7), _("once a week")),
)
ROUTES = (NOT_SAID, *MedicineRoute.choices)
#: Columns of a medicine that are fields of the same name.
PLAIN = ("name", "amount", "unit", "status", "route", "tier", "indication", "prescriber", "dose")


class DoseInput(forms.TextInput):
    """A number as people write it; a wheel or arrows would change a dose unseen."""

    def __init__(self) -> None:
        super().__init__({"inputmode": "decimal"})


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
    """One medicine. A stopped one needs the date and time of its last dose.

    ``known``: what its name was recognised as; which kinds of dose can be stated depends on it.
    """

    name = forms.CharField(
        label=_("Medicine"),
        max_length=120,
        help_text=_("Brand, generic name or herbal product. One that is not in the list is kept as you write it."),
        widget=forms.TextInput(attrs={"list": "medicine-names", "spellcheck": "false", "autocapitalize": "off"}),
    )
    amount = forms.CharField(label=_("One dose"), max_length=12, required=False, widget=DoseInput)
    unit = forms.ChoiceField(label=_("Unit"), choices=UNITS, required=False)
    times_per_day = forms.ChoiceField(label=_("How often"), choices=OFTEN, required=False)
    status = forms.ChoiceField(label=_("Still taken?"), choices=MedicineStatus.choices, widget=forms.RadioSelect)
    last_dose_date = forms.DateField(label=_("Last dose: date"), required=False, widget=DateInput)
    last_dose_time = forms.TimeField(label=_("Last dose: time"), required=False, widget=TimeInput)
    planned_stop_date = forms.DateField(label=_("Planned last dose: date"), required=False, widget=DateInput)
    planned_stop_time = forms.TimeField(label=_("Planned last dose: time"), required=False, widget=TimeInput)
    route = forms.ChoiceField(label=_("How it is taken"), choices=ROUTES, required=False)
    tier = forms.ChoiceField(label=_("Kind of dose, if a clinician said so"), choices=[NOT_SAID], required=False)
    indication = forms.CharField(label=_("Taken for"), max_length=120, required=False)
    prescriber = forms.CharField(label=_("Prescriber"), max_length=120, required=False)
    dose = forms.CharField(
        label=_("Dose in other words"),
        max_length=120,
        required=False,
        help_text=_("Where the fields do not fit: “5 mg in the morning, 2.5 mg in the evening”."),
    )
    thins_blood = forms.ChoiceField(
        label=_("If it is not in the list: does it affect bleeding?"),
        choices=THINS,
        required=False,
        widget=forms.RadioSelect,
    )

    #: Shown at once; the rest behind *more*.
    BEHIND = ("planned_stop_date", "planned_stop_time", "route", "indication", "prescriber", "dose")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = str(self["name"].value() or "").strip()
        self.known: Known | None = medicine_list.known(named) if named else None
        tier: Any = self.fields["tier"]
        tier.choices = [NOT_SAID, *(self.known.tiers if self.known else ())]

    def clean_amount(self) -> float | None:
        """A number with a point or a comma before its decimals; 1,200 may be two numbers and is asked again."""
        typed = str(self.cleaned_data["amount"]).strip()
        if not typed:
            return None
        if not re.fullmatch(r"[0-9]+([.,][0-9]{1,2}|[.][0-9]+)?", typed):
            raise forms.ValidationError(_("“%(typed)s” is not a number. Example: 2.5"), params={"typed": typed})
        return float(typed.replace(",", "."))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("last_dose", "planned_stop"):
            cleaned[f"{name}_at"] = self.joined(cleaned, name)
        return cleaned

    @property
    def behind(self) -> list[Any]:
        return [self[name] for name in self.BEHIND]

    @property
    def behind_open(self) -> bool:
        return any(field.errors or field.value() for field in self.behind)

    def values(self) -> dict[str, Any]:
        """Arguments for the service."""
        data = self.cleaned_data
        plain = {n: data[n] for n in (*PLAIN, "last_dose_at", "planned_stop_at")}
        often = float(data["times_per_day"]) if data["times_per_day"] else None
        return {
            **plain,
            "times_per_day": often,
            "thins_blood": {"yes": True, "no": False}.get(data["thins_blood"]),
        }

    #: Where an error of the service belongs on this form.
    places = {"last_dose_at": "last_dose_date", "planned_stop_at": "planned_stop_date"}

    @classmethod
    def initial_of(cls, row: Any) -> dict[str, Any]:
        return {
            **{n: getattr(row, n) for n in PLAIN},
            **_in_two("last_dose", row.last_dose_at),
            **_in_two("planned_stop", row.planned_stop_at),
            "amount": "" if row.amount is None else f"{row.amount:g}",
            "times_per_day": "" if row.times_per_day is None else str(row.times_per_day),
            "thins_blood": {True: "yes", False: "no"}.get(row.thins_blood, ""),
        }


def _in_two(name: str, moment: datetime | None) -> dict[str, Any]:
    local = timezone.localtime(moment) if moment else None
    return {f"{name}_date": local.date() if local else None, f"{name}_time": local.time() if local else None}


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
