"""The board: who, where, when, by room and local day, and nothing clinical."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.actor import Actor
from clinic.models import ClinicHours, Closure, Room, User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.domain.picture import Urgency
from followups.selectors import board
from followups.selectors.board import Day, Week
from procedures.models import AllergyEntry, Checklist, LabTest, MedicineEntry, Procedure, ResultVersion
from tests import checked, make
from tests.factories.work import DAY, HOUR, NOW, promise

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 23)
#: On this day New York's clock goes back: it has 25 hours.
LONG_DAY = date(2026, 11, 1)


@pytest.fixture(autouse=True)
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def sam() -> User:
    return make.user(Role.SCHEDULER, full_name="Sam Schedule")


def day(who: User, on: date = MONDAY, number: str | None = None) -> Day:
    waiting = board.pulse(on, NOW).waiting
    return board.day(actor=Actor.person(who), first=on, now=NOW, waiting=waiting, number=number)


def week(who: User, first: date = MONDAY) -> Week:
    return board.week(actor=Actor.person(who), first=first, now=NOW)


def lanes(found: Day) -> dict[str, list[int]]:
    return {lane.name: [entry.procedure.pk for entry in lane.entries] for lane in found.lanes}


def page(client: Client, who: User, name: str = "board", **query: str) -> str:
    client.force_login(who)
    return client.get(reverse(f"followups:{name}"), query).content.decode()


def test_each_room_in_use_has_a_lane_in_order_of_time(sam: User) -> None:
    one, two = make.room("Room 1"), make.room("Room 2")
    make.room("Old room", is_active=False)
    late = make.procedure(status="scheduled", starts=NOW + 3 * HOUR, room=one)
    early = make.procedure(status="arrived", starts=NOW, room=one)
    assert lanes(day(sam)) == {one.name: [early.pk, late.pk], two.name: []}


def test_a_case_in_a_room_that_is_no_longer_used_is_not_lost(sam: User) -> None:
    old = make.room("Old room", is_active=False)
    case = make.procedure(status="scheduled", starts=NOW, room=old)
    assert lanes(day(sam)) == {"Old room": [case.pk]}


def test_what_has_no_room_stands_in_a_lane_of_its_own(sam: User) -> None:
    """An emergency at the bedside may have no slot either: then by when it began."""
    begun = make.procedure(started_at=NOW, status="requested", emergency_start=True, emergency_reason="peritonitis")
    Procedure.objects.filter(pk=begun.pk).update(status="in_progress")
    bedside = make.procedure(status="scheduled", starts=NOW + HOUR)
    Procedure.objects.filter(pk=bedside.pk).update(room=None, room_time=None)
    Room.objects.all().delete()
    assert lanes(day(sam)) == {"": [begun.pk, bedside.pk]}


def test_cancelled_and_missed_cases_stay_on_their_day_and_errors_do_not(sam: User) -> None:
    room = make.room("Room 1")
    cases = [make.procedure(status="scheduled", starts=NOW + n * 2 * HOUR, room=room) for n in range(3)]
    for case, status in zip(cases, ("cancelled", "no_show", "entered_in_error"), strict=True):
        Procedure.objects.filter(pk=case.pk).update(status=status, ended_at=NOW)
    assert lanes(day(sam)) == {"Room 1": [cases[0].pk, cases[1].pk]}


@pytest.mark.parametrize(
    ("local", "on"),
    [
        (time(0, 0), LONG_DAY),
        (time(23, 59), LONG_DAY),
        (time(0, 0), LONG_DAY + DAY),
        (time(23, 59), LONG_DAY - DAY),
    ],
)
def test_a_day_with_25_hours_has_all_its_cases_and_no_others(sam: User, local: time, on: date) -> None:
    start = datetime.combine(on, local, tzinfo=board.timezone.get_default_timezone()).astimezone(UTC)
    room = make.room("Room 1")
    case = make.procedure(status="scheduled", starts=start, room=room)
    begin, end = board.bounds(LONG_DAY)
    assert end - begin == timedelta(hours=25)
    for other in (LONG_DAY - DAY, LONG_DAY, LONG_DAY + DAY):
        assert lanes(day(sam, other)) == {"Room 1": [case.pk] if other == on else []}


def test_the_checklist_is_ready_or_not_and_nothing_more(sam: User) -> None:
    room = make.room("Room 1")
    ready = make.procedure(status="scheduled", starts=NOW + HOUR, room=room)
    checked.sign(ready)
    make.procedure(status="scheduled", starts=NOW + 4 * HOUR, room=room)
    make.procedure(status="completed", starts=NOW - 4 * HOUR, room=room)
    assert [entry.ready for entry in day(sam).entries] == [None, True, False]


def test_a_case_whose_time_has_passed_unrecorded_is_late(sam: User) -> None:
    room = make.room("Room 1")
    late = make.procedure(status="scheduled", starts=NOW - 3 * HOUR, room=room)
    promise(Kind.CARRY_OUT, procedure=late, due=-HOUR)
    on_time = make.procedure(status="scheduled", starts=NOW, room=room)
    promise(Kind.CARRY_OUT, procedure=on_time, due=HOUR)
    done = make.procedure(status="completed", starts=NOW - 6 * HOUR, room=room)
    promise(Kind.SIGN_RECORD, procedure=done, due=-HOUR)
    assert {e.procedure.pk: e.late for e in day(sam).entries} == {late.pk: True, on_time.pk: False, done.pk: False}


def test_what_must_be_booked_first_is_first_and_the_dateless_last(sam: User) -> None:
    def request(due: timedelta | None, status: str = "requested", kind: Kind = Kind.BOOK_REQUEST) -> int:
        case = make.procedure(
            status=status, requested_at=NOW - DAY, ended_at=NOW - DAY if status == "no_show" else None
        )
        if due is not None:
            promise(kind, procedure=case, due=due)
        return int(case.pk)

    unplanned, soon = request(None), request(HOUR)
    missed = request(-HOUR, "no_show", Kind.REBOOK_NO_SHOW)
    later, overdue = request(2 * DAY), request(-DAY)
    request(-DAY, "cancelled")
    found = day(sam).waiting
    assert [row.procedure.pk for row in found] == [overdue, missed, soon, later, unplanned]
    words = [Urgency.OVERDUE, Urgency.OVERDUE, Urgency.DUE, Urgency.WAITING, Urgency.WAITING]
    assert [row.state for row in found] == words


def test_a_missed_case_is_on_its_day_and_waits(sam: User) -> None:
    case = make.procedure(status="scheduled", starts=NOW - HOUR, room=make.room("Room 1"))
    Procedure.objects.filter(pk=case.pk).update(status="no_show", ended_at=NOW)
    found = day(sam)
    assert lanes(found) == {"Room 1": [case.pk]}
    assert [row.procedure.pk for row in found.waiting] == [case.pk]


def test_the_waiting_list_has_pages_and_every_page_has_the_board(sam: User) -> None:
    version, who, doctor = make.protocol_version(), make.patient(), make.user(Role.PHYSICIAN)
    on_day = make.procedure(status="scheduled", starts=NOW, room=make.room("Room 1"))
    cases = [
        make.procedure(protocol_version=version, patient=who, responsible=doctor, requested_at=NOW - DAY).pk
        for _ in range(27)
    ]
    first, second = day(sam), day(sam, number="2")
    assert [row.procedure.pk for row in first.waiting] == cases[:25]
    assert [row.procedure.pk for row in second.waiting] == cases[25:]
    assert lanes(first) == lanes(second) == {"Room 1": [on_day.pk]}


def test_the_week_counts_what_it_shows(sam: User) -> None:
    one, two = make.room("Room 1"), make.room("Room 2")
    monday = make.procedure(status="scheduled", starts=NOW, room=one)
    sunday = make.procedure(status="scheduled", starts=NOW + 6 * DAY, room=two)
    make.procedure(status="scheduled", starts=NOW + 7 * DAY, room=two)
    found = week(sam)
    shown = {
        (name, column.day): [entry.procedure.pk for entry in entries]
        for name, cells in found.lanes
        for column, entries in cells
        if entries
    }
    assert shown == {("Room 1", MONDAY): [monday.pk], ("Room 2", MONDAY + 6 * DAY): [sunday.pk]}
    assert [column.count for column in found.columns] == [1, 0, 0, 0, 0, 0, 1]
    assert found.total == 2


# --- the pages --------------------------------------------------------------------------------


def test_the_title_names_the_day(client: Client, sam: User) -> None:
    assert "<title>Mon 23 Nov ·" in page(client, sam)
    assert "<title>Tue 1 Dec ·" in page(client, sam, day="2026-12-01")
    assert "<title>Week of Mon 30 Nov ·" in page(client, sam, "week", day="2026-12-01")


def test_what_is_no_day_shows_today_and_says_so(client: Client, sam: User) -> None:
    html = page(client, sam, day="tomorrow")
    assert "<title>Mon 23 Nov ·" in html
    assert "That is no date." in html


def test_a_holiday_a_closed_room_and_a_weekend_say_so(client: Client, sam: User) -> None:
    make.opening_hours()
    room = make.room("Room 1")
    Closure.objects.create(first_day=date(2026, 11, 26), last_day=date(2026, 11, 26), reason="Thanksgiving")
    Closure.objects.create(first_day=MONDAY, last_day=MONDAY, room=room, reason="painting")
    assert "The clinic is closed: Thanksgiving." in page(client, sam, day="2026-11-26")
    assert "The clinic does not open on a Saturday." in page(client, sam, day="2026-11-28")
    today = page(client, sam)
    assert "Closed: painting" in today
    assert "08:00–18:00" in today
    assert "The clinic is closed" not in today
    assert "Thanksgiving" in page(client, sam, "week")


def test_an_empty_board_says_what_would_be_there(client: Client, sam: User) -> None:
    html = page(client, sam)
    assert "No rooms yet" in html
    assert "Every request has a slot" in html
    make.room("Room 1")
    assert "Nothing booked" in page(client, sam)


def test_no_opening_hours_at_all_are_not_called_a_closed_day(client: Client, sam: User) -> None:
    assert not ClinicHours.objects.exists()
    assert "The clinic does not open" not in page(client, sam)


@pytest.mark.parametrize("name", ["board", "week"])
def test_a_scheduler_sees_who_and_when_and_nothing_clinical(client: Client, sam: User, name: str) -> None:
    case = clinical_case()
    html = page(client, sam, name)
    assert "Zimmermann" in html
    assert "10:00" in html
    clinical = [
        "chlorhexidine", "apixaban", "cell", "organism", "Staphylococcus", "allerg", "medicine", "result",
        "unanswered", "flagged", case.protocol_version.parsed.indication(case.indication).label, "peritonitis",
        "restart",
    ]  # fmt: skip
    main = html.split('<main class="page-main', 1)[1].split("</main>")[0].lower()
    assert [word for word in clinical if word.lower() in main] == []


def clinical_case() -> Procedure:
    """With an allergy, a medicine, a critical result and promises about them."""
    patient = make.patient(interpreter_needed=True, language="Somali")
    case = make.procedure(
        status="scheduled", starts=NOW, patient=patient, note="peritonitis?", room=make.room("Room 1")
    )
    who = {"recorded_at": NOW, "checklist": Checklist.objects.create(procedure=case, opened_at=NOW)}
    AllergyEntry.objects.create(substance="chlorhexidine", severity="anaphylaxis", **who)
    MedicineEntry.objects.create(name="apixaban", status="ongoing", **who)
    fields: dict[str, Any] = {"container": "c", "usual_hours": 1, "outer_hours": 24, "ordered_at": NOW}
    test = LabTest.objects.create(procedure=case, code="cell_count", label="Cell count", **fields)
    ResultVersion.objects.create(
        test=test, number=1, status="final", level="critical", text="Staphylococcus: organism seen", reported_at=NOW,
        arrived_at=NOW,
    )  # fmt: skip
    for kind in (Kind.REVIEW_RESULT, Kind.RESTART_MEDICINE, Kind.TELL_PATIENT, Kind.CARRY_OUT):
        promise(kind, procedure=case, due=-HOUR, level="critical")
    return case


def test_flags_are_words(client: Client, sam: User) -> None:
    case = clinical_case()
    Procedure.objects.filter(pk=case.pk).update(urgency="emergency")
    type(case.patient).objects.update(encounter_class="inpatient")
    html = page(client, sam)
    for word in ("Interpreter: Somali", "Inpatient", "Emergency", "Overdue to record", "Not ready", "Scheduled"):
        assert word in html.replace("</i>", "").replace("\n", "")


def test_who_may_not_book_is_led_to_the_case(client: Client, sam: User) -> None:
    case = make.procedure(requested_at=NOW)
    book = reverse("procedures:schedule", args=[case.code])
    assert book in page(client, sam)
    director = page(client, make.user(Role.DIRECTOR))
    assert book not in director
    assert reverse("followups:case", args=[case.code]) in director
