"""Looking into the audit trail: who read or changed a chart, and what a person has done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic import audit
from clinic.actor import Actor
from clinic.models import AuditEntry, User

PAGE = 25


class AuditSearch(forms.Form):
    """Everything may stay empty; then the newest entries of everybody are shown."""

    patient = forms.IntegerField(
        label=_("Chart"), required=False, min_value=1, help_text=_("The number in the address of the patient's page")
    )
    user = forms.ModelChoiceField(label=_("Person"), required=False, queryset=User.objects.none())
    action = forms.ChoiceField(
        label=_("What"),
        required=False,
        choices=(
            ("", _("everything")),
            ("read", _("reading")),
            ("change", _("changing")),
            ("login", _("log-ins and log-outs")),
        ),
    )
    day = forms.DateField(label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.all()  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Found:
    """One page of entries, newest first; ``next_before`` asks for the page after it."""

    entries: list[AuditEntry]
    next_before: int | None


def find(wanted: dict[str, Any]) -> Found:
    """The newest entries that match. Pages by id: the ten-thousandth page costs what the first does."""
    rows = _matching(wanted).order_by("-id")
    if wanted.get("before"):
        rows = rows.filter(pk__lt=wanted["before"])
    entries = list(rows[: PAGE + 1])
    more = len(entries) > PAGE
    return Found(entries[:PAGE], entries[PAGE - 1].pk if more else None)


def record_search(*, actor: Actor, wanted: dict[str, Any]) -> None:
    """Reading the trail leaves a trace in it."""
    user, day = wanted.get("user"), wanted.get("day")
    data = {
        "user": user.pk if user else None,
        "action": wanted.get("action") or None,
        "day": day.isoformat() if day else None,
        "before": wanted.get("before"),
    }
    audit.record(
        action="audit.read",
        actor=actor,
        patient_id=wanted.get("patient"),
        data={name: value for name, value in data.items() if value is not None},
    )


def _matching(wanted: dict[str, Any]) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.all()
    if patient := wanted.get("patient"):
        # A list was read with this patient on it: the same condition as the index audit_lists.
        on_a_list = Q(action="list.read", data__contains={"patients": [patient]})
        rows = rows.filter(Q(patient_id=patient) | on_a_list)
    if user := wanted.get("user"):
        rows = rows.filter(actor_id=user.pk)
    if day := wanted.get("day"):
        begin, end = _bounds(day)
        rows = rows.filter(recorded_at__gte=begin, recorded_at__lt=end)
    reading = Q(action__endswith=".read")
    signing_in = Q(action__startswith="login.") | Q(action="logout")
    kinds = {"read": reading, "login": signing_in, "change": ~(reading | signing_in)}
    return rows.filter(kinds.get(wanted.get("action") or "", Q()))


def _bounds(day: date) -> tuple[datetime, datetime]:
    """The local day as two moments: a date filter would use whichever zone is active."""
    zone = timezone.get_default_timezone()
    begin = datetime.combine(day, time.min, tzinfo=zone)
    return begin, datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
