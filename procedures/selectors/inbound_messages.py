"""One message of a laboratory as a page shows it: its segments, what was read from each, and what it changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import F, Func, IntegerField, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from procedures.domain import said
from procedures.domain.report import Group, Moment, Observation, Place, Report, SpecimenRead, Unread
from procedures.models import InboundItem, InboundMessage
from procedures.models.inbound import ItemState
from procedures.selectors import reason_words

#: More segments than this are counted and not shown: nobody reads them.
MOST_SEGMENTS = 1000
#: Characters of one segment; an embedded document is a download.
LONGEST = 2000
#: Bytes of what is no message.
PREVIEW = 2000
#: A laboratory takes back what it sent within this time.
LATER = timedelta(days=90)


@dataclass(frozen=True)
class Line:
    """A segment as it stands in the message, and what was made of it."""

    place: str
    line: int
    text: str
    cut: bool
    read: tuple[str, ...]
    problems: tuple[str, ...]
    items: tuple[InboundItem, ...]
    document: bool = False


@dataclass(frozen=True)
class ItemRow:
    """A part, and in words why it waits."""

    item: InboundItem
    reasons: list[str]


@dataclass(frozen=True)
class Shown:
    """The whole message."""

    lines: tuple[Line, ...]
    more: int
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    report: Report | None


def search(*, control_id: str = "", day: date | None = None, state: str = "") -> QuerySet[InboundMessage]:
    """The newest first."""
    rows = InboundMessage.objects.defer("raw").select_related("laboratory").order_by("-pk")
    if control_id.strip():
        rows = rows.filter(control_id=control_id.strip())
    if day is not None:
        begin = datetime.combine(day, time(0), tzinfo=timezone.get_default_timezone())
        rows = rows.filter(received_at__gte=begin, received_at__lt=begin + timedelta(days=1))
    return rows.filter(state=state) if state else rows


def items_of(message: InboundMessage) -> list[InboundItem]:
    """Its parts, with everything that a page says of them: one query."""
    rows = message.items.select_related("procedure__patient", "test", "version", "decided_by")
    return list(rows.order_by("pk"))


def patients_of(items: Iterable[InboundItem]) -> set[int]:
    """Whom the page of a message shows."""
    found = {item.patient_id for item in items} | {item.procedure.patient_id for item in items if item.procedure}
    return {pk for pk in found if pk is not None}


def shown(segments: Sequence[tuple[Place, str]], report: Report, items: Iterable[InboundItem]) -> Shown:
    """Each segment beside what was read from it."""
    by_line = _read(report)
    by_place: dict[str, list[InboundItem]] = defaultdict(list)
    for item in items:
        by_place[item.place.rpartition("/")[2]].append(item)
    problems: dict[int, list[str]] = defaultdict(list)
    for problem in (*report.problems, *report.remarks):
        if problem.place is not None:
            problems[problem.place.line].append(problem.words)
    documents = {o.place.line for group in report.groups for o in group.observations if o.document is not None}
    lines = tuple(
        Line(
            place=str(place),
            line=place.line,
            text=text[:LONGEST],
            cut=len(text) > LONGEST,
            read=tuple(by_line.get(place.line, ())),
            problems=tuple(dict.fromkeys(problems[place.line])),
            items=tuple(by_place[str(place)]),
            document=place.line in documents,
        )
        for place, text in segments[:MOST_SEGMENTS]
    )
    return Shown(
        lines=lines,
        more=max(0, len(segments) - MOST_SEGMENTS),
        problems=_whole(report.problems),
        remarks=_whole(report.remarks),
        report=report,
    )


def preview(raw: bytes) -> str:
    """The beginning of what is no message: plain characters, everything else as a point."""
    return "".join(chr(byte) if 32 <= byte < 127 or byte in (10, 13) else "·" for byte in raw[:PREVIEW])


def rows_of(items: Iterable[InboundItem]) -> list[ItemRow]:
    return [ItemRow(item, reason_words.words(item.reasons)) for item in items]


def undone_by(items: Iterable[InboundItem]) -> set[int]:
    """Versions that a person attached and may take back."""
    return {
        item.version_id
        for item in items
        if item.state == ItemState.APPLIED and item.version_id is not None and item.decided_by_id is not None
    }


def _whole(problems: Iterable[Unread]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(problem.words for problem in problems if problem.place is None))


def _read(report: Report) -> dict[int, list[str]]:
    """What was read, by the number of the segment."""
    found: dict[int, list[str]] = defaultdict(list)
    for group in report.groups:
        found[group.place.line] += list(_of_group(group))
        for observation in group.observations:
            found[observation.place.line] += list(_of_observation(observation))
    return found


def _of_group(group: Group) -> Iterable[str]:
    service = group.service
    yield " · ".join(text for text in (service.text, service.loinc or service.local, str(group.standing)) if text)
    times = (("taken", group.collected_at), ("received", group.received_at), ("reported", group.reported_at))
    said_times = [f"{word} {_time(moment)}" for word, moment in times if moment is not None]
    if said_times:
        yield ", ".join(said_times)
    for specimen in group.specimens:
        yield _specimen(specimen)


def _specimen(specimen: SpecimenRead) -> str:
    parts = ["/".join(specimen.numbers), specimen.fluid_text, *specimen.reject_reasons]
    return " · ".join(part for part in parts if part)


def _of_observation(observation: Observation) -> Iterable[str]:
    code = observation.code
    yield " · ".join(text for text in (code.text, code.loinc or code.local, str(observation.standing)) if text)
    value = said.text_of(observation)
    if value:
        flags = f" [{', '.join(observation.flags)}]" if observation.flags else ""
        yield f"{value}{flags}"
    yield from observation.notes


def _time(moment: Moment) -> str:
    if moment.at is None:
        return f"? ({moment.written})"
    return f"{timezone.localtime(moment.at):%d %b %Y %H:%M}"


def later_with(message: InboundMessage, numbers: Collection[str], *, most: int) -> list[InboundMessage]:
    """The newest messages of the same sender after this one in whose bytes one of the numbers stands, oldest first."""
    if not numbers or not message.sender:
        return []
    named = Q()
    for number in sorted(numbers):
        place: Any = Func(
            Value(number.encode()), F("raw"), template="position(%(expressions)s)", arg_joiner=" in ",
            output_field=IntegerField(),
        )  # fmt: skip
        named |= Q(GreaterThan(place, 0))
    until = message.received_at + LATER
    rows = InboundMessage.objects.filter(sender=message.sender, pk__gt=message.pk, received_at__lt=until)
    return list(reversed(rows.filter(named).order_by("-pk")[:most]))
