"""Why a promise that is no longer wanted ended: kept, or not needed any more. Pure."""

from __future__ import annotations

from typing import Any

from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Closed, Kind
from procedures.domain.states import ProcedureStatus

S = ProcedureStatus
GONE = frozenset({S.CANCELLED, S.ENTERED_IN_ERROR})


def because(kind: Kind, about: dict[str, Any], facts: ProcedureFacts) -> Closed:
    """``kept`` only when the facts show what was promised; otherwise ``no_longer_needed``."""
    return Closed.KEPT if _kept(kind, about, facts) else Closed.NO_LONGER_NEEDED


def _kept(kind: Kind, about: dict[str, Any], facts: ProcedureFacts) -> bool:
    if kind in {Kind.BOOK_REQUEST, Kind.REBOOK_NO_SHOW}:
        return facts.status not in GONE
    if kind is Kind.CARRY_OUT:
        return facts.status is S.COMPLETED
    if kind is Kind.SIGN_RECORD:
        return facts.record_signed_at is not None
    if kind is Kind.REVIEW_RESULT:
        return any(t.current and t.current.id == about.get("version") and t.current.review for t in facts.tests)
    if kind in {Kind.TELL_PATIENT, Kind.SYMPTOM_CHECK, Kind.RESTART_MEDICINE} and facts.deceased:
        return False
    return facts.status is not S.ENTERED_IN_ERROR
