"""One observation (OBX) and the text of notes (NTE)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from procedures.domain.report import Coded, Moment, Observation, Place, Standing, Unread
from procedures.interfaces.hl7 import standings, values
from procedures.interfaces.hl7.charset import DAMAGED
from procedures.interfaces.hl7.fields import Fields
from procedures.interfaces.hl7.moments import Moments, says_nothing
from procedures.interfaces.hl7.segments import Segment
from procedures.interfaces.hl7.wording import unread

TYPE, CODE, SUB_ID, VALUE, UNIT, RANGE, FLAGS, STATUS, OBSERVED = 2, 3, 4, 5, 6, 7, 8, 11, 14
#: So many fields late a status is still found.
LATE = (1, 2)
#: NTE-2 is a source of one letter; text of more than this stands in the wrong field.
SOURCE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    observation: Observation
    remarks: tuple[Unread, ...]


def observation(segment: Segment, fields: Fields, moments: Moments, *, order: Standing) -> Found:
    """``order``: what its order says of itself, for an observation that says nothing."""
    place = segment.place
    kind = segment.field(TYPE).upper()
    shifted = _shifted(segment, kind, fields)
    segment = shifted or segment
    read = values.value(kind, segment.field(VALUE), fields)
    code = fields.coded(segment.field(CODE))
    written, standing, remark = _standing(segment, order, has_value=bool(read.readings or read.document))
    observed = moments.read(fields.separators.components(segment.field(OBSERVED))[0])
    problems = [code for code in (read.problem, "fields_shifted" if shifted else "") if code]
    if not (code.loinc or code.local or code.text):
        problems.append("no_code")
    if DAMAGED in segment.text and any(DAMAGED in segment.field(number) for number in (CODE, VALUE, UNIT)):
        problems.append("damaged_characters")
    odd = [one for one in (read.remark, remark, *time_remarks(observed)) if one]
    if "\n" in segment.text:
        odd.append("field_broken_into_lines")
    return Found(
        observation=Observation(
            place=place,
            code=code,
            sub_id=fields.text(segment.field(SUB_ID)),
            value_type=kind,
            readings=read.readings,
            document=read.document,
            unit=values.unit(segment.field(UNIT), fields) or read.unit,
            reference_range=fields.text(segment.field(RANGE)),
            flags=_flags(segment.field(FLAGS), fields),
            standing=standing,
            standing_written=written,
            observed_at=observed,
            notes=(),
            problems=tuple(unread(problem, place) for problem in problems),
        ),
        remarks=tuple(unread(one, place) for one in odd),
    )


def unreadable(place: Place) -> Observation:
    """What is left of an observation that nothing could be made of: its place, and a question."""
    return Observation(
        place=place, code=Coded(), sub_id="", value_type="", readings=(), document=None, unit="", reference_range="",
        flags=(), standing=Standing.UNKNOWN, standing_written="", observed_at=None, notes=(),
        problems=(unread("unreadable", place),),
    )  # fmt: skip


def note(segment: Segment, fields: Fields) -> str:
    """NTE-3, its repetitions as lines; text that stands one field early or late is taken there."""
    text = segment.field(3)
    if not text:
        early, late = segment.field(2), segment.field(4)
        text = early if len(early) > SOURCE else late if len(late) > SOURCE and "^" not in late else ""
    return "\n".join(fields.text(one) for one in fields.separators.repetitions(text)).strip()


def time_remarks(moment: Moment | None) -> list[str]:
    if moment is None or says_nothing(moment.written):
        return []
    if moment.at is None:
        return ["time_unreadable"]
    return ["time_doubtful"] if moment.doubtful else []


def _standing(segment: Segment, order: Standing, *, has_value: bool) -> tuple[str, Standing, str]:
    """As written, what it means, and a remark. One or two fields late counts when the field itself is empty.

    An observation that says nothing has the standing of its order where that is final, preliminary or a correction.
    """
    written = segment.field(STATUS)
    if written:
        return written, standings.of_observation(_letter(written), has_value=has_value), ""
    for late in LATE:
        if (letter := segment.field(STATUS + late).upper()) in standings.LETTERS:
            return letter, standings.of_observation(letter, has_value=has_value), "status_late"
    if order in standings.LENT:
        return "", order, "status_of_order"
    return "", Standing.UNKNOWN, ""


def _shifted(segment: Segment, kind: str, fields: Fields) -> Segment | None:
    """The segment put right when everything after its code stands one or two fields late, its status too.

    Believed of numbers only, where the number is seen to stand in the wrong field; and even so it stays a question.
    """
    if kind not in ("NM", "SN") or segment.field(VALUE) or segment.field(STATUS):
        return None
    for late in LATE:
        if segment.field(STATUS + late).upper() not in standings.LETTERS or segment.field(VALUE + late - 1):
            continue
        read = values.value(kind, segment.field(VALUE + late), fields)
        if read.readings and all(reading.number for reading in read.readings):
            return replace(segment, fields=[*segment.fields[:VALUE], *segment.fields[VALUE + late :]])
    return None


def _letter(written: str) -> str:
    """``F``, and ``F^Final^HL70085``."""
    return written if len(written) == 1 or not written[1:2] or written[1].isalnum() else written[0]


def _flags(field: str, fields: Fields) -> tuple[str, ...]:
    if not field:
        return ()
    firsts = (next((part for part in fields.parts(one) if part), "") for one in fields.repetitions(field))
    return tuple(dict.fromkeys(flag for flag in firsts if flag))
