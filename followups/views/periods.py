"""The period that a page of the loop board is about: read from the address, and offered above the figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from followups.domain.period import CHOICES
from followups.forms.period import PeriodForm


def asked(request: HttpRequest, now: datetime) -> PeriodForm:
    return PeriodForm(request.GET, today=timezone.localdate(now), zone=timezone.get_default_timezone())


def context(form: PeriodForm, here: str) -> dict[str, Any]:
    """What ``period.html`` and ``tabs.html`` need. ``here``: the name of the page's address."""
    valid = form.is_valid()
    choices = [
        {
            "url": f"?days={days}",
            "label": ngettext("Last %(n)d day", "Last %(n)d days", days) % {"n": days},
            "active": valid and form.chosen == days,
            "count": None,
        }
        for days in CHOICES
    ]
    return {
        "form": form,
        "choices": choices,
        "period": form.period if valid else None,
        "query": form.query if valid else "",
        "tabs": tabs(here),
    }


def tabs(here: str) -> list[dict[str, Any]]:
    """The pages of the loop board."""
    pages = {
        "followups:loop": _("Open now"),
        "followups:indicators": _("How well it goes"),
        "followups:overrides": _("Overrides"),
    }
    return [{"url": reverse(name), "label": label, "active": name == here} for name, label in pages.items()]
