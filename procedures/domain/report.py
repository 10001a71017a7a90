"""A laboratory's message as it was read: who sent it, of whom it speaks, and what it says. Pure.

Whatever reads a format (HL7 v2 today) makes a :class:`Report`; matching and applying know nothing of the format.
Nothing here is judged: an unknown code, an empty identifier, a time without a zone stay what they are, and
``problems`` says in words what could not be read. All texts are plain characters: escapes are resolved, markup is
text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

#: A message of these is for training or debugging, and its patient may be nobody's (HL7 table 0103).
NOT_PRODUCTION = frozenset({"T", "D"})


class Standing(StrEnum):
    """What a laboratory says of a result (HL7 tables 0085 and 0123), without the letters."""

    PENDING = "pending"  # I, O, and R, S without a value: ordered, received or in process; there is no result yet
    PRELIMINARY = "preliminary"  # P, R (not verified) and S (partial) with a value; of an order also A, M
    FINAL = "final"  # F, V (verified again), U (what was sent as preliminary is final: usually without the value)
    CORRECTED = "corrected"  # C
    AMENDED = "amended"  # A, B: text added or changed, the values stand
    CANCELLED = "cancelled"  # X, and N (not asked for) without a value: there will be none
    WRONG = "wrong"  # W: posted to the wrong patient; the value is still in the message and must disappear
    DELETED = "deleted"  # D
    UNKNOWN = "unknown"  # empty or not of the tables: a question, never final


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A segment of the message, to show and to remember: ``OBX`` 3 is the third OBX, ``line`` counts all segments."""

    segment: str
    number: int
    line: int

    def __str__(self) -> str:
        return f"{self.segment}[{self.number}]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """Something that could not be read: where, a stable code, and a sentence for people."""

    place: Place | None
    code: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Coded:
    """A code with its system as the laboratory names it. ``loinc``: the code that is LOINC's, wherever it stood.

    ``loinc_assumed``: it has the shape and the check digit of one, but no system was named (it is in ``local`` too).
    ``also_called``: every other name that came with the code.
    """

    loinc: str = ""
    local: str = ""
    local_system: str = ""
    text: str = ""
    loinc_assumed: bool = False
    also_called: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A time as it was written. ``at`` is aware (the sender's zone filled in when none was said); None: unreadable.

    ``to_the_day``: only a date was said, or midnight exactly, which laboratories write when they do not know the hour.
    ``zone_assumed``: no zone was said. ``doubtful``: the hour that the clocks skip (read as the one after) or repeat
    (read as the first).
    """

    written: str
    at: datetime | None
    to_the_day: bool = False
    zone_assumed: bool = False
    doubtful: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Identifier:
    """A number and who gave it; either may be empty, then it identifies nobody.

    ``authority`` is the name, or where there is none the universal number (an OID), which is in ``authority_id`` too.
    """

    value: str
    authority: str
    kind: str = ""  # MR, PI, AN … as sent
    authority_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """The patient as the message names them; several names when it has several."""

    identifiers: tuple[Identifier, ...]
    family_names: tuple[str, ...]
    given_names: tuple[str, ...]
    birth_date: date | None
    sex: str = ""
    middle_names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """An embedded document: offered as a download, never shown. ``content`` decoded; ``truncated``: it ends early."""

    media_type: str
    content: bytes
    truncated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One value of an observation.

    ``text`` is what to show. ``number`` with ``comparator`` (``<``, ``<=``, ``>``, ``>=`` or empty) when it is one;
    ``coded`` when it is a code. A ratio or range (SN) has ``separator`` and ``second``.
    """

    text: str
    number: str = ""  # as written, a decimal: exact
    comparator: str = ""
    separator: str = ""
    second: str = ""
    coded: Coded | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One OBX with the notes that follow it. With ``problems`` it is a question: nothing of it may be entered."""

    place: Place
    code: Coded
    sub_id: str
    value_type: str
    readings: tuple[Reading, ...]
    document: Document | None
    unit: str
    reference_range: str
    flags: tuple[str, ...]  # as sent: H, L, HH, A, AA …; shown, never graded
    standing: Standing
    standing_written: str
    observed_at: Moment | None
    notes: tuple[str, ...]
    problems: tuple[Unread, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SpecimenRead:
    """The specimen as the message names it: numbers, what it is, and what is wrong with it.

    ``shared``: the message says it once, under another service (one SPM for four OBR).
    """

    numbers: tuple[str, ...]  # SPM-2, SPM-30, filler's: accession numbers to look for
    fluid_text: str  # SPM-4, OBR-15, or the test's own words
    source_text: str
    collected_at: Moment | None
    received_at: Moment | None
    reject_reasons: tuple[str, ...]  # SPM-21, SPM-24 conditions (haemolysed, quantity not sufficient …), in words
    fluid_codes: tuple[str, ...] = ()  # the codes of SPM-4 or OBR-15 as sent: CSF, 258450006 …
    shared: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """One OBR: a service that was ordered, its specimens and what was found.

    ``patient`` is set only where the message speaks of several patients; then the report's own is None.
    ``problems`` are its own and those of its observations.
    """

    place: Place
    placer_number: str
    filler_number: str
    service: Coded
    standing: Standing
    standing_written: str
    order_control: str  # ORC-1 as sent (RE, CA, …)
    specimens: tuple[SpecimenRead, ...]
    collected_at: Moment | None  # OBR-7
    received_at: Moment | None  # OBR-14
    reported_at: Moment | None  # OBR-22
    ordered_by: str
    observations: tuple[Observation, ...]
    notes: tuple[str, ...]
    parent_number: str = ""  # OBR-29: the filler number of the service this one follows (susceptibilities of a culture)
    patient: Person | None = None
    problems: tuple[Unread, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """MSH-3 and MSH-4, the first component of each."""

    application: str
    facility: str

    def __str__(self) -> str:
        return f"{self.application}|{self.facility}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One message. ``patient`` is None when nobody is named, or several are; ``groups`` may be empty.

    ``problems``: everything that could not be read, those of groups and observations included. ``remarks``: what was
    read though it was not written as the standard says (a status one field late, another character set than the
    message claims). ``other_segments``: those of which nothing is in here.
    """

    sender: Sender
    control_id: str
    message_type: str  # "ORU^R01"
    version: str
    sent_at: Moment | None
    patient: Person | None
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
    problems: tuple[Unread, ...]
    remarks: tuple[Unread, ...] = ()
    other_segments: tuple[Place, ...] = ()
    processing: str = ""  # MSH-11, first part: P production, T training, D debugging
    charset: str = ""  # what the bytes were read as

    @property
    def is_production(self) -> bool:
        """What says nothing of it is taken as such."""
        return self.processing not in NOT_PRODUCTION
