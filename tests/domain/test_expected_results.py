"""When results come, as a patient is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from followups.domain.expected_results import Awaited, expected

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("America/New_York"))


def test_the_tests_of_one_day_stand_together_and_the_soonest_first() -> None:
    groups = list(
        expected(
            [
                Awaited(label="culture", outer_at=MONDAY + timedelta(days=7)),
                Awaited(label="cells", outer_at=MONDAY),
                Awaited(label="sugar", outer_at=MONDAY + timedelta(hours=3)),
            ]
        )
    )
    assert [group.labels for group in groups] == [("cells", "sugar"), ("culture",)]
    assert groups[0].at == MONDAY + timedelta(hours=3), "the last of the day is what is promised"


def test_what_takes_longer_is_named_for_it_even_on_the_same_day() -> None:
    groups = list(
        expected(
            [Awaited(label="tuberculosis", outer_at=MONDAY, extended=True), Awaited(label="cells", outer_at=MONDAY)]
        )
    )
    assert [(group.labels, group.extended) for group in groups] == [(("cells",), False), (("tuberculosis",), True)]


def test_what_was_not_taken_yet_has_no_day_and_comes_last() -> None:
    groups = list(expected([Awaited(label="later", outer_at=None), Awaited(label="cells", outer_at=MONDAY)]))
    assert [(group.labels, group.at) for group in groups] == [(("cells",), MONDAY), (("later",), None)]


def test_one_name_is_said_once() -> None:
    twice = [Awaited(label="cells", outer_at=MONDAY), Awaited(label="cells", outer_at=MONDAY)]
    assert [group.labels for group in expected(twice)] == [("cells",)]
