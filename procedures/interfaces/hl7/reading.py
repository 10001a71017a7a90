"""A message into a :class:`~procedures.domain.report.Report`: tolerant in what it takes, strict in what it claims.

``read`` goes through the segments once, in their order. A note belongs to what stood before it (an observation, an
order, the patient); a specimen to the order before it, or, in messages that begin with specimens (OUL), to the orders
after it. Nothing is dropped: what is not understood is listed in ``other_segments``, what could not be read in
``problems``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from procedures.domain.report import Group, Observation, Person, Place, Report, SpecimenRead, Standing, Unread
from procedures.interfaces.hl7 import group, observation, person, segments, specimen
from procedures.interfaces.hl7.charset import DAMAGED, Decoded
from procedures.interfaces.hl7.fields import Fields
from procedures.interfaces.hl7.group import Draft, Finished
from procedures.interfaces.hl7.header import Header, NotAMessage
from procedures.interfaces.hl7.moments import Moments
from procedures.interfaces.hl7.segments import Segment
from procedures.interfaces.hl7.wording import unread

#: Messages that carry results. One without a type is taken as one; an order (OML, ORM) has observations that are none.
RESULTS = frozenset({"", "ORU", "OUL", "ORL", "ORF", "OPU", "ORA"})
#: So many places of lost characters are named one by one.
MOST_DAMAGES = 20


def read(raw: bytes, *, zone: str, charset_default: str = "", most_segments: int | None = None) -> Report:
    """``zone``: the sender's, for times without one. Raises NotAMessage, and nothing else whatever the bytes are.

    ``most_segments``: a longer message is refused as a whole; nobody reads it, and nothing of it may be entered.
    """
    head, whole = segments.decoded(raw, charset_default)
    reader = _Reader(head, whole, zone)
    for count, segment in enumerate(segments.read(whole.text, head.separators), start=1):
        if most_segments is not None and count > most_segments:
            raise NotAMessage("too_many_segments", "It has more segments than any result.")
        reader.take(segment)
    return reader.report()


def _refused(one: Group, problem: Unread) -> Group:
    """With the problem at everything in it."""
    observations = tuple(replace(seen, problems=(*seen.problems, problem)) for seen in one.observations)
    return replace(one, observations=observations, problems=(*one.problems, problem))


class _Reader:
    def __init__(self, head: Header, whole: Decoded, zone: str) -> None:
        self.head, self.whole = head, whole
        self.fields = Fields(head.separators, whole.charset)
        self.moments = Moments(zone, head.sent_written)
        self.finished: list[Finished] = []
        self.persons: list[Person | None] = []
        self.group_persons: list[Person | None] = []
        self.notes: list[str] = []
        self.problems: list[Unread] = []
        self.remarks = [Unread(place=None, code=code, words=words) for code, words in whole.remarks]
        self.others: list[Place] = []
        self.damages = 0
        self.group: Draft | None = None
        self.open: Observation | None = None
        self.open_notes: list[str] = []
        self.note_list = self.notes
        self.control: Segment | None = None
        self.control_notes: list[str] = []
        self.block: list[SpecimenRead] = []
        self.block_notes: list[str] = []
        self.block_used = True
        self.leading: bool | None = None  # specimens stand before their orders; None: no telling yet
        self.last: Segment | None = None
        self.over = False
        self.takers: dict[str, Callable[[Segment], None]] = {
            "MSH": self.take_header, "PID": self.take_patient, "ORC": self.take_control, "OBR": self.take_order,
            "OBX": self.take_observation, "NTE": self.take_note, "SPM": self.take_specimen, "SAC": self.take_container,
            "DSC": self.take_continuation,
        }  # fmt: skip

    def take(self, segment: Segment) -> None:
        taker = self.takers.get(segment.name)
        if taker is None or (self.over and segment.name != "MSH"):
            self.others.append(segment.place)
            return
        self.last = segment
        if self.whole.damaged and segment.name != "OBX" and DAMAGED in segment.text and self.damages < MOST_DAMAGES:
            self.damages += 1
            self.problems.append(unread("damaged_characters", segment.place))
        try:
            taker(segment)
        except (ValueError, LookupError, ArithmeticError, TypeError):  # this one segment; the rest is read all the same
            self.take_broken(segment)

    # --- one kind of segment each --------------------------------------------------------------

    def take_header(self, segment: Segment) -> None:
        if segment.number > 1 and not self.over:
            self.over = True
            self.problems.append(unread("second_message", segment.place))

    def take_patient(self, segment: Segment) -> None:
        self.close_group()
        self.drop_control()
        self.block, self.block_notes, self.block_used = [], [], True
        found = person.patient(segment, self.fields)
        self.persons.append(found.person)
        self.note_list = self.notes
        if found.problem:
            self.problems.append(unread(found.problem, segment.place))

    def take_control(self, segment: Segment) -> None:
        """Before its order, or after it (OUL): then the numbers are those of the order before."""
        self.close_observation()
        current = self.group
        if current and current.order and not current.control and not current.observations:
            own = group.numbers(segment, self.fields)
            if own and own <= current.numbers(self.fields):
                current.control = segment
                self.note_list = current.notes
                return
        self.drop_control()
        self.control, self.control_notes = segment, []
        self.note_list = self.control_notes

    def take_order(self, segment: Segment) -> None:
        self.close_group()
        self.group = self.draft(segment.place)
        self.group.order = segment
        self.group.say(self.fields)
        self.note_list = self.group.notes

    def take_observation(self, segment: Segment) -> None:
        self.close_observation()
        if self.group and self.control and not self.group.control:  # an ORC after its order, without numbers
            self.group.control, self.control = self.control, None
            self.group.notes += self.control_notes
        if self.group is None or self.control:
            self.close_group()
            self.group = self.draft(segment.place)
            self.remarks.append(unread("no_order", segment.place))
        found = observation.observation(segment, self.fields, self.moments, order=self.group.standing)
        self.open, self.open_notes = found.observation, []
        self.note_list = self.open_notes
        self.remarks += found.remarks

    def take_note(self, segment: Segment) -> None:
        if text := observation.note(segment, self.fields):
            self.note_list.append(text)

    def take_specimen(self, segment: Segment) -> None:
        if self.leading is None:
            self.leading = self.group is None
        found = specimen.from_spm(segment, self.fields, self.moments)
        if self.leading or self.group is None or self.control:
            self.close_group()
            if self.block_used:
                self.block, self.block_notes, self.block_used = [], [], False
            self.block.append(found)
            self.note_list = self.block_notes
        else:
            self.close_observation()
            self.group.specimens.append(found)
            self.note_list = self.group.notes

    def take_container(self, segment: Segment) -> None:
        target = self.block if self.leading or self.group is None else self.group.specimens
        if target:
            target[-1] = specimen.with_container(target[-1], segment, self.fields)
        else:
            self.others.append(segment.place)

    def take_continuation(self, segment: Segment) -> None:
        if segment.field(1):
            self.problems.append(unread("continued", segment.place))

    def take_broken(self, segment: Segment) -> None:
        """Our own failure: an observation stays in its place as a question, of anything else the place is said."""
        if segment.name == "OBX" and self.group is not None:
            self.open, self.open_notes = observation.unreadable(segment.place), []
            self.note_list = self.open_notes
        else:
            self.problems.append(unread("unreadable", segment.place))

    # --- what is open --------------------------------------------------------------------------

    def draft(self, place: Place) -> Draft:
        """A new group with the ORC and the specimens that stood before it."""
        made = Draft(place=place, person=self.persons[-1] if self.persons else None, control=self.control)
        made.notes += self.control_notes if self.control else []
        self.control = None
        if self.block:
            made.specimens += self.block
            made.notes += self.block_notes
            self.block_used = True
        if not self.leading:
            self.block, self.block_notes = [], []
        return made

    def close_observation(self) -> None:
        if self.open is not None and self.group is not None:
            done = replace(self.open, notes=tuple(self.open_notes)) if self.open_notes else self.open
            self.group.observations.append(done)
            self.note_list = self.group.notes
        self.open = None

    def close_group(self) -> None:
        self.close_observation()
        if self.group is not None:
            self.keep(self.group)
        self.group = None

    def keep(self, draft: Draft) -> None:
        done = group.finish(draft, self.fields, self.moments)
        self.finished.append(done)
        self.group_persons.append(draft.person)
        self.problems += done.group.problems
        self.remarks += done.remarks

    def drop_control(self) -> None:
        """An ORC with no order after it says something of its own (a cancellation)."""
        if self.control is not None:
            self.close_group()
            self.keep(self.draft(self.control.place))

    # --- the end -------------------------------------------------------------------------------

    def report(self) -> Report:
        self.doubt_the_end()
        self.close_group()
        self.drop_control()
        if self.block and not self.block_used:
            self.keep_specimens()
        groups = group.shared(self.finished)
        distinct = list(dict.fromkeys(self.persons))
        if len(distinct) > 1:
            self.problems.append(unread("several_patients"))
            groups = [replace(one, patient=whose) for one, whose in zip(groups, self.group_persons, strict=True)]
        groups = self.refused_if_no_results(groups)
        return Report(
            sender=self.head.sender,
            control_id=self.head.control_id,
            message_type=self.head.message_type,
            version=self.head.version,
            sent_at=self.moments.read(self.head.sent_written),
            patient=distinct[0] if len(distinct) == 1 else None,
            groups=tuple(groups),
            notes=tuple(self.notes),
            problems=tuple(self.problems),
            remarks=tuple(self.remarks),
            other_segments=tuple(self.others),
            processing=self.head.processing.upper(),
            charset=self.whole.charset,
        )

    def doubt_the_end(self) -> None:
        """The last observation, when the message breaks off before its status: a value may have lost its end."""
        last, now = self.last, self.open
        if last is None or now is None or last.name != "OBX" or self.whole.text.endswith(("\r", "\n")):
            return
        if len(last.fields) <= observation.STATUS:
            problem = unread("may_be_cut", last.place)
            self.open = replace(now, standing=Standing.UNKNOWN, problems=(*now.problems, problem))

    def keep_specimens(self) -> None:
        """Specimens at the end with no order after them: a group of their own, so that they are seen."""
        made = Draft(place=self.last.place if self.last else Place(segment="SPM", number=1, line=0), person=None)
        made.person = self.persons[-1] if self.persons else None
        made.specimens, made.notes = self.block, self.block_notes
        self.keep(made)

    def refused_if_no_results(self, groups: list[Group]) -> list[Group]:
        """Another kind of message: shown, and nothing of it may be entered."""
        kind = self.head.message_type.partition("^")[0].upper()
        if kind not in RESULTS:
            problem = unread("other_message")
            self.problems.append(problem)
            return [_refused(one, problem) for one in groups]
        if not groups:
            self.problems.append(unread("no_results"))
        return groups
