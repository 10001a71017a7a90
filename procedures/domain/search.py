"""What somebody typed to find a patient, taken apart. Pure.

A term is a piece of text, a birth date, or either (eight digits may be a number or a date).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from procedures.domain.names import squeeze

#: Fewer signs than this match half the clinic.
SHORTEST = 2

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_YEAR = r"(?P<year>\d{4}|\d{2})"
_MONTH_2, _YEAR_2 = _MONTH.replace("month", "month2"), _YEAR.replace("year", "year2")
_DAY, _NTH = r"(?P<day>\d{1,2})", r"(?:st|nd|rd|th)?"
_WRITTEN = re.compile(
    rf"\b(?:{_DAY}{_NTH}\.?\s+{_MONTH},?\s+{_YEAR}|{_MONTH_2}\s+{_DAY.replace('day', 'day2')}{_NTH},?\s+{_YEAR_2})\b",
    re.IGNORECASE,
)
_ISO = re.compile(r"^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$")
_NUMERIC = re.compile(r"^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})$")
_EIGHT = re.compile(r"^\d{8}$")


@dataclass(frozen=True)
class Term:
    """Matches where the text is found or the birth date is one of ``dates``. Empty text: the date alone."""

    text: str = ""
    dates: frozenset[date] = field(default_factory=frozenset)


def terms(typed: str) -> tuple[Term, ...]:
    """The terms of a search, all of which must match; none when too little was typed."""
    found: list[Term] = []

    def take(match: re.Match[str]) -> str:
        parts = match.groupdict()
        month = _MONTHS.index((parts["month"] or parts["month2"])[:3].lower()) + 1
        day = int(parts["day"] or parts["day2"])
        dates = _dates((year, month, day) for year in _years(parts["year"] or parts["year2"]))
        if not dates:
            return match.group()
        found.append(Term(dates=dates))
        return " "

    rest = _WRITTEN.sub(take, typed)
    found += [_term(word) for word in rest.replace(",", " ").split()]
    found = [term for term in found if term.text or term.dates]
    if not any(term.dates or len(term.text) >= SHORTEST for term in found):
        return ()
    return tuple(found)


def _term(word: str) -> Term:
    if match := _ISO.match(word):
        dates = _dates([(int(match[1]), int(match[3]), int(match[4]))])
    elif match := _NUMERIC.match(word):
        one, other = int(match[1]), int(match[3])
        # 5/6/1984 is 6 May here and 5 June elsewhere: both are shown. A full stop is never the American order.
        orders = [(other, one)] if match[2] == "." else [(one, other), (other, one)]
        dates = _dates((year, month, day) for year in _years(match[4]) for month, day in orders)
    elif _EIGHT.match(word):
        dates = _dates([(int(word[:4]), int(word[4:6]), int(word[6:])), (int(word[4:]), int(word[:2]), int(word[2:4]))])
        return Term(text=word, dates=dates)
    else:
        return Term(text=squeeze(word))
    return Term(dates=dates) if dates else Term(text=squeeze(word))


def _years(text: str) -> tuple[int, ...]:
    return (int(text),) if len(text) == 4 else (1900 + int(text), 2000 + int(text))


def _dates(candidates: Iterable[tuple[int, int, int]]) -> frozenset[date]:
    found = set()
    for year, month, day in candidates:
        try:
            found.add(date(year, month, day))
        except ValueError:
            continue
    return frozenset(d for d in found if d.year >= 1880)
