"""A case as the planner sees it: frozen values, no rows, no clock. ``selectors.facts`` makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

from followups.domain.notices import Notice
from procedures.domain.protocol import Protocol
from procedures.domain.series import Course, Timing
from procedures.domain.states import Disposition, EncounterClass, Outcome, ProcedureStatus, TestStatus, Urgency
from procedures.domain.transfers import TransferAnswer, TransferWhy


@dataclass(frozen=True, kw_only=True)
class ReviewFact:
    """The reading of one version. ``tell``: with_all, now, not_this."""

    at: datetime
    interpretation: str
    plan: str
    tell: str


@dataclass(frozen=True, kw_only=True)
class VersionFact:
    """The current version of a test's result."""

    id: int
    number: int
    status: str  # preliminary, final, corrected
    level: str  # normal, abnormal, critical, unknown
    arrived_at: datetime
    review: ReviewFact | None
    told_at: datetime | None  # the patient was reached about exactly this version


@dataclass(frozen=True, kw_only=True)
class TestFact:
    id: int
    code: str
    status: TestStatus
    specimen_id: int | None
    collected_at: datetime | None
    usual_at: datetime | None
    outer_at: datetime | None
    extended: bool
    current: VersionFact | None
    ended_at: datetime | None = None  # rejected, lost or cancelled
    cancelled_after_collection: bool = False
    recollect_at: datetime | None = None  # when it was decided to collect it again, until it is collected
    #: An earlier version of this test was told to the patient: a correction must be re-told.
    told_before: bool = False
    #: Unchanged negative preliminaries after a reviewed one are listed, not asked again.
    reviewed_before: bool = False
    #: Who read an earlier version, told the patient of it, or did what was decided on it.
    involved: frozenset[int] = frozenset()

    @property
    def corrected_after_review(self) -> bool:
        """The current version corrects one that somebody has read."""
        return self.current is not None and self.current.status == "corrected" and self.reviewed_before


@dataclass(frozen=True, kw_only=True)
class TakenBackFact:
    """A result that left the chart, and nobody has said what was done about it. ``involved``: who had acted on it."""

    version_id: int  # of the withdrawal
    test: str
    why: str  # wrong_patient, deleted, misplaced
    at: datetime
    involved: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class SpecimenFact:
    id: int
    collected_at: datetime
    receipt_due_at: datetime
    received: bool  # recorded, or implied by any result
    lost_at: datetime | None
    handed_over: bool = False


@dataclass(frozen=True, kw_only=True)
class HoldFact:
    id: int
    decided_at: datetime
    restart_due_at: datetime | None
    decided: bool  # restarted, not restarted, or withdrawn
    planned_last_dose_at: datetime | None = None  # in the clinic's local time
    told: bool = False  # the patient, about the last dose
    #: A rule says when it is restarted: hours after the needle; None: the physician sets it before discharge.
    ruled: bool = False
    restart_hours: int | None = None
    traumatic_hours: int | None = None


@dataclass(frozen=True, kw_only=True)
class ActionFact:
    id: int
    plan: str
    created_at: datetime
    due_at: datetime
    done: bool
    responsible_id: int


@dataclass(frozen=True, kw_only=True)
class SymptomFact:
    """One asking of a check: begun, answered, not_reached or not_needed."""

    check_code: str
    outcome: str
    worst_tier: str
    at: datetime
    id: int = 0
    sign: str = ""  # the most urgent tier, A to C, about which nobody has spoken with the patient since
    sign_at: datetime | None = None
    words_at: datetime | None = None  # what the patient wrote and nobody has read
    rebook_at: datetime | None = None  # asked for a new appointment, and nobody has dealt with it


@dataclass(frozen=True, kw_only=True)
class LockedFact:
    """A link that ten wrong birth dates have locked; ``about`` is the check where it is about danger signs.

    For another purpose only while nobody has reached the patient since.
    """

    id: int
    purpose: str
    at: datetime
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class ContactFact:
    """One try. ``told``: the patient, or who answers for them, knows."""

    purpose: str
    told: bool
    outcome: str
    at: datetime
    channel: str
    versions: frozenset[int] = frozenset()
    by_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class AnswerFact:
    """A current answer that is good for a limited time."""

    question: str
    valid_until: datetime
    valid_for: timedelta


