"""A patient reported that they need another appointment."""

from __future__ import annotations

from dataclasses import replace

from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import NOON, hours, kinds
from tests.domain.kinds.test_danger_sign import report, with_report

BACK = report("D", sign="", sign_at=None, rebook_at=NOON + hours(50))


def test_the_scheduler_offers_one_within_a_day() -> None:
    (promise,) = plan(with_report(BACK))
    assert (promise.kind, promise.role) == (Kind.BOOK_AGAIN, Role.SCHEDULER)
    assert promise.due_at == NOON + hours(74)


def test_a_request_since_then_is_the_answer_and_one_from_before_is_none() -> None:
    assert kinds(replace(with_report(BACK), booked_again_at=NOON + hours(51))) == []
    assert kinds(replace(with_report(BACK), booked_again_at=NOON + hours(2))) == [Kind.BOOK_AGAIN]
