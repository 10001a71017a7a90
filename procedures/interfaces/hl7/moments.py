"""Times as messages write them: ``YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]``, and the few other ways beyond doubt."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from procedures.domain.report import Moment

#: Beyond these years nothing of a patient happened: a number that was put into the wrong field.
YEARS = range(1850, 2201)
KEPT = 4096
_WRITTEN = re.compile(
    r"(?a)(\d{4})(?:[-/]?(\d\d)(?:[-/]?(\d\d)(?:[T ]?(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,]\d{1,9})?)?)?)?)?)?"
    r"\s*(Z|[+-]\d\d:?(?:\d\d)?)?"
)
_CLOCK = re.compile(r"(?a)(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d{1,9})?)?\s*([+-]\d\d:?(?:\d\d)?)?")
_EMPTY = re.compile(r"[0\s:.+-]*")


class Moments:
    """Reads the times of one message. ``zone``: the sender's; ``sent``: MSH-7, whose offset serves without one."""

    def __init__(self, zone: str, sent: str = "") -> None:
        self.zone = _zone(zone) or _offset_of(sent)
        self._kept: dict[str, Moment | None] = {}

    def read(self, written: str) -> Moment | None:
        """None when nothing is written. A range (SPM-17) or a time with its precision: the first part, as the caller
        gives it."""
        if written not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[written] = self._read(written)
        return self._kept[written]

    def _read(self, written: str) -> Moment | None:
        written = written.strip()
        if not written or written == '""':
            return None
        found = _WRITTEN.fullmatch(written)
        day = _day(found) if found else None
        if found is None or day is None:
            return Moment(written=written, at=None)
        hour, minute, second = (int(part or 0) for part in found.group(4, 5, 6))
        if hour > 23 or minute > 59 or second > 60:
            return Moment(written=written, at=None)
        clock = time(hour, minute, min(second, 59))
        said = _offset(found[7])
        zone = said or self.zone
        if zone is None or (found[7] and said is None):
            return Moment(written=written, at=None, zone_assumed=said is None)
        at, doubtful = _settled(datetime.combine(day, clock), zone)
        to_the_day = clock == time(0)
        return Moment(written=written, at=at, to_the_day=to_the_day, zone_assumed=said is None, doubtful=doubtful)


def day(written: str) -> date | None:
    """A date of birth: the day that is written, in whatever zone."""
    found = _WRITTEN.fullmatch(written.strip())
    return _day(found) if found else None


def says_nothing(written: str) -> bool:
    """``0000``, ``00000000`` and the like: somebody had no time to write."""
    return bool(_EMPTY.fullmatch(written))


def words(written: str, kind: str) -> str:
    """A value of type DT, TM, TS or DTM as people write it; what is not understood as it stands."""
    written = written.strip()
    if kind == "TM":
        if (found := _CLOCK.fullmatch(written)) is None:
            return written
        return ":".join(part for part in found.group(1, 2, 3) if part) + (f" {found[4]}" if found[4] else "")
    found = _WRITTEN.fullmatch(written)
    if found is None or not written[:1].isdigit():
        return written
    parts = "-".join(part for part in found.group(1, 2, 3) if part)
    clock = ":".join(part for part in found.group(4, 5, 6) if part)
    return " ".join(part for part in (parts, clock, found[7]) if part)


def _day(found: re.Match[str]) -> date | None:
    """To the day or better; a month alone is no day."""
    if not found[3] or int(found[1]) not in YEARS:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _settled(naive: datetime, zone: tzinfo) -> tuple[datetime, bool]:
    """Aware. An hour that the clocks skip becomes the one after it, of one that they repeat the first is meant.

    Such a time gets its offset alone: Python holds one with a zone for unequal to every time of another zone.
    """
    at = naive.replace(tzinfo=zone)
    if at.utcoffset() == at.replace(fold=1).utcoffset():
        return at, False
    settled = at.astimezone(UTC).astimezone(zone)
    return settled.astimezone(timezone(settled.utcoffset() or timedelta())), True


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def _offset_of(written: str) -> tzinfo | None:
    found = _WRITTEN.fullmatch(written.strip())
    return _offset(found[7]) if found else None


def _offset(said: str | None) -> tzinfo | None:
    """``-0400``, ``+07:00``, ``+07``, ``Z``; None for what is no offset."""
    if not said:
        return None
    if said == "Z":
        return UTC
    digits = said[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:4])
    if minutes > 14 * 60:
        return None
    return timezone(timedelta(minutes=-minutes if said[0] == "-" else minutes))
