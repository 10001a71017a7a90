"""Tests that are taken again days after the needle."""

from __future__ import annotations

from typing import Any

import pytest

from followups.domain import closing
from followups.domain import facts as f
from followups.domain.kinds import Closed, Kind
from followups.domain.planner import plan
from procedures.domain.states import Disposition, Outcome, TestStatus
from tests.domain.cases import NOON, case, finished_test, hours, kinds, lab_fact, only, protocol, replace

ITEM = protocol().later("bloods_after_drainage")
CODES = protocol().panel(ITEM.panel).tests
LARGE = frozenset({"first", "large_volume"})


def drained(**extra: Any) -> f.ProcedureFacts:
    """More than five litres; whatever else the protocol asks about that is answered."""
    return case(**{"flags": LARGE, **extra})


def ordered() -> tuple[f.TestFact, ...]:
    return tuple(
        lab_fact(n, code=code, status=TestStatus.ORDERED, collected_at=NOON) for n, code in enumerate(CODES, 1)
    )


def taken(at: float) -> tuple[f.TestFact, ...]:
    """Collected so many hours after the needle, resulted, read and told."""
    return tuple(replace(finished_test(n), code=code, collected_at=NOON + hours(at)) for n, code in enumerate(CODES, 1))


def test_after_a_large_volume_blood_is_taken_between_day_three_and_seven() -> None:
    promise = only(drained())
    assert (promise.kind, promise.start_at, promise.due_at) == (
        Kind.LATER_TESTS,
        NOON + hours(72),
        NOON + hours(168),
    )
    assert promise.about == {"item": "bloods_after_drainage", "tests": list(CODES), "ordered": False}


def test_a_recorded_answer_asks_for_it_too_and_nothing_else_does() -> None:
    assert only(case(flags=frozenset({"serial", "cause_of_ascites=cirrhosis"}))).kind is Kind.LATER_TESTS
    assert kinds(case()) == []


@pytest.mark.parametrize(
    "ended",
    [
        {"outcome": Outcome.NOT_ATTEMPTED},
        {"outcome": Outcome.NO_FLUID},
        {"deceased": True},
        {"disposition": Disposition.DIED},
    ],
)
def test_nobody_is_asked_for_it_without_fluid_or_after_death(ended: dict[str, Any]) -> None:
    assert Kind.LATER_TESTS not in kinds(drained(**ended))


def test_what_is_ordered_for_a_later_day_is_not_called_uncollected_today() -> None:
    promise = only(drained(tests=ordered()))
    assert (promise.kind, promise.about["ordered"]) == (Kind.LATER_TESTS, True)


def test_ordered_without_a_rule_that_asks_for_it_is_to_be_collected_as_anything_else() -> None:
    assert only(case(tests=ordered())).kind is Kind.COLLECT_TESTS


def test_a_tube_from_before_the_window_does_not_keep_it() -> None:
    assert only(drained(tests=taken(71.9))).kind is Kind.LATER_TESTS


def test_a_tube_within_the_window_keeps_it_and_late_is_better_than_never() -> None:
    for at in (72, 200):
        facts = drained(tests=taken(at))
        assert kinds(facts) == []
        assert closing.because(Kind.LATER_TESTS, {"item": ITEM.code}, facts) is Closed.KEPT


def test_one_tube_of_three_leaves_the_others_promised() -> None:
    promise = only(drained(tests=taken(80)[:1]))
    assert promise.about["tests"] == list(CODES[1:])


def test_a_lost_tube_is_a_decision_of_its_own_until_the_test_is_given_up() -> None:
    one, *others = taken(80)
    lost = replace(one, status=TestStatus.LOST, current=None, ended_at=NOON + hours(90))
    assert only(drained(tests=(lost, *others))).kind is Kind.SPECIMEN_LOST
    given_up = replace(lost, status=TestStatus.CANCELLED)
    assert Kind.LATER_TESTS in kinds(drained(tests=(given_up, *others)))


def test_a_physicians_decision_ends_it_and_a_corrected_record_drops_it() -> None:
    decided = drained(later_decided=frozenset({ITEM.code}))
    assert kinds(decided) == []
    assert closing.because(Kind.LATER_TESTS, {"item": ITEM.code}, decided) is Closed.KEPT
    assert closing.because(Kind.LATER_TESTS, {"item": ITEM.code}, case()) is Closed.NO_LONGER_NEEDED


def test_a_protocol_without_later_tests_owes_none() -> None:
    assert plan(case(protocol=replace(protocol(), later_tests=()), flags=LARGE)) == ()
