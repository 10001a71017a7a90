"""Which columns a list reads: what it says, and no more.

Moments, ranges and phone numbers cost several times more to read than names and codes; a case with its patient has
dozens of them.
"""

from __future__ import annotations

from clinic.models import Room, User
from clinic.models.columns import without
from procedures.models import Patient, Procedure, ProtocolVersion

#: Who it is and how they are reached, without the numbers.
PERSON = frozenset(
    {
        *("given_name", "family_name", "birth_date", "reach_by", "caregiver_name", "facility"),
        *("language", "interpreter_needed", "encounter_class"),
    }
)
#: Who has it.
OWNER = frozenset({"full_name", "credentials", "roles"})


VERSION = frozenset({"protocol", "number", "digest"})
#: What no list of promises says.
OF_PROMISE = ("rung", "repeat", "next_action_at", "taken_at", "closed_because")
#: Nor of its case.
OF_ITS_CASE = (
    *without("", Procedure, {"patient", "protocol_version", "code"}),
    *without("protocol_version__", ProtocolVersion, VERSION),
    *without("patient__", Patient, PERSON),
)
OF_PROMISES = (
    *OF_PROMISE,
    *(f"procedure__{name}" for name in OF_ITS_CASE),
    *without("responsible__", User, OWNER),
    *without("taken_by__", User, OWNER),
)
#: What no board and no queue says of a case.
OF_CASES = (
    *("room_time", "operator_time", "overbook_reason", "requested_by", "scheduled_at", "completed_at", "ended_at"),
    *("end_reason", "outcome_reason", "emergency_reason", "emergency_by", "continues", "series", "series_place"),
    *("series_gap_accepted", "closed_at"),
    *without("protocol_version__", ProtocolVersion, VERSION),
    *without("patient__", Patient, PERSON | {"deceased_at"}),
    *without("room__", Room, {"name", "has_fluoroscopy"}),
    *without("operator__", User, {"full_name"}),
)
#: What the week says no more of it.
OF_WEEK = (
    *without(
        "",
        Procedure,
        {"patient", "protocol_version", "code", "status", "stay", "room", "operator"}
        | {"requested_at", "started_at", "arrived_at"},
    ),
    *without("protocol_version__", ProtocolVersion, VERSION),
    *without("patient__", Patient, {"given_name", "family_name"}),
    *without("room__", Room, {"name"}),
)
