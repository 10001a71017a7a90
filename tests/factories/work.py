"""Promises of every kind as a worklist meets them: around one fixed moment, with what their links need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from clinic.models import User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp
from tests.factories import promises

#: A Monday, ten o'clock in New York.
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ROLES = {
    Kind.BOOK_REQUEST: Role.SCHEDULER,
    Kind.REBOOK_NO_SHOW: Role.SCHEDULER,
    Kind.NEXT_IN_SERIES: Role.SCHEDULER,
    Kind.CARRY_OUT: Role.NURSE,
    Kind.CHECKLIST_AFTER_EMERGENCY: Role.NURSE,
    Kind.COLLECT_TESTS: Role.NURSE,
    Kind.SPECIMEN_NOT_RECEIVED: Role.NURSE,
    Kind.AWAITED_RESULT: Role.NURSE,
    Kind.TELL_PATIENT: Role.NURSE,
    Kind.LATER_TESTS: Role.NURSE,
    Kind.SYMPTOM_CHECK: Role.NURSE,
    Kind.CHECKLIST_NOT_DONE: Role.NURSE,
    Kind.ANSWERS_EXPIRING: Role.NURSE,
    Kind.UNREACHABLE_PATIENT: Role.NURSE,
    Kind.RERUN_SAFETY: Role.NURSE,
    Kind.TELL_LAST_DOSE: Role.NURSE,
    Kind.MATCH_RESULT: Role.NURSE,
    Kind.UNREADABLE_MESSAGE: Role.NURSE,
    Kind.CALL_SILENT: Role.NURSE,
    Kind.DANGER_SIGN: Role.NURSE,
    Kind.READ_WORDS: Role.NURSE,
    Kind.LINK_LOCKED: Role.NURSE,
    Kind.BOOK_AGAIN: Role.SCHEDULER,
}


def about(kind: Kind, usual_at: datetime | None = None) -> dict[str, Any]:
    """The codes and ids that a promise of this kind carries."""
    if kind is Kind.SIGN_CLEARANCE:
        return {"decision": 1}
    if kind is Kind.AWAITED_RESULT:
        return {"tests": ["cell_count"], "usual_at": (usual_at or NOW - HOUR).isoformat(), "extended": False}
    return {
        Kind.REVIEW_RESULT: {"version": 1, "test": "cell_count", "status": "final", "corrected": False},
        Kind.REREAD_CORRECTION: {"version": 1, "test": "cell_count", "involved": []},
        Kind.MATCH_RESULT: {"message": 1, "n": 1},
        Kind.UNREADABLE_MESSAGE: {"message": 1},
        Kind.RESULT_TAKEN_BACK: {"version": 1, "test": "cell_count", "why": "deleted", "involved": []},
        Kind.ANSWERS_EXPIRING: {"questions": ["pregnancy"]},
        Kind.DO_ACTION: {"action": 1, "plan": "treat"},
        Kind.SYMPTOM_CHECK: {"check": "day_2", "encounter": "outpatient"},
        Kind.CALL_SILENT: {"check": "day_2", "locked": False},
        Kind.DANGER_SIGN: {"report": 1, "tier": "B"},
        Kind.READ_WORDS: {"report": 1},
        Kind.TELL_PATIENT: {"versions": [1], "tests": ["cell_count"]},
        Kind.SPECIMEN_NOT_RECEIVED: {"specimen": 1, "tests": ["cell_count"]},
        Kind.SPECIMEN_LOST: {"specimen": 1, "tests": ["cell_count"]},
        Kind.LATER_TESTS: {"item": "bloods_after_drainage", "tests": ["later_sodium"], "ordered": False},
        Kind.ACCEPT_TRANSFER: {"why": "ward", "before": 0, "declined": False},
        Kind.COLLECT_TESTS: {"tests": ["cell_count"]},
        Kind.RESTART_MEDICINE: {"hold": 1},
        Kind.NEXT_IN_SERIES: {"series": "CDFGHJK"},
    }.get(kind, {})


def promise(kind: Kind, *, due: timedelta = HOUR, begun: timedelta = HOUR, **extra: Any) -> FollowUp:
    """Open, begun ``begun`` ago and due in ``due``; its role is the planner's, and nobody is responsible."""
    usual_at = extra.pop("usual_at", None)
    fields: dict[str, Any] = {
        "role": str(ROLES.get(kind, Role.PHYSICIAN)),
        "responsible": None,
        "about": about(kind, usual_at),
        "start_at": NOW - begun,
        **extra,
    }
    return promises.promise(kind, due=NOW + due, **fields)


def taken(follow_up: FollowUp, by: User) -> FollowUp:
    """Somebody has taken it."""
    FollowUp.objects.filter(pk=follow_up.pk).update(taken_by=by, taken_at=NOW)
    follow_up.refresh_from_db()
    return follow_up
