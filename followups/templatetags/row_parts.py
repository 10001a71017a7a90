"""The parts that lines of lists are put together from, by one call each. Everything that comes from a row is escaped.

A component in ``templates/components`` says the same; a list of dozens of lines is made of these, because a template
for each of them would be most of the page's time.
"""

from __future__ import annotations

import html
from datetime import date, datetime
from functools import cache, lru_cache
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_in_words

from clinic import statuses, timewords


def escape(text: object) -> str:
    """As Django escapes, without its look for a text that is still to be translated: a line asks ten times."""
    return html.escape(str(text))


def due(at: datetime | None, state: str, now: datetime) -> str:
    """As ``components/due.html`` says it."""
    look = statuses.status(state or "due")
    words = escape(look.word)
    if at is not None:
        before = f"{words}: " if state in ("critical", "waiting") else ""
        words = before + time_tag(at, timewords.due_in(at, now, timezone.get_current_timezone()))
    icon = f'<i class="bi bi-{look.icon}" aria-hidden="true"></i>'
    return f'<span class="due tone--{look.tone}">{icon}<span>{words}</span></span>'


def when(moment: datetime, now: datetime) -> str:
    """Say "Thu 14:30"."""
    return time_tag(moment, timewords.when(moment, now, timezone.get_current_timezone()))


def time_tag(moment: datetime, words: str) -> str:
    """Words for people, ISO 8601 for machines."""
    return f'<time datetime="{moment.isoformat(timespec="minutes")}">{escape(words)}</time>'


@lru_cache(maxsize=1024)
def day(one: date) -> str:
    """Say "9 Mar 1961"."""
    return date_in_words(one, "j M Y")


@cache
def _pattern(name: str) -> str:
    """The address with a mark where the number or the code belongs: it is looked up once."""
    return reverse(name, args=[0])


def act_url(name: str, key: int | str) -> str:
    """The address of the page ``name`` with this one number or code."""
    return _pattern(name).replace("/0/", f"/{quote(str(key))}/", 1)


def case_url(code: str) -> str:
    """The case's page."""
    return act_url("followups:case", code)


def chip(kind: str, label: str = "") -> str:
    """As ``components/status_chip.html``."""
    look = statuses.status(kind)
    icon = f'<i class="bi bi-{look.icon}" aria-hidden="true"></i>'
    return f'<span class="chip chip--{look.tone}">{icon}{escape(label or look.word)}</span>'


def flag(icon: str, words: str, extra: str = "") -> str:
    """A plain mark with an icon."""
    return f'<span class="flag{extra}"><i class="bi bi-{icon}" aria-hidden="true"></i>{escape(words)}</span>'


def born(words: str, day: date) -> str:
    """The year alone, for people who know each other's patients."""
    return f'<span class="slot__born"><span class="visually-hidden">{words} </span>{day.year}</span>'
