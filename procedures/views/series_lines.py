"""The lines of a page that books or moves several at once: proposed, typed over, left out, refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.errors import DomainError
from clinic.models import Room, User
from clinic.roles import Role
from clinic.wording import translated
from procedures.domain import series as rules
from procedures.domain.series import Gap, Proposal
from procedures.forms.series import TapForm
from procedures.models import Procedure
from procedures.selectors import series as selector
from procedures.selectors import slots as slot_selector
from procedures.services import slots
from procedures.services.series import Tap
from procedures.services.slots import OutsideHours

#: No page has more lines.
MOST_LINES = 99


@dataclass
class Line:
    """One line as the page shows it."""

    form: TapForm
    number: int
    case: Procedure | None = None
    gap: Gap | None = None
    is_wide: bool = False
    refused: list[str] = field(default_factory=list)

    @property
    def picked(self) -> bool:
        return bool(self.form["picked"].value())

    @property
    def why(self) -> str:
        return str(self.form["why"].value() or "")

    @property
    def gap_words(self) -> str:
        return selector.distance_words(self.gap)


@dataclass
class Lines:
    """All lines of a page. ``after`` and ``following``: the days of the taps around them; ``warned``: distances the
    page has warned of already.
    """

    lines: list[Line]
    interval_days: int
    tolerance_days: int
    after: date | None = None
    warned: str = ""
    following: date | None = None
    next_gap: Gap | None = None

    def __post_init__(self) -> None:
        self._measure()

    @property
    def is_valid(self) -> bool:
        return all(line.form.is_valid() for line in self.lines)

    @property
    def picked(self) -> list[Line]:
        return [line for line in self.lines if line.picked]

    @property
    def wide(self) -> list[Line]:
        return [line for line in self.lines if line.is_wide]

    @property
    def next_words(self) -> str:
        """What becomes of the distance to the one that follows and stays where it is, where that is too much."""
        if self.next_gap is None or self.following is None or not self.next_gap.is_beyond(self.tolerance_days):
            return ""
        day = date_format(self.following, "D j M")
        return _("The one that follows stays on %(day)s: %(distance)s.") % {
            "day": day,
            "distance": selector.distance_words(self.next_gap),
        }

    @property
    def warning(self) -> str:
        """Which distances the page warns of now."""
        return ",".join(f"{line.form.prefix}:{line.gap.days}" for line in self.wide if line.gap)

    @property
    def must_warn(self) -> bool:
        """A distance beyond the tolerance that nobody has been warned of yet."""
        return not set(filter(None, self.warning.split(","))) <= set(self.warned.split(","))

    def without(self, rows: Collection[str]) -> None:
        """Leave out the lines of these rows: the confirmed rest is booked."""
        for line in self.lines:
            if str(line.number) in rows:
                line.form.data = {**_plain(line.form.data), f"{line.form.prefix}-picked": ""}
                line.form.full_clean()
        self._measure()

    def refuse(self, refused: Mapping[int, DomainError]) -> None:
        for line in self.lines:
            if line.number in refused:
                line.refused = _reasons(refused[line.number])

    @property
    def refused_rows(self) -> str:
        return ",".join(str(line.number) for line in self.lines if line.refused)

    @property
    def rest(self) -> int:
        """How many can be booked without those that were refused."""
        return sum(not line.refused for line in self.picked)

    def taps(self, cases: Mapping[str, Procedure] | None = None) -> list[Tap]:
        """What the service takes; of a valid page alone."""
        return [
            Tap(
                row=line.number,
                start=data["start"],
                room=data["room"],
                operator=data["operator"],
                case=(cases or {}).get(data["case"]),
                seen=data["seen"],
            )
            for line in self.picked
            for data in (line.form.cleaned_data,)
        ]

    def _measure(self) -> None:
        """The distances between what is picked, in order of day."""
        days = [(day, line) for line in self.lines if line.picked and (day := _day(line.form)) is not None]
        days.sort(key=lambda pair: pair[0])
        before = [self.after] if self.after else []
        found = rules.gaps([*before, *(day for day, _line in days)], self.interval_days)[len(before) :]
        for line in self.lines:
            line.gap, line.is_wide = None, False
        for (_date, line), gap in zip(days, found, strict=True):
            line.gap = gap
            line.is_wide = gap is not None and gap.is_beyond(self.tolerance_days)
        last = days[-1][0] if days else None
        self.next_gap = rules.gaps([last, self.following], self.interval_days)[1] if last and self.following else None


@dataclass(frozen=True)
class Choices:
    """What the lines offer, read once."""

    rooms: tuple[Room, ...]
    operators: tuple[User, ...]

    @classmethod
    def of(cls, location: str) -> Choices:
        rooms = slot_selector.rooms_for(Procedure(location=location))
        return cls(tuple(rooms), tuple(User.objects.holding(Role.PHYSICIAN).order_by("full_name", "pk")))


def proposed(
    proposals: Sequence[Proposal], choices: Choices, operators: Sequence[User | None], cases: Sequence[Procedure] = ()
) -> list[Line]:
    """Lines from proposals; one that fits nowhere stands there unpicked, with its wish."""
    zone = timezone.get_default_timezone()
    lines = []
    for number, proposal in enumerate(proposals, start=1):
        case = cases[number - 1] if cases else None
        slot = proposal.slot
        local = timezone.localtime(slot.start, zone) if slot else None
        initial = {
            "picked": slot is not None,
            "day": local.date() if local else proposal.wanted.day,
            "at": local.time() if local else proposal.wanted.at,
            "room": slot.room.pk if slot and slot.room else proposal.wanted.room,
            "operator": operators[number - 1].pk if operators[number - 1] else None,  # type: ignore[union-attr]
            "case": case.code if case else "",
            "seen": slots.token(case) if case else "",
            "why": "; ".join(selector.sentences(proposal)),
        }
        form = TapForm(prefix=f"t{number}", initial=initial, rooms=choices.rooms, operators=choices.operators)
        lines.append(Line(form=form, number=number, case=case))
    return lines


def typed(request: HttpRequest, choices: Choices, cases: Mapping[str, Procedure] | None = None) -> list[Line]:
    """The lines as they were sent."""
    try:
        count = min(int(request.POST.get("lines", "0")), MOST_LINES)
    except ValueError:
        count = 0
    lines = []
    for number in range(1, count + 1):
        form = TapForm(request.POST, prefix=f"t{number}", rooms=choices.rooms, operators=choices.operators)
        case = (cases or {}).get(request.POST.get(f"t{number}-case", ""))
        lines.append(Line(form=form, number=number, case=case))
    return lines


def _day(form: TapForm) -> date | None:
    if form.is_bound:
        form.is_valid()
        day = form.cleaned_data.get("day")
        return day if isinstance(day, date) else None
    return form.initial.get("day")


def _reasons(error: DomainError) -> list[str]:
    if isinstance(error, OutsideHours):
        return [slot_selector.sentence(reason) for reason in error.reasons]
    return [translated(error)]


def _plain(data: Any) -> dict[str, Any]:
    return {name: data.get(name) for name in data}
