"""Who is asked about a promise, and when: the rungs of ``escalation.toml`` as values. Pure.

Time is counted from the promise's start or from its due time. A rung sends a message or moves the promise to a role;
the last one repeats until the promise is kept, so no ladder ever falls silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import cached_property
from typing import Any

from clinic.roles import Role
from followups.domain import kinds
from followups.domain.kinds import Kind
from followups.domain.quiet import LONGEST_QUIET, QuietHours
from followups.domain.reach import Which

#: From the calmest to the most urgent. A level without a ladder of its own uses the next calmer one.
LEVELS = ("normal", "abnormal", "critical")
DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?")
ALLOWED = frozenset({"after", "from", "do", "to", "channel", "repeat_every", "digest", "useful_for"})
TABLES = frozenset({"digest", "ladder", "out_of_hours", "quiet_hours"})
ZERO = timedelta(0)


class LadderError(ValueError):
    """Something in the file is wrong; every line names the file, the key and the value."""


class From(StrEnum):
    START = "start"
    DUE = "due"


class Do(StrEnum):
    MESSAGE = "message"
    MOVE = "move"


class To(StrEnum):
    """Whom a message can reach besides a role that is named."""

    OWNER = "owner"  # who took it, else who is responsible; else everybody on duty for its role
    ROLE = "role"  # everybody on duty for the promise's own role
    COVER = "cover"  # who is on duty for that role besides the owner
    PATIENT = "patient"  # by a way the patient has agreed to; without one the rung falls to the role, which calls
    INVOLVED = "involved"  # people whom the promise itself names: who acted on what has changed


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step. ``digest``: not a message of its own, but a line in the recipient's next daily digest.

    To the patient ``channel`` is one of ``reach.Which``, and ``useful_for`` says until when the message is of any use.
    """

    after: timedelta
    base: From
    do: Do
    to: To | Role
    channel: str = ""
    repeat_every: timedelta | None = None
    digest: bool = False
    useful_for: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The rungs of one kind at one level, in order."""

    rungs: tuple[Rung, ...]

    def action_at(self, *, rung: int, repeat: int, start_at: datetime, due_at: datetime) -> datetime:
        """When the next step is taken, ``rung`` rungs having been taken and the last one repeated ``repeat`` times.

        A rung is never earlier than the one before it, also where one counts from the start and the other from due.
        """
        upto = self.rungs[: rung + 1]
        base = max((start_at if r.base is From.START else due_at) + r.after for r in upto)
        if rung < len(self.rungs):
            return base
        return base + self.interval * (repeat + 1)

    def latest_repeat(self, *, repeat: int, start_at: datetime, due_at: datetime, now: datetime) -> int:
        """The number of the newest repetition that is due: what an idle engine has missed is not made up for."""
        last = self.action_at(rung=len(self.rungs) - 1, repeat=0, start_at=start_at, due_at=due_at)
        return max(repeat + 1, (now - last) // self.interval)

    def next_rung(self, rung: int) -> Rung:
        """The step that is taken next, ``rung`` rungs having been taken."""
        return self.rungs[min(rung, len(self.rungs) - 1)]

    @property
    def interval(self) -> timedelta:
        """How often the last rung repeats."""
        every = self.rungs[-1].repeat_every
        assert every is not None  # parse() refuses a ladder without it
        return every


@dataclass(frozen=True, kw_only=True)
class Ladders:
    """The whole file: a ladder for every kind, the hour of the daily digest (the clinic's local time), the levels that
    reach whoever is on call while the clinic is shut, and the hours in which patients are left in peace.
    """

    by_kind: Mapping[Kind, Mapping[str, Ladder]]
    digest_at: time
    out_of_hours: frozenset[str] = frozenset()
    quiet: QuietHours | None = None

    def ladder(self, kind: Kind, level: str) -> Ladder:
        """The ladder of ``kind``; a level that nobody knows climbs as an abnormal one, never as a normal one."""
        place = LEVELS.index(level if level in LEVELS else "abnormal")
        ladders = self.by_kind[kind]
        return next(ladders[name] for name in reversed(LEVELS[: place + 1]) if name in ladders)

    @cached_property
    def asked_roles(self) -> frozenset[Role]:
        """Roles that some rung names."""
        return frozenset(Role(rung.to) for ladder in self._all() for rung in ladder.rungs if rung.to in set(Role))

    @cached_property
    def end_roles(self) -> frozenset[Role]:
        """Roles in which a ladder ends: they must never be empty."""
        return frozenset(Role(ladder.rungs[-1].to) for ladder in self._all())

    def _all(self) -> list[Ladder]:
        return [ladder for by_level in self.by_kind.values() for ladder in by_level.values()]

    def wakes(self, level: str, *, open_now: bool) -> bool:
        """Whether a message of this level goes to whoever is on call as well: at night no inbox is read."""
        return not open_now and (level if level in LEVELS else "abnormal") in self.out_of_hours

    def not_before(self, moment: datetime, *, level: str, to_patient: bool, zone: tzinfo) -> datetime:
        """When a message may leave. Staff are never spared; patients are at night, and never when it is critical."""
        if not to_patient or level == "critical" or self.quiet is None:
            return moment
        return self.quiet.after(moment, zone)


# --- reading ----------------------------------------------------------------------------------


def parse_duration(text: Any) -> timedelta:
    """``PT15M``, ``PT2H``, ``P1D``, ``P1DT12H``. Raises ValueError otherwise: a month, for one, has no length."""
    found = DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or text == "P":
        raise ValueError(f"{text!r} is not a duration such as PT15M, PT2H or P1D")
    parts = {name: int(value) for name, value in found.groupdict().items() if value}
    return timedelta(**parts)


def parse(data: Mapping[str, Any], *, name: str, channels: Iterable[str]) -> Ladders:
    """The file's content as ladders. Raises LadderError with one line for everything that is wrong."""
    reader = _Reader(name=name, channels=frozenset(channels))
    ladders = reader.file(data)
    if ladders is None or reader.problems:
        raise LadderError("\n".join(reader.problems))
    return ladders


class _Reader:
    """Collects everything that is wrong, so that a file is corrected in one go."""

    def __init__(self, *, name: str, channels: frozenset[str]) -> None:
        self.name = name
        self.channels = channels
        self.problems: list[str] = []

    def wrong(self, key: str, what: str) -> None:
        self.problems.append(f"{self.name}: {key}: {what}")

    def file(self, data: Mapping[str, Any]) -> Ladders | None:
        for key in sorted(set(data) - TABLES):
            self.wrong(key, f"unknown key; expected {', '.join(sorted(TABLES))}")
        tables = data.get("ladder")
        if not isinstance(tables, Mapping):
            self.wrong("ladder", "missing: a ladder for every kind of promise")
            return None
        for key in sorted(set(tables) - set(Kind)):
            self.wrong(f"ladder.{key}", "no such kind of promise")
        by_kind = {kind: self.kind(kind, tables.get(kind)) for kind in Kind}
        return Ladders(
            by_kind=by_kind,
            digest_at=self.time_of_day(data.get("digest"), "digest", "at") or time(8),
            out_of_hours=self.out_of_hours(data.get("out_of_hours")),
            quiet=self.quiet_hours(data.get("quiet_hours")),
        )

    def time_of_day(self, table: Any, name: str, key: str) -> time | None:
        text = table.get(key) if isinstance(table, Mapping) else None
        try:
            at = time.fromisoformat(text or "")
        except (TypeError, ValueError):
            self.wrong(f"{name}.{key}", f"{text!r} is not a time of day such as 08:00")
            return None
        if at.tzinfo is not None:
            self.wrong(f"{name}.{key}", f"{text!r} names a zone; the clinic's own is used")
            return None
        return at

    def out_of_hours(self, table: Any) -> frozenset[str]:
        key = "out_of_hours.levels"
        levels = table.get("levels") if isinstance(table, Mapping) else None
        if not isinstance(levels, list):
            self.wrong(key, "missing: the levels that reach whoever is on call while the clinic is shut")
            return frozenset()
        for level in levels:
            if level not in LEVELS:
                self.wrong(key, f"{level!r} is none of {', '.join(LEVELS)}")
        if "critical" not in levels:
            self.wrong(key, "'critical' is missing: it cannot wait for the morning")
        for name in sorted(set(table) - {"levels"}):
            self.wrong(f"out_of_hours.{name}", "unknown key; expected levels")
        return frozenset(level for level in levels if level in LEVELS)

    def quiet_hours(self, table: Any) -> QuietHours | None:
        begins, ends = (self.time_of_day(table, "quiet_hours", key) for key in ("from", "until"))
        if begins is None or ends is None:
            return None
        for name in sorted(set(table) - {"from", "until"}):
            self.wrong(f"quiet_hours.{name}", "unknown key; expected from, until")
        quiet = QuietHours(begins, ends)
        if begins == ends:
            self.wrong("quiet_hours.until", f"{ends:%H:%M}: a zero interval")
        elif quiet.length > LONGEST_QUIET:
            self.wrong("quiet_hours.until", f"{begins:%H:%M} to {ends:%H:%M} is most of the day: are the two swapped?")
        return quiet

    def kind(self, kind: Kind, table: Any) -> dict[str, Ladder]:
        key = f"ladder.{kind}"
        if not isinstance(table, Mapping):
            self.wrong(key, "missing: every kind of promise needs a ladder")
            return {}
        for level in sorted(set(table) - set(LEVELS)):
            self.wrong(f"{key}.{level}", f"no such level; expected {', '.join(LEVELS)}")
        if "normal" not in table:
            self.wrong(f"{key}.normal", "missing: the other levels fall back to it")
        found = {level: self.ladder(f"{key}.{level}", table[level]) for level in LEVELS if level in table}
        self.written(kind, key, found)
        return found

    def written(self, kind: Kind, key: str, found: Mapping[str, Ladder]) -> None:
        """A message to a patient needs words, which the kind's own room has."""
        if kinds.of(kind).writes is not None:
            return
        for level, ladder in found.items():
            if any(rung.to is To.PATIENT for rung in ladder.rungs):
                self.wrong(f"{key}.{level}", "'patient': this kind of promise has no words for a patient")

    def ladder(self, key: str, rows: Any) -> Ladder:
        if not isinstance(rows, list) or not rows:
            self.wrong(key, "an empty ladder: nobody would ever be asked")
            return Ladder(rungs=())
        rungs = [self.rung(f"{key}[{index}]", row, last=index == len(rows) - 1) for index, row in enumerate(rows)]
        sound = tuple(r for r in rungs if r is not None)
        if len(sound) == len(rungs):
            self.order(key, sound)
        return Ladder(rungs=sound)

    def order(self, key: str, rungs: tuple[Rung, ...]) -> None:
        latest: dict[From, timedelta] = {}
        moved: set[To | Role] = set()
        for index, rung in enumerate(rungs):
            if rung.after < latest.get(rung.base, ZERO):
                self.wrong(f"{key}[{index}].after", "earlier than a rung before it")
            latest[rung.base] = max(rung.after, latest.get(rung.base, ZERO))
            if rung.do is Do.MOVE and rung.to in moved:
                self.wrong(f"{key}[{index}].to", f"'{rung.to}' a second time: the ladder runs in a loop")
            if rung.do is Do.MOVE:
                moved.add(rung.to)

    def rung(self, key: str, row: Any, *, last: bool) -> Rung | None:
        before = len(self.problems)
        if not isinstance(row, Mapping):
            self.wrong(key, f"{row!r} is not a rung")
            return None
        for name in sorted(set(row) - ALLOWED):
            self.wrong(f"{key}.{name}", f"unknown key; expected {', '.join(sorted(ALLOWED))}")
        do = self.choice(f"{key}.do", row.get("do"), Do)
        rung = Rung(
            after=self.duration(f"{key}.after", row.get("after")),
            base=self.choice(f"{key}.from", row.get("from"), From) or From.DUE,
            do=do or Do.MESSAGE,
            to=self.to(f"{key}.to", row.get("to")),
            channel=str(row.get("channel", "")),
            repeat_every=self.duration(f"{key}.repeat_every", row["repeat_every"]) if "repeat_every" in row else None,
            digest=row.get("digest", False) is True,
            useful_for=self.duration(f"{key}.useful_for", row["useful_for"]) if "useful_for" in row else None,
        )
        if do is not None:
            self.fits(key, rung)
            self.ending(key, rung, last=last)
        return rung if len(self.problems) == before else None

    def fits(self, key: str, rung: Rung) -> None:
        if rung.do is Do.MOVE and not isinstance(rung.to, Role):
            self.wrong(f"{key}.to", f"'{rung.to}': a promise moves to a role")
        if rung.do is Do.MOVE and rung.channel:
            self.wrong(f"{key}.channel", f"'{rung.channel}': a move sends nothing")
        if rung.to is To.PATIENT:
            self.to_patient(key, rung)
        elif rung.useful_for is not None:
            self.wrong(f"{key}.useful_for", "only a message to the patient is of use for a time")
        elif rung.do is Do.MESSAGE and rung.channel not in self.channels:
            self.wrong(f"{key}.channel", f"'{rung.channel}' is none of {', '.join(sorted(self.channels))}")
        if rung.digest and (rung.do is Do.MOVE or not isinstance(rung.to, Role)):
            self.wrong(f"{key}.digest", "only a message to a role can wait for the digest")

    def to_patient(self, key: str, rung: Rung) -> None:
        if rung.channel not in set(Which):
            self.wrong(f"{key}.channel", f"'{rung.channel}' is none of {', '.join(Which)}")
        if rung.useful_for is None or rung.useful_for <= ZERO:
            self.wrong(f"{key}.useful_for", "missing: until when the message is of use to the patient")

    def ending(self, key: str, rung: Rung, *, last: bool) -> None:
        if not last:
            if rung.repeat_every is not None:
                self.wrong(f"{key}.repeat_every", "only the last rung repeats")
            return
        if rung.repeat_every is None:
            self.wrong(f"{key}.repeat_every", "missing: the last rung repeats until the promise is kept")
        elif rung.repeat_every <= ZERO:
            self.wrong(f"{key}.repeat_every", "a zero interval")
        if rung.do is Do.MOVE or not isinstance(rung.to, Role):
            self.wrong(f"{key}.to", f"'{rung.to}': a ladder ends in a message to a role, which is never empty")

    def choice(self, key: str, value: Any, values: Any) -> Any:
        try:
            return values(value)
        except ValueError:
            self.wrong(key, f"{value!r} is none of {', '.join(values)}")
            return None

    def to(self, key: str, value: Any) -> To | Role:
        for values in (To, Role):
            if value in set(values):
                return values(value)
        self.wrong(key, f"{value!r} is neither {', '.join(To)} nor a role ({', '.join(Role)})")
        return To.OWNER

    def duration(self, key: str, value: Any) -> timedelta:
        try:
            return parse_duration(value)
        except ValueError as error:
            self.wrong(key, str(error))
            return ZERO
