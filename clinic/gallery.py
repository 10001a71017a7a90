"""Examples for the page of components: invented people, moments around now."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic.forms import ClinicFormMixin

Example = dict[str, Any]
Words = str | Promise


class ExampleForm(ClinicFormMixin, forms.Form):
    """One field of each kind."""

    volume = forms.DecimalField(
        label=_("Volume removed"), help_text=_("Litres, one decimal"), min_value=0, max_value=20, decimal_places=1
    )
    site = forms.ChoiceField(
        label=_("Site"),
        choices=[("", _("Choose")), ("llq", _("Left lower quadrant")), ("rlq", _("Right lower quadrant"))],
    )
    ultrasound = forms.ChoiceField(
        label=_("Ultrasound used"),
        choices=[("yes", _("Yes")), ("no", _("No")), ("unknown", _("Not recorded"))],
        widget=forms.RadioSelect,
        help_text=_("Marking before or guidance during"),
    )
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    witnessed = forms.BooleanField(label=_("I was there"))


def promise(label: Words, owner: Words, due: datetime, state: str) -> Example:
    return {"label": label, "owner": owner, "due": due, "state": state, "url": "#promise"}


def station(label: Words, state: str, when: datetime | None = None, who: str = "", **more: Any) -> Example:
    return {"label": label, "state": state, "when": when, "who": who, "note": "", "promises": [], "forks": False} | more


def branch(label: Words, marks: str, moments: list[datetime], **more: Any) -> Example:
    """A test: one letter per step, d(one), c(urrent), p(romised), s(kipped)."""
    states = {"d": "done", "c": "current", "p": "promised", "s": "skipped"}
    names = [_("collected"), _("received"), _("preliminary"), _("final"), _("reviewed")]
    left = list(moments)
    steps = [
        {"label": name, "state": states[mark], "when": left.pop(0) if mark == "d" else None}
        for name, mark in zip(names, marks, strict=True)
    ]
    state = "done" if marks[-1] == "d" else "current"
    base = {"label": label, "state": state, "extended": False, "steps": steps, "promise": None, "result_level": ""}
    return base | {"url": "#test"} | more


def lumbar_puncture(now: datetime) -> Example:
    """A lumbar puncture three days after the needle: cells critical, oligoclonal bands on their way."""
    needle = now - timedelta(days=3, hours=2)
    hour, day = timedelta(hours=1), timedelta(days=1)
    received = needle + hour
    stations = [
        station(_("Requested"), "done", needle - 9 * day, "Dr L. Haddad", note=_("Suspected multiple sclerosis")),
        station(_("Booked"), "done", needle - 8 * day, "S. Okoye"),
        station(_("Checklist"), "done", needle - 20 * hour, "N. Brandt", note=_("signed, no stop")),
        station(_("Arrived"), "done", needle - hour, "S. Okoye"),
        station(_("Needle"), "done", needle, "Dr L. Haddad", note=_("L3/4, opening 18 cm H₂O")),
        station(
            _("Record"),
            "current",
            promises=[promise(_("Sign the record"), "Dr L. Haddad", needle + 70 * hour, "overdue")],
        ),
        station(_("Specimens"), "done", needle + hour / 2, "N. Brandt", note=_("4 tubes"), forks=True),
        station(
            _("Results"),
            "current",
            note=_("2 of 5 final"),
            promises=[promise(_("Review result: cells"), "Dr L. Haddad", now + hour, "critical")],
        ),
        station(
            _("Patient told"),
            "promised",
            promises=[
                promise(_("Ask about headache"), _("Nurses"), now + 2 * hour, "due"),
                promise(_("Tell the patient"), "Dr L. Haddad", now + 5 * day, "waiting"),
            ],
        ),
        station(_("Closed"), "promised"),
    ]
    branches = [
        branch(
            _("Cells and differential"),
            "ddsdp",
            [needle, received, needle + 4 * hour],
            promise=promise(_("Review result"), "Dr L. Haddad", now + hour, "critical"),
            result_level="critical",
        ),
        branch(
            _("Protein and glucose"),
            "ddsdd",
            [needle, received, needle + 3 * hour, needle + 22 * hour],
            result_level="normal",
        ),
        branch(
            _("Bacterial culture"),
            "dddpp",
            [needle, received, needle + day],
            promise=promise(_("Final culture"), _("Laboratory desk"), now + 2 * day, "waiting"),
        ),
        branch(
            _("Cytology"),
            "dcspp",
            [needle],
            promise=promise(_("Specimen not received"), "N. Brandt", now - 26 * hour, "overdue"),
        ),
        branch(
            _("Oligoclonal bands"),
            "ddspp",
            [needle, received],
            promise=promise(_("Final result"), _("Laboratory desk"), now + 4 * day, "waiting"),
            extended=True,
        ),
    ]
    return {"stations": stations, "branches": branches}


def requested_case(now: datetime) -> Example:
    """A case that has only been asked for."""
    owed = promise(_("Book the request"), _("Schedulers"), now + timedelta(hours=20), "due")
    names = [_("Booked"), _("Checklist"), _("Arrived"), _("Needle"), _("Record"), _("Specimens"), _("Results")]
    return {
        "stations": [
            station(_("Requested"), "done", now - timedelta(hours=4), "Dr L. Haddad"),
            station(names[0], "current", promises=[owed]),
            *(station(name, "promised") for name in names[1:]),
            station(_("Patient told"), "promised"),
            station(_("Closed"), "promised"),
        ],
        "branches": [],
    }


def patient_banner() -> Example:
    return {
        "name": "EXAMPLE, Amina",
        "born": date(1984, 3, 14),
        "age": 42,
        "mrn": "0048-2213",
        "url": "#chart",
        "allergies_state": "known",
        "allergies": ["chlorhexidine", "latex"],
        "stops": [{"label": _("apixaban, last dose 40 h ago"), "url": "#stop"}],
        "notes": [_("Outpatient"), _("Interpreter: Somali")],
        "deceased": None,
    }


def table() -> Example:
    return {
        "columns": [{"label": _("Patient")}, {"label": _("Procedure")}, {"label": _("Litres"), "number": True}],
        "rows": [
            {"cells": ["EXAMPLE, Amina", _("Lumbar puncture"), "–"], "url": "#1", "kind": "overdue"},
            {"cells": ["SAMPLE, Jörg", _("Paracentesis"), "6.2"], "url": "#2"},
            {"cells": ["MUSTER, Ada", _("Paracentesis"), "4.0"], "url": "#3", "kind": "done"},
        ],
    }


def segments() -> list[Example]:
    return [
        {"url": "#mine", "label": _("Mine"), "active": True, "count": 4},
        {"url": "#role", "label": _("My role's"), "active": False, "count": 11},
        {"url": "#covered", "label": _("Covered for Dr Lee"), "active": False, "count": 0},
        {"url": "#all", "label": _("All"), "active": False, "count": None},
    ]


def facts() -> list[Example]:
    return [
        {"label": _("Opening pressure"), "value": 18, "unit": "cm H₂O"},
        {"label": _("Interspace"), "value": "L3/4"},
        {"label": _("Closing pressure"), "value": None, "unit": "cm H₂O"},
        {"label": _("Record"), "value": _("version 2"), "url": "#record"},
    ]


def consequences() -> list[Any]:
    return [
        _("The slot Thu 14:30 becomes free."),
        _("The hold of apixaban stays promised: the patient must be told to restart."),
        _("The patient is told by telephone; that is promised to the schedulers."),
    ]
