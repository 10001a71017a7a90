"""Where a booking fits. The clinic of these tests is in New York, open Monday to Friday."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from procedures.domain import slots
from procedures.domain.slots import Busy, Calendar, Closed, Lengths, Named, Resource, Span, Weekly

ZONE = ZoneInfo("America/New_York")
MONDAY = date(2026, 11, 23)
ROOM, OTHER_ROOM, OPERATOR = Named(1, "Room 1"), Named(2, "Room 2"), Named(9, "Dr Lee")
WEEK = tuple(Weekly(day, time(8), time(18)) for day in range(5))
LENGTHS = Lengths(operator=timedelta(minutes=30), room=timedelta(minutes=60), stay=timedelta(minutes=90))


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=ZONE).astimezone(UTC)


def calendar(**changes: Any) -> Calendar:
    values: dict[str, Any] = {
        "zone": ZONE,
        "now": at(0),
        "lengths": LENGTHS,
        "patient": 7,
        "rooms": (ROOM,),
        "hours": WEEK,
    }
    return Calendar(**{**values, **changes})


def busy(resource: Resource, key: int, start: datetime, minutes: int) -> Busy:
    return Busy(resource, key, Span(start, start + timedelta(minutes=minutes)))


def starts(found: Calendar, day: date = MONDAY, last: date | None = None) -> list[str]:
    return [f"{slot.start.astimezone(ZONE):%H:%M}" for slot in slots.free_slots(found, day, last or day)]


def kinds(found: Calendar, start: datetime, room: Named | None = ROOM, operator: Named | None = None) -> list[str]:
    return [reason.kind for reason in slots.explain(found, start, room=room, operator=operator)]


def test_an_empty_day_offers_every_quarter_of_an_hour_until_the_stay_would_pass_closing() -> None:
    found = starts(calendar())
    assert found[:3] == ["08:00", "08:15", "08:30"]
    assert found[-1] == "16:30"  # the room would be free at 17:30, the patient goes at 18:00
    assert len(found) == 35


def test_a_weekend_offers_nothing() -> None:
    assert starts(calendar(), date(2026, 11, 21), date(2026, 11, 22)) == []


def test_the_room_is_never_needed_across_the_lunch_break_but_a_patient_may_rest_through_it() -> None:
    hours = (Weekly(0, time(8), time(12)), Weekly(0, time(13), time(18)))
    found = starts(calendar(hours=hours))
    assert "11:00" in found  # room until 12:00, patient until 12:30
    assert "11:15" not in found
    assert "12:00" not in found
    assert "13:00" in found


def test_hours_that_touch_are_one() -> None:
    hours = (Weekly(0, time(8), time(12)), Weekly(0, time(12), time(18)))
    assert "11:45" in starts(calendar(hours=hours))


def test_opening_at_an_odd_minute_starts_at_the_next_quarter() -> None:
    assert starts(calendar(hours=(Weekly(0, time(8, 10), time(11)),)))[0] == "08:15"


@pytest.mark.parametrize(
    ("closed", "offered"),
    [
        (Closed(MONDAY, MONDAY, None, "Holiday"), set()),
        (Closed(MONDAY - timedelta(days=3), MONDAY + timedelta(days=3), None, "Works"), set()),
        (Closed(MONDAY, MONDAY, ROOM.pk, "Painting"), {OTHER_ROOM}),
        (Closed(MONDAY + timedelta(days=1), MONDAY + timedelta(days=1), None, "Holiday"), {ROOM, OTHER_ROOM}),
    ],
)
def test_closures_take_whole_days_of_the_clinic_or_of_one_room(closed: Closed, offered: set[Named]) -> None:
    found = calendar(rooms=(ROOM, OTHER_ROOM), closures=(closed,))
    assert {slot.room for slot in slots.free_slots(found, MONDAY, MONDAY)} == offered


def test_one_booking_may_begin_as_another_ends() -> None:
    found = calendar(busy=(busy(Resource.ROOM, ROOM.pk, at(9), 60),))
    offered = starts(found)
    assert "08:00" in offered
    assert "08:15" not in offered
    assert "09:45" not in offered
    assert "10:00" in offered


def test_two_bookings_back_to_back_leave_no_gap_between_them() -> None:
    found = calendar(busy=(busy(Resource.ROOM, ROOM.pk, at(9), 60), busy(Resource.ROOM, ROOM.pk, at(10), 60)))
    assert {"08:15", "09:30", "10:00", "10:45"}.isdisjoint(starts(found))
    assert "11:00" in starts(found)


def test_each_of_the_three_is_bound_for_its_own_time() -> None:
    hour = at(10)
    for resource, key, first_free in (
        (Resource.OPERATOR, OPERATOR.pk, "09:30"),  # the operator needs 30 minutes
        (Resource.ROOM, ROOM.pk, "09:00"),  # the room 60
        (Resource.PATIENT, 7, "08:30"),  # the patient 90
    ):
        offered = starts(calendar(operators=(OPERATOR,), busy=(busy(resource, key, hour, 15),)))
        before = [start for start in offered if start < "10:00"]
        assert before[-1] == first_free, resource


def test_a_busy_room_leaves_the_other_room() -> None:
    found = calendar(rooms=(ROOM, OTHER_ROOM), busy=(busy(Resource.ROOM, ROOM.pk, at(8), 600),))
    assert {slot.room for slot in slots.free_slots(found, MONDAY, MONDAY)} == {OTHER_ROOM}


def test_an_operator_with_sessions_is_offered_in_them_alone_and_one_without_at_any_hour() -> None:
    sessions = {OPERATOR.pk: (Weekly(0, time(9), time(10)),)}
    assert starts(calendar(operators=(OPERATOR,), sessions=sessions)) == ["09:00", "09:15", "09:30"]
    assert len(starts(calendar(operators=(OPERATOR,)))) == 35
    other_day = {OPERATOR.pk: (Weekly(1, time(9), time(10)),)}
    assert starts(calendar(operators=(OPERATOR,), sessions=other_day)) == []


def test_without_an_operator_the_slot_names_nobody() -> None:
    assert {slot.operator for slot in slots.free_slots(calendar(), MONDAY, MONDAY)} == {None}


def test_nothing_is_offered_in_the_past_or_within_the_lead_time() -> None:
    assert starts(calendar(now=at(10, 1)))[0] == "10:15"
    assert starts(calendar(now=at(10), lead=timedelta(hours=2)))[0] == "12:00"


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_a_day_on_which_the_clock_changes_keeps_its_local_hours(day: date) -> None:
    found = calendar(hours=(Weekly(6, time(8), time(18)),), now=at(0, 0, day))
    offered = starts(found, day)
    assert offered[0] == "08:00"
    assert offered[-1] == "16:30"
    assert len(offered) == 35


def test_across_the_hour_that_the_clock_skips_lengths_stay_true() -> None:
    day = date(2026, 3, 8)  # 02:00 becomes 03:00
    found = calendar(hours=(Weekly(6, time(0), time(6)),), now=at(0, 0, day))
    every = [slot.start for slot in slots.free_slots(found, day, day)]
    assert every[-1] - every[0] == timedelta(hours=3, minutes=30)  # five real hours, less a stay of 90 minutes
    assert "02:00" not in starts(found, day)
    assert "03:00" in starts(found, day)


def test_in_the_hour_that_comes_twice_both_are_offered_once() -> None:
    day = date(2026, 11, 1)  # 01:00 to 02:00 comes twice
    found = calendar(hours=(Weekly(6, time(0), time(6)),), now=at(0, 0, day))
    every = [slot.start for slot in slots.free_slots(found, day, day)]
    assert every[-1] - every[0] == timedelta(hours=5, minutes=30)  # seven real hours
    assert len(every) == len(set(every))
    assert starts(found, day).count("01:30") == 2


def test_a_time_that_is_skipped_moves_forward_and_of_one_that_comes_twice_the_first_is_meant() -> None:
    assert slots.moment(date(2026, 3, 8), time(2, 30), ZONE) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert slots.moment(date(2026, 11, 1), time(1, 30), ZONE) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_the_next_free_ones_are_three_different_times_and_skip_the_weekend() -> None:
    friday = date(2026, 11, 27)
    found = calendar(rooms=(ROOM, OTHER_ROOM))
    assert [slot.start for slot in slots.next_free(found, at(16, 15, friday))] == [
        at(16, 15, friday),
        at(16, 30, friday),
        at(8, 0, date(2026, 11, 30)),
    ]


def test_with_no_opening_hours_there_is_no_next_one() -> None:
    assert slots.next_free(calendar(hours=()), at(8)) == []


def test_a_free_start_needs_no_explanation() -> None:
    for start in slots.free_slots(calendar(operators=(OPERATOR,)), MONDAY, MONDAY):
        assert kinds(calendar(), start.start, ROOM, OPERATOR) == []


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (at(7, 30), ["hours"]),
        (at(17, 30), ["hours"]),
        (at(17), ["stay"]),
        (at(9, 0, date(2026, 11, 28)), ["hours"]),
        (at(9, 0, date(2026, 11, 20)), ["past"]),
    ],
)
def test_a_start_that_is_not_offered_is_explained(start: datetime, expected: list[str]) -> None:
    assert kinds(calendar(), start) == expected


def test_every_conflict_is_named_with_its_time_and_never_with_a_patient() -> None:
    found = calendar(
        busy=(
            busy(Resource.ROOM, ROOM.pk, at(10), 90),
            busy(Resource.PATIENT, 7, at(10), 60),
            busy(Resource.OPERATOR, OPERATOR.pk, at(10, 15), 30),
        )
    )
    reasons = slots.explain(found, at(10), room=ROOM, operator=OPERATOR)
    assert [reason.message % reason.params for reason in reasons] == [
        "The patient has another procedure from 10:00–11:00. That cannot be overbooked.",
        "Room 1 is taken 10:00–11:30 by another procedure.",
        "Dr Lee is busy 10:15–10:45 with another procedure.",
    ]
    assert not any(reason.is_outside for reason in reasons)


def test_a_closure_is_explained_with_its_reason() -> None:
    found = calendar(closures=(Closed(MONDAY, MONDAY, None, "Thanksgiving"),))
    (reason,) = slots.explain(found, at(9), room=ROOM, operator=None)
    assert reason.message % reason.params == "The clinic is closed: Thanksgiving."
    assert reason.is_outside


def test_without_a_room_the_clinic_may_be_closed() -> None:
    assert kinds(calendar(), at(22), room=None) == []


@pytest.mark.parametrize("hour", range(24))
def test_explained_and_offered_agree(hour: int) -> None:
    found = calendar(
        operators=(OPERATOR,),
        sessions={OPERATOR.pk: (Weekly(0, time(9), time(15)),)},
        busy=(
            busy(Resource.ROOM, ROOM.pk, at(10), 45),
            busy(Resource.PATIENT, 7, at(13), 20),
            busy(Resource.OPERATOR, OPERATOR.pk, at(11, 30), 15),
        ),
    )
    offered = {slot.start for slot in slots.free_slots(found, MONDAY, MONDAY)}
    for minute in (0, 15, 30, 45):
        assert (kinds(found, at(hour, minute), ROOM, OPERATOR) == []) == (at(hour, minute) in offered)