@dataclass(frozen=True, kw_only=True)
class TransferFact:
    """One offer of the pending list to one acceptor. ``to_id`` None: somebody outside."""

    id: int
    why: TransferWhy
    to_id: int | None
    offered_at: datetime
    answer: TransferAnswer
    answered_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class UnsignedFact:
    """*Proceed* over a stop, without its second signature."""

    decision: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SafetyFact:
    """What the newest stored run of the safety rules asks of people, before the needle."""

    stops: int = 0  # nobody has decided
    cautions: int = 0
    since: datetime | None = None  # the oldest of these
    to_sign: tuple[UnsignedFact, ...] = ()
    #: A run the day before, or by new rules, that found something else, and that nobody has looked at.
    changed_run: int | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ProcedureFacts:
    """Everything the plan of one case may depend on."""

    id: int
    protocol: Protocol = field(repr=False)
    status: ProcedureStatus
    urgency: Urgency
    requested_at: datetime
    slot_at: datetime | None
    slot_ends_at: datetime | None
    arrived_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    ended_at: datetime | None  # cancelled, no-show
    outcome: Outcome | None
    disposition: Disposition | None
    encounter_class: EncounterClass
    deceased: bool
    responsible_id: int
    operator_id: int | None
    emergency_start: bool
    unsigned_stages: tuple[str, ...]  # of an emergency start
    #: Before the needle: stages, but for those of the day itself, that are not signed, whatever has expired.
    stages_owed: tuple[str, ...] = ()
    answers: tuple[AnswerFact, ...] = ()  # of those stages
    record_signed_at: datetime | None
    #: What the protocol's ``only_if`` may ask for: large_volume, complicated, first, serial, held.
    flags: frozenset[str]
    tests: tuple[TestFact, ...] = ()
    specimens: tuple[SpecimenFact, ...] = ()
    holds: tuple[HoldFact, ...] = ()
    actions: tuple[ActionFact, ...] = ()
    symptoms: tuple[SymptomFact, ...] = ()
    contacts: tuple[ContactFact, ...] = field(default=())
    #: Of an emergency start: who began it alone, and whether somebody else has signed under it.
    emergency_by_id: int | None = None
    countersigned: bool = False
    discharged_at: datetime | None = None  # the last time the inpatient became an outpatient
    transfers: tuple[TransferFact, ...] = ()
    #: Items of the protocol's ``later_tests`` that a physician has decided on.
    later_decided: frozenset[str] = frozenset()
    safety: SafetyFact = SafetyFact()
    #: What the patient is to be told by a message; empty for who may not be written to.
    notices: tuple[Notice, ...] = ()
    written: frozenset[str] = frozenset()  # keys of those that were sent, or seen to by a call
    #: Since when a message has not reached the patient, or may not have, and nobody has called.
    unreached_since: datetime | None = None
    taken_back: tuple[TakenBackFact, ...] = ()
    #: The patient may be written to: they are asked about danger signs by a link first.
    by_message: bool = False
    #: The morning after a moment, when the clinic calls who was silent.
    morning_after: Callable[[datetime], datetime] = field(default=lambda moment: moment, repr=False, compare=False)
    locked: tuple[LockedFact, ...] = ()
    booked_again_at: datetime | None = None  # the newest other case of this patient and protocol was asked for

    @property
    def needle_ended_at(self) -> datetime:
        """When the attempt ended; for an unfinished record the best time that is known."""
        return self.completed_at or self.started_at or self.slot_at or self.requested_at

    def resulted(self) -> Iterator[tuple[TestFact, VersionFact]]:
        """Tests that have a result, with the version that counts."""
        for test in self.tests:
            if test.current is not None:
                yield test, test.current

    @property
    def waits_since(self) -> datetime:
        """Since when a case without a slot waits for one: the request, or the moment it lost the one it had."""
        return max(self.requested_at, self.ended_at or self.requested_at)

    @property
    def book_by(self) -> datetime:
        """Until when a request must have a slot, by its urgency."""
        return self.waits_since + timedelta(hours=self.protocol.book_within_hours[str(self.urgency)])

    @property
    def lost_its_slot(self) -> bool:
        """Requested again after it had ended once."""
        return self.status is ProcedureStatus.REQUESTED and self.ended_at is not None


@dataclass(frozen=True, kw_only=True)
class SeriesFacts:
    """Everything the plan of one series may depend on. ``begin_of``: when a day of the clinic begins."""

    id: int
    code: str
    protocol: Protocol = field(repr=False)
    active: bool
    deceased: bool
    course: Course
    timing: Timing
    begin_of: Callable[[date], datetime]


def by_specimen(tests: Iterable[TestFact]) -> Iterator[tuple[int, list[TestFact]]]:
    """Tests grouped by specimen; 0 for those recorded without one."""
    rows = sorted(tests, key=lambda t: (t.specimen_id or 0, t.id))
    for specimen_id, group in groupby(rows, key=lambda t: t.specimen_id or 0):
        yield specimen_id, list(group)
