"""Days, hours and lengths as a patient reads them: ``x|day``, ``x|hour``, ``minutes|duration``."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from followups import patient_language

register = template.Library()
MINUTES = 60


@register.filter
def day(moment: datetime) -> str:
    """Say "Thursday, November 26"."""
    return patient_language.day(moment)


@register.filter
def hour(moment: datetime) -> str:
    """Say "9:30 AM"."""
    return patient_language.hour(moment)


@register.filter
def duration(minutes: int) -> str:
    """Say "1 hour and 30 minutes"."""
    hours, rest = divmod(minutes, MINUTES)
    parts = [ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}] if hours else []
    if rest or not parts:
        parts.append(ngettext("%(n)d minute", "%(n)d minutes", rest) % {"n": rest})
    return _(" and ").join(parts)
