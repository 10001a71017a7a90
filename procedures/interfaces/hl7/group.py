"""One order (OBR with its ORC) while its message is read, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from procedures.domain.report import Coded, Group, Moment, Observation, Person, Place, SpecimenRead, Standing, Unread
from procedures.interfaces.hl7 import specimen, standings
from procedures.interfaces.hl7.charset import DAMAGED
from procedures.interfaces.hl7.fields import Fields
from procedures.interfaces.hl7.moments import Moments
from procedures.interfaces.hl7.observation import time_remarks
from procedures.interfaces.hl7.segments import Segment
from procedures.interfaces.hl7.wording import unread

PLACER, FILLER, SERVICE, COLLECTED, RECEIVED, SOURCE, PROVIDER, REPORTED, STATUS = 2, 3, 4, 7, 14, 15, 16, 22, 25
LATE, PARENT = 26, 29


@dataclass(slots=True)
class Draft:
    """``order`` None: observations, or an ORC, without an OBR. ``person``: whom the message spoke of last."""

    place: Place
    person: Person | None
    order: Segment | None = None
    control: Segment | None = None
    specimens: list[SpecimenRead] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    standing: Standing = Standing.UNKNOWN
    standing_written: str = ""

    def say(self, fields: Fields) -> None:
        """What the order says of itself: needed before its observations are read."""
        if self.order is None:
            return
        written = fields.first(self.order.field(STATUS))
        late = self.order.field(LATE).upper()
        if not written and len(late) == 1 and late in standings.ORDER:
            written = late
        self.standing_written, self.standing = written, standings.of_order(written)

    def numbers(self, fields: Fields) -> set[str]:
        """The placer's and the filler's number, for telling which ORC belongs here."""
        return numbers(self.order, fields) if self.order else set()


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """``source``: OBR-15 said what the specimen is, so that no other may be assumed."""

    group: Group
    source: bool
    remarks: tuple[Unread, ...]


def numbers(segment: Segment, fields: Fields) -> set[str]:
    return {number for number in (_number(segment, PLACER, fields), _number(segment, FILLER, fields)) if number}


def finish(draft: Draft, fields: Fields, moments: Moments) -> Finished:
    order, control = draft.order, draft.control
    times = {number: _moment(order, number, fields, moments) for number in (COLLECTED, RECEIVED, REPORTED)}
    found = specimen.source(order.field(SOURCE), fields) if order else None
    specimens = tuple(specimen.completed(one, found) for one in draft.specimens)
    if not specimens and found is not None:
        specimens = (specimen.from_source(found, times[COLLECTED], times[RECEIVED]),)
    own = [unread("damaged_characters", draft.place)] if order and DAMAGED in order.field(SERVICE) else []
    group = Group(
        place=draft.place,
        placer_number=_either(order, control, PLACER, fields),
        filler_number=_either(order, control, FILLER, fields),
        service=fields.coded(order.field(SERVICE)) if order else Coded(),
        standing=draft.standing,
        standing_written=draft.standing_written,
        order_control=fields.first(control.field(1)).upper() if control else "",
        specimens=specimens,
        collected_at=times[COLLECTED],
        received_at=times[RECEIVED],
        reported_at=times[REPORTED],
        ordered_by=_provider(order.field(PROVIDER) if order else "", control.field(12) if control else "", fields),
        observations=tuple(draft.observations),
        notes=tuple(draft.notes),
        parent_number=_parent(order.field(PARENT), fields) if order else "",
        problems=(*own, *(problem for one in draft.observations for problem in one.problems)),
    )
    odd = [code for moment in times.values() for code in time_remarks(moment)]
    return Finished(group=group, source=found is not None, remarks=tuple(unread(code, draft.place) for code in odd))


def shared(finished: list[Finished]) -> list[Group]:
    """An order without a specimen has the one of the orders with its filler number, or the only one of the message:
    as long as nothing speaks against it (an OBR-15 of its own, another time of collection)."""
    drawn: dict[SpecimenRead, Moment | None] = {}
    by_filler: dict[str, dict[SpecimenRead, None]] = {}
    for each in finished:
        for one in () if each.source else each.group.specimens:
            drawn.setdefault(one, one.collected_at or each.group.collected_at)
            if each.group.filler_number:
                by_filler.setdefault(each.group.filler_number, {})[one] = None
    groups = []
    for each in finished:
        group = each.group
        if not group.specimens:
            near = list(by_filler.get(group.filler_number, ()))
            found = near if len(near) == 1 else list(drawn) if len(drawn) == 1 else []
            if found and _same_time(group.collected_at, drawn[found[0]]):
                group = replace(group, specimens=(replace(found[0], shared=True),))
        groups.append(group)
    return groups


def _same_time(one: Moment | None, other: Moment | None) -> bool:
    if one is None or other is None or one.at is None or other.at is None:
        return True
    if one.to_the_day or other.to_the_day:
        return one.at.date() == other.at.date()
    return one.at == other.at


def _moment(order: Segment | None, number: int, fields: Fields, moments: Moments) -> Moment | None:
    if order is None:
        return None
    return moments.read(fields.separators.components(order.field(number))[0])


def _either(order: Segment | None, control: Segment | None, number: int, fields: Fields) -> str:
    """Of the order; where it says nothing, of its ORC, whose second and third field are the same."""
    return next((found for one in (order, control) if one and (found := _number(one, number, fields))), "")


def _number(segment: Segment, number: int, fields: Fields) -> str:
    """EI: the number stands first; in its place nothing else may (``^SCM`` is a name without a number)."""
    repetitions = fields.repetitions(segment.field(number))
    return fields.parts(repetitions[0])[0] if repetitions else ""


def _parent(field_text: str, fields: Fields) -> str:
    """OBR-29, EIP: the filler's number of the parent, else the placer's."""
    repetitions = fields.repetitions(field_text)
    if not repetitions:
        return ""
    placer, filler = [*fields.separators.components(repetitions[0]), ""][:2]
    return fields.subparts(filler)[0] or fields.subparts(placer)[0]


def _provider(ordered: str, control: str, fields: Fields) -> str:
    """XCN: ``Family, Given (number)``."""
    repetitions = fields.repetitions(ordered) or fields.repetitions(control)
    if not repetitions:
        return ""
    number, family, given = [*fields.parts(repetitions[0]), "", "", ""][:3]
    name = ", ".join(part for part in (family, given) if part)
    return f"{name} ({number})" if name and number else name or number
