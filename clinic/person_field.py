"""Choosing a person: who is away is said, and stands last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import timewords
from clinic.models import Absence, User

#: An absence that begins within this time is named beside the person.
AHEAD = timedelta(days=28)


def with_absences(people: QuerySet[User], now: datetime) -> QuerySet[User]:
    """The people with their absences of now and soon, by name; whoever is away now stands behind the others."""
    soon = Absence.objects.filter(ends_at__gt=now, starts_at__lt=now + AHEAD).select_related("surrogate")
    away = Absence.objects.filter(user=OuterRef("pk"), starts_at__lte=now, ends_at__gt=now)
    found: QuerySet[User] = people.annotate(is_away=Exists(away)).order_by("is_away", "full_name", "pk")
    return found.prefetch_related(Prefetch("absences", queryset=soon.order_by("starts_at"), to_attr="away_soon"))


def away_words(absences: Iterable[Absence], now: datetime) -> str:
    """Say "away until Fri 08:00, covered by Carl Cover, MD"; nothing for nobody away."""
    zone = timezone.get_current_timezone()
    absence = next(iter(absences), None)
    if absence is None:
        return ""
    until = timewords.when(absence.ends_at, now, zone)
    if absence.starts_at > now:
        since = timewords.when(absence.starts_at, now, zone)
        return _("away %(since)s – %(until)s") % {"since": since, "until": until}
    if absence.is_covered and absence.surrogate is not None:
        return _("away until %(until)s, covered by %(who)s") % {
            "until": until,
            "who": absence.surrogate.display_name,
        }
    return _("away until %(until)s, nobody covers") % {"until": until}


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of people by name and credentials. With ``offer`` it says who is away, now or soon."""

    now: datetime | None = None

    def offer(self, people: QuerySet[User], now: datetime) -> None:
        """These people can be chosen."""
        self.now = now
        self.queryset = with_absences(people, now)

    def label_from_instance(self, obj: Any) -> str:
        words = away_words(getattr(obj, "away_soon", ()), self.now) if self.now else ""
        return f"{obj.display_name}: {words}" if words else str(obj.display_name)
