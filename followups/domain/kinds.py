"""The kinds of promise. Pure. Each has a planner rule, a ladder in escalation.toml, wording and a test."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    BOOK_REQUEST = "book_request"
    CARRY_OUT = "carry_out"
    REBOOK_NO_SHOW = "rebook_no_show"
    SIGN_RECORD = "sign_record"
    CHECKLIST_AFTER_EMERGENCY = "checklist_after_emergency"
    COLLECT_TESTS = "collect_tests"
    SPECIMEN_NOT_RECEIVED = "specimen_not_received"
    SPECIMEN_LOST = "specimen_lost"
    AWAITED_RESULT = "awaited_result"
    REVIEW_RESULT = "review_result"
    DO_ACTION = "do_action"
    TELL_PATIENT = "tell_patient"
    SYMPTOM_CHECK = "symptom_check"
    RESTART_MEDICINE = "restart_medicine"
    PLAN_FAILED = "plan_failed"


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
