"""Where a promise is kept: the page that its line in a list leads to."""

from __future__ import annotations

from django.urls import reverse

from followups.domain.kinds import Kind
from followups.models import FollowUp

_BY_CODE = {
    Kind.BOOK_REQUEST: "procedures:schedule",
    Kind.REBOOK_NO_SHOW: "procedures:schedule",
    Kind.SIGN_RECORD: "procedures:record",
    Kind.CHECKLIST_AFTER_EMERGENCY: "procedures:checklist",
    Kind.COLLECT_TESTS: "procedures:specimens",
    Kind.SPECIMEN_NOT_RECEIVED: "procedures:tests",
    Kind.SPECIMEN_LOST: "procedures:tests",
    Kind.AWAITED_RESULT: "procedures:tests",
    Kind.TELL_PATIENT: "followups:tell",
    Kind.RESTART_MEDICINE: "procedures:holds",
    Kind.CARRY_OUT: "followups:case",
    Kind.PLAN_FAILED: "followups:case",
}


def url(follow_up: FollowUp, code: str) -> str:
    """The address of the page on which this promise of case ``code`` is kept."""
    kind = Kind(follow_up.kind)
    if kind is Kind.REVIEW_RESULT:
        return reverse("followups:review", args=[follow_up.about["version"]])
    if kind is Kind.DO_ACTION:
        return reverse("followups:action_done", args=[follow_up.about["action"]])
    if kind is Kind.SYMPTOM_CHECK:
        return reverse("followups:symptoms", args=[code, follow_up.about["check"]])
    return reverse(_BY_CODE[kind], args=[code])
