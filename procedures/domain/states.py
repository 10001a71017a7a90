"""States and the moves between them (pure): the database triggers are generated from these tables.

The tables must not refuse real life: an earlier step that nobody recorded becomes a promise, not a refusal.
"""

from __future__ import annotations

from enum import StrEnum

from clinic.machine import Machine


class ProcedureStatus(StrEnum):
    REQUESTED = "requested"
    SCHEDULED = "scheduled"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    ENTERED_IN_ERROR = "entered_in_error"


#: Holds a place in the exclusion constraints.
ACTIVE = frozenset(
    {ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED, ProcedureStatus.IN_PROGRESS, ProcedureStatus.COMPLETED}
)
#: Nothing further will be done with the needle. (No-show is not terminal: somebody must rebook or end it.)
TERMINAL = frozenset({ProcedureStatus.COMPLETED, ProcedureStatus.CANCELLED, ProcedureStatus.ENTERED_IN_ERROR})

_S = ProcedureStatus
PROCEDURE = Machine(
    noun="A procedure",
    allowed={
        # requested -> in_progress is the emergency; requested/scheduled may be cancelled or fail to show
        _S.REQUESTED: frozenset({_S.SCHEDULED, _S.IN_PROGRESS, _S.CANCELLED, _S.ENTERED_IN_ERROR}),
        _S.SCHEDULED: frozenset(
            {_S.REQUESTED, _S.ARRIVED, _S.IN_PROGRESS, _S.CANCELLED, _S.NO_SHOW, _S.ENTERED_IN_ERROR}
        ),
        _S.ARRIVED: frozenset({_S.SCHEDULED, _S.IN_PROGRESS, _S.CANCELLED, _S.ENTERED_IN_ERROR}),
        _S.IN_PROGRESS: frozenset({_S.ARRIVED, _S.COMPLETED, _S.ENTERED_IN_ERROR}),
        _S.COMPLETED: frozenset({_S.ENTERED_IN_ERROR}),
        _S.CANCELLED: frozenset({_S.REQUESTED, _S.SCHEDULED, _S.ENTERED_IN_ERROR}),
        _S.NO_SHOW: frozenset({_S.REQUESTED, _S.SCHEDULED, _S.ARRIVED, _S.CANCELLED, _S.ENTERED_IN_ERROR}),
        _S.ENTERED_IN_ERROR: frozenset(),
    },
)


class SeriesStatus(StrEnum):
    """Of the same procedure again and again for one patient."""

    ACTIVE = "active"
    ENDED = "ended"


class SeriesEnd(StrEnum):
    """Why a series ended."""

    STOPPED = "stopped"
    DECEASED = "deceased"


SERIES = Machine(
    noun="A series",
    allowed={
        SeriesStatus.ACTIVE: frozenset({SeriesStatus.ENDED}),
        SeriesStatus.ENDED: frozenset({SeriesStatus.ACTIVE}),
    },
)


class Urgency(StrEnum):
    ELECTIVE = "elective"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class Outcome(StrEnum):
    """How the attempt ended. A needle went in unless it was not attempted."""

    DONE = "done"
    PARTIAL = "partial"
    NO_FLUID = "no_fluid"
    NOT_ATTEMPTED = "not_attempted"


NEEDLE_IN = frozenset({Outcome.DONE, Outcome.PARTIAL, Outcome.NO_FLUID})


class Disposition(StrEnum):
    HOME = "home"
    WARD = "ward"
    ADMITTED = "admitted"
    EMERGENCY_DEPARTMENT = "emergency_department"
    DIED = "died"


class EncounterClass(StrEnum):
    OUTPATIENT = "outpatient"
    INPATIENT = "inpatient"


class TestStatus(StrEnum):
    ORDERED = "ordered"
    COLLECTED = "collected"
    RECEIVED = "received"
    REJECTED = "rejected"
    LOST = "lost"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"


_T = TestStatus
#: No result is awaited any more.
TEST_ENDED = frozenset({_T.FINAL, _T.CORRECTED, _T.CANCELLED})
#: A specimen of it exists, or should.
TEST_WAITING = frozenset({_T.COLLECTED, _T.RECEIVED, _T.PRELIMINARY})

LAB_TEST = Machine(
    noun="A laboratory test",
    allowed={
        _T.ORDERED: frozenset(
            {_T.COLLECTED, _T.RECEIVED, _T.REJECTED, _T.LOST, _T.PRELIMINARY, _T.FINAL, _T.CANCELLED}
        ),
        _T.COLLECTED: frozenset(
            {_T.RECEIVED, _T.REJECTED, _T.LOST, _T.PRELIMINARY, _T.FINAL, _T.CANCELLED, _T.ORDERED}
        ),
        _T.RECEIVED: frozenset({_T.REJECTED, _T.LOST, _T.PRELIMINARY, _T.FINAL, _T.CANCELLED}),
        # a recollected specimen starts the clock again; a result that arrives all the same is never refused
        # a flawed specimen may be examined all the same, when somebody accepts the risk
        _T.REJECTED: frozenset({_T.COLLECTED, _T.RECEIVED, _T.PRELIMINARY, _T.FINAL, _T.CANCELLED}),
        _T.LOST: frozenset({_T.COLLECTED, _T.RECEIVED, _T.PRELIMINARY, _T.FINAL, _T.CANCELLED}),
        _T.PRELIMINARY: frozenset({_T.FINAL, _T.CORRECTED, _T.RECEIVED, _T.CANCELLED}),
        _T.FINAL: frozenset({_T.CORRECTED, _T.RECEIVED}),
        _T.CORRECTED: frozenset({_T.CORRECTED, _T.RECEIVED}),
        _T.CANCELLED: frozenset({_T.ORDERED, _T.PRELIMINARY, _T.FINAL}),
    },
)


class ResultStatus(StrEnum):
    """Of one version of a result (FHIR's words)."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class Level(StrEnum):
    """How a result is graded by the protocol's rules. ``unknown`` is never treated as normal."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
