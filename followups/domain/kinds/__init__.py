"""The kinds of promise. Pure. One module each: when it is owed, how it is worded, where it is kept, what ends it.

A new kind is its name here, its module in this folder, its ladder in ``escalation.toml`` and its test. Everything else
(planner, pages, messages, ``docs/follow-ups.md``) reads the modules.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from followups.domain.kinds.spec import Spec


class Kind(StrEnum):
    """In the order of a case's life; ``docs/follow-ups.md`` keeps it."""

    BOOK_REQUEST = "book_request"
    CHECKLIST_NOT_DONE = "checklist_not_done"
    ANSWERS_EXPIRING = "answers_expiring"
    CLEAR_FINDINGS = "clear_findings"
    SIGN_CLEARANCE = "sign_clearance"
    RERUN_SAFETY = "rerun_safety"
    TELL_LAST_DOSE = "tell_last_dose"
    CARRY_OUT = "carry_out"
    REBOOK_NO_SHOW = "rebook_no_show"
    NEXT_IN_SERIES = "next_in_series"
    SIGN_RECORD = "sign_record"
    CHECKLIST_AFTER_EMERGENCY = "checklist_after_emergency"
    COUNTERSIGN_START = "countersign_start"
    COLLECT_TESTS = "collect_tests"
    SPECIMEN_NOT_RECEIVED = "specimen_not_received"
    SPECIMEN_LOST = "specimen_lost"
    AWAITED_RESULT = "awaited_result"
    MATCH_RESULT = "match_result"
    UNREADABLE_MESSAGE = "unreadable_message"
    REVIEW_RESULT = "review_result"
    REREAD_CORRECTION = "reread_correction"
    RESULT_TAKEN_BACK = "result_taken_back"
    DO_ACTION = "do_action"
    TELL_PATIENT = "tell_patient"
    UNREACHABLE_PATIENT = "unreachable_patient"
    SYMPTOM_CHECK = "symptom_check"
    WRITE_TO_PATIENT = "write_to_patient"
    MESSAGE_UNDELIVERED = "message_undelivered"
    READ_TEXT = "read_text"
    CALL_SILENT = "call_silent"
    DANGER_SIGN = "danger_sign"
    READ_WORDS = "read_words"
    BOOK_AGAIN = "book_again"
    LINK_LOCKED = "link_locked"
    RESTART_MEDICINE = "restart_medicine"
    LATER_TESTS = "later_tests"
    ACCEPT_TRANSFER = "accept_transfer"
    PLAN_FAILED = "plan_failed"
    DELIVERY_FAILED = "delivery_failed"
    EMPTY_ROLE = "empty_role"


class Subject(StrEnum):
    """What a promise can be about; stored as ``FollowUp.subject_kind``."""

    PROCEDURE = "procedure"
    SERIES = "series"
    TEXT = "text"  # from somebody's phone: words that a person must read
    MESSAGE = "message"  # from a laboratory: what of it waits for a person
    PERSON = "person"  # of the staff: whoever messages do not reach
    CLINIC = "clinic"  # there is one: id 1


class Closed(StrEnum):
    """Why a promise is no longer open."""

    KEPT = "kept"
    NO_LONGER_NEEDED = "no_longer_needed"


class MessageState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@cache
def of(kind: Kind) -> Spec:
    """The module of one kind. Raises ModuleNotFoundError for a name without one."""
    found: Spec = import_module(f"{__name__}.{kind}").SPEC
    assert found.kind is kind, f"{kind}: its module speaks of {found.kind}"
    return found


@cache
def specs() -> tuple[Spec, ...]:
    """All of them, in the order of ``Kind``."""
    return tuple(of(kind) for kind in Kind)
