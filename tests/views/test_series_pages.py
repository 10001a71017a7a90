"""The pages that plan, show and change a series."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.models import Closure, Room, User
from clinic.roles import Role
from followups.models import FollowUp
from procedures.forms.series import SeriesForm
from procedures.models import Patient, Procedure, Series
from procedures.models.procedures import new_code
from tests import make
from tests.pages import as_role

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo(settings.CLINIC_ZONE)
NOW = datetime(2026, 11, 18, 10, tzinfo=ZONE)
FIRST = date(2026, 11, 26)
FIELD = re.compile(r'name="(t\d-\w+)"(?: value="([^"]*)")?')


@pytest.fixture(autouse=True)
def november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW.astimezone(UTC))


@pytest.fixture
def scheduler() -> Client:
    return as_role(Role.SCHEDULER)


@pytest.fixture
def room() -> Room:
    make.opening_hours()
    return make.room("Room 1")


@pytest.fixture
def lee() -> User:
    return make.user(Role.PHYSICIAN, full_name="Lee")


@pytest.fixture
def patient(room: Room) -> Patient:
    make.protocol_version("paracentesis")
    return make.patient()


def at(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=ZONE).astimezone(UTC)


def where(patient: Patient) -> str:
    return reverse("procedures:series_new", args=[patient.pk])


def url(name: str, series: Series, *args: str) -> str:
    return reverse(f"procedures:{name}", args=[series.code, *args])


def plan(lee: User, **changes: Any) -> dict[str, Any]:
    values = {
        "protocol": "paracentesis",
        "code": new_code(),
        "indication": "serial_relief",
        "variant": "",
        "responsible": lee.pk,
        "location": "clinic",
        "every": 2,
        "unit": 7,
        "count": 4,
        "first": FIRST.isoformat(),
        "at": "09:00",
        "in_room": "",
        "by": "",
        "note": "Prefers <b>mornings</b>",
    }
    return {**values, **changes}


def line(number: int, day: date, room: Room, *, clock_time: str = "09:00", **more: Any) -> dict[str, Any]:
    fields = {"picked": "on", "day": day.isoformat(), "at": clock_time, "room": room.pk, "operator": "", **more}
    return {f"t{number}-{name}": value for name, value in fields.items()}


def sent(lee: User, room: Room, days: list[date], **changes: Any) -> dict[str, Any]:
    """The page of a plan as it is sent: the dates it has proposed are the ones given."""
    data = plan(lee, **changes)
    data["shown"] = SeriesForm(data, protocol=make.protocol_version("paracentesis").parsed).signature()
    for number, day in enumerate(days, start=1):
        data |= line(number, day, room)
    return {"lines": len(days), "warned": "", **data}


def fortnights(count: int = 4) -> list[date]:
    return [FIRST + n * timedelta(days=14) for n in range(count)]


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- planning -------------------------------------------------------------------------------


def test_the_page_proposes_four_dates_past_a_closure_and_says_why(
    scheduler: Client, patient: Patient, lee: User
) -> None:
    Closure.objects.create(first_day="2026-12-24", last_day="2026-12-25", reason="Christmas")
    page = scheduler.post(where(patient), {**plan(lee), "refresh": "1"})
    text = text_of(page)
    days = re.findall(r'name="t\d-day" value="([\d-]+)"', text)
    assert page.status_code == 200
    assert days == ["2026-11-26", "2026-12-10", "2026-12-23", "2027-01-07"]
    assert "moved from Thu 24 Dec: clinic closed (Christmas)" in text
    assert "13 days after the one before, 1 fewer than the interval" in text
    assert not Series.objects.exists()


def test_one_button_books_what_is_chosen_and_leaves_out_what_is_not(
    scheduler: Client, patient: Patient, room: Room, lee: User
) -> None:
    data = sent(lee, room, fortnights()) | {"t4-picked": "", "t4-day": "nonsense"}
    answer = scheduler.post(where(patient), data)
    series = Series.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, url("series", series))
    assert (series.interval_days, series.weekday, series.taps.count()) == (14, 3, 3)
    case = series.taps.get(series_place=1)
    assert "Prefers &lt;b&gt;mornings" in text_of(scheduler.get(case.get_absolute_url()))
    assert scheduler.post(where(patient), data).status_code == 303
    assert Procedure.objects.count() == 3


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("every", "0"),
        ("every", "26"),  # weeks: more than 180 days
        ("every", "x"),
        ("count", "0"),
        ("count", "500"),
        ("first", "2026-11-17"),
        ("first", "yesterday"),
        ("at", "25:00"),
        ("until", "2026-11-25"),
        ("total", "500"),
        ("responsible", ""),
        ("indication", "<script>"),
        ("location", "kitchen"),
    ],
)
def test_bad_input_is_said_at_its_field_and_nothing_typed_is_lost(
    scheduler: Client, patient: Patient, room: Room, lee: User, field: str, wrong: str
) -> None:
    page = scheduler.post(where(patient), sent(lee, room, fortnights(), **{field: wrong}))
    text = text_of(page)
    assert page.status_code == 422
    assert f'href="#id_{field}' in text
    assert "mornings" in text and "<script>" not in re.sub(r"<script [^>]*src=[^>]*>", "", text)
    assert not Series.objects.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"t2-day": ""}, "Choose a day."),
        ({"t2-at": "late"}, "Enter a valid time."),
        ({"t2-room": ""}, "Choose a room."),
        ({"t2-day": "2026-11-17"}, "That time is past."),
        ({f"t{n}-picked": "" for n in range(1, 5)}, "Choose at least one."),
    ],
)
def test_a_line_that_is_wrong_says_so(
    scheduler: Client, patient: Patient, room: Room, lee: User, changes: dict[str, str], message: str
) -> None:
    page = scheduler.post(where(patient), sent(lee, room, fortnights()) | changes)
    assert page.status_code == 422
    assert message in text_of(page)
    assert not Series.objects.exists()


def test_what_was_taken_in_the_meantime_is_named_and_the_confirmed_rest_is_booked(
    scheduler: Client, patient: Patient, room: Room, lee: User
) -> None:
    make.procedure(status="scheduled", starts=at(fortnights()[1]), room=room, variant="diagnostic")
    data = sent(lee, room, fortnights())
    page = scheduler.post(where(patient), data)
    text = text_of(page)
    assert page.status_code == 409
    assert "The room is taken at that time." in text
    assert text.count("checked") >= 4
    assert 'name="rest" value="2"' in text
    assert not Series.objects.exists()
    # without the second the third comes 28 days after the first: that is said before it is booked
    again = scheduler.post(where(patient), data | {"rest": "2"})
    assert again.status_code == 422
    assert "28 days after the one before, 14 more than the interval" in text_of(again)
    assert scheduler.post(where(patient), data | {"rest": "2", "warned": "t3:28"}).status_code == 303
    assert Series.objects.get().taps.count() == 3


def test_a_plan_that_was_changed_after_the_dates_were_proposed_is_looked_at_first(
    scheduler: Client, patient: Patient, room: Room, lee: User
) -> None:
    data = sent(lee, room, fortnights()) | {"every": 3}
    page = scheduler.post(where(patient), data)
    assert page.status_code == 422
    assert "check the new dates" in text_of(page)
    assert not Series.objects.exists()


def test_a_series_begins_with_a_case(scheduler: Client, room: Room, lee: User) -> None:
    case = make.procedure(status="scheduled", starts=at(FIRST), room=room, responsible=lee, operator=lee)
    page = scheduler.get(where(case.patient) + f"?case={case.code}")
    text = text_of(page)
    assert re.findall(r'name="t\d-day" value="([\d-]+)"', text)[:2] == ["2026-12-10", "2026-12-24"]
    shown = re.search(r'name="shown" value="([^"]*)"', text)
    assert shown is not None and "2026-12-10|09:00" in shown[1]
    data = sent(lee, room, fortnights()[1:], indication=case.indication, variant=case.variant, by=lee.pk)
    data |= {"from_case": case.code, "first": fortnights()[1].isoformat(), "shown": unescape(shown[1])}
    assert scheduler.post(where(case.patient), data).status_code == 303
    case.refresh_from_db()
    assert (case.series_place, Series.objects.get().taps.count()) == (1, 4)


# --- one series -----------------------------------------------------------------------------


@pytest.fixture
def running(scheduler: Client, patient: Patient, room: Room, lee: User) -> Series:
    scheduler.post(where(patient), sent(lee, room, fortnights()))
    return Series.objects.get()


def test_the_page_shows_dates_distances_and_what_can_be_done(scheduler: Client, running: Series) -> None:
    text = text_of(scheduler.get(url("series", running)))
    assert "every 2 weeks, Thursday 09:00" in text
    assert text.count("14 days") >= 3
    assert "Book the next ones" in text
    assert "not yet approved" in text
    reader = text_of(as_role(Role.DIRECTOR).get(url("series", running)))
    assert "Book the next ones" not in reader


def test_a_scheduler_never_sees_what_the_records_say(scheduler: Client, running: Series, lee: User) -> None:
    case = running.taps.order_by("series_place").first()
    assert case is not None
    Procedure.objects.filter(pk=case.pk).update(status="in_progress", started_at=at(FIRST), operator=lee)
    case.refresh_from_db()
    case.records.create(number=1, fields={"volume_removed_ml": 5200}, signed_at=at(FIRST), signed_by=lee, saved_at=NOW)
    assert "5200 mL" in text_of(as_role(Role.NURSE).get(url("series", running)))
    assert "5200" not in text_of(scheduler.get(url("series", running)))


def test_the_next_ones_go_on_from_the_last(scheduler: Client, running: Series, room: Room) -> None:
    text = text_of(scheduler.get(url("series_book", running)))
    assert re.findall(r'name="t\d-day" value="([\d-]+)"', text)[0] == "2027-01-21"
    seen = re.search(r'name="seen" value="(\d+)"', text)
    assert seen is not None
    data = {"lines": 1, "warned": "", "count": 1, "seen": seen[1], **line(1, date(2027, 1, 21), room)}
    assert scheduler.post(url("series_book", running), data).status_code == 303
    assert running.taps.count() == 5
    stale = scheduler.post(url("series_book", running), {**data, **line(1, date(2027, 2, 4), room)})
    assert stale.status_code == 409
    assert "changed in the meantime" in text_of(stale)


def test_the_list_shows_first_what_must_be_booked(scheduler: Client, running: Series, room: Room) -> None:
    other = make.series(case=make.procedure(status="no_show", patient=make.patient(family="Aaron")))
    text = text_of(scheduler.get(reverse("procedures:series_list")))
    assert text.index("Aaron") < text.index(running.patient.family_name)
    assert "booked ahead" in text
    assert other.code in text


def test_the_board_says_how_many_wait(scheduler: Client, running: Series) -> None:
    assert "every next one is booked" in text_of(scheduler.get(reverse("followups:board")))
    for case in running.taps.all():
        scheduler.post(reverse("procedures:cancel", args=[case.code]), {"reason": "Away"})
    assert "1 series: the next one is to be booked" in text_of(scheduler.get(reverse("followups:board")))


def test_patient_and_case_lead_to_the_series(scheduler: Client, running: Series) -> None:
    case = running.taps.order_by("series_place").first()
    assert case is not None
    for page in (reverse("procedures:patient", args=[running.patient_id]), case.get_absolute_url()):
        assert url("series", running) in scheduler.get(page).content.decode()
    assert f"{url('series_change', running)}?of={case.code}" in scheduler.get(case.get_absolute_url()).content.decode()


# --- changing -------------------------------------------------------------------------------


def change(client: Client, series: Series, of: Procedure, **values: Any) -> tuple[Any, dict[str, str]]:
    """The preview, and the page as it would be sent from there."""
    data = {"of": of.code, "scope": "following", "kind": "move", "unit": "7", **values, "refresh": "1"}
    page = client.post(url("series_change", series), data)
    text = page.content.decode()
    sending = {**{k: str(v) for k, v in data.items() if k != "refresh"}}
    for name in ("seen", "shown", "lines", "warned"):
        found = re.search(rf'name="{name}" value="([^"]*)"', text)
        sending[name] = unescape(found[1]) if found else ""
    sending |= {name: value for name, value in FIELD.findall(text) if not name.endswith(("room", "operator"))}
    sending |= {name: "on" for name in sending if name.endswith("-picked")}
    rooms = re.findall(r'<select name="(t\d-room)".*?<option value="(\d+)" selected', text, re.S)
    sending |= dict(rooms)
    return page, sending


def test_this_and_following_move_after_a_preview_and_the_others_stay(scheduler: Client, running: Series) -> None:
    second = running.taps.get(series_place=2)
    page, sending = change(scheduler, running, second, weekday=1, at="10:30")
    text = text_of(page)
    assert page.status_code == 200
    assert re.findall(r'name="t\d-day" value="([\d-]+)"', text) == ["2026-12-08", "2026-12-22", "2027-01-05"]
    assert "2 fewer than the interval" in text
    assert running.taps.get(series_place=2).stay.lower == second.stay.lower  # type: ignore[union-attr]
    assert scheduler.post(url("series_change", running), sending).status_code == 303
    moved = [f"{case.stay.lower.astimezone(ZONE):%d %b %H:%M}" for case in running.taps.order_by("series_place")]  # type: ignore[union-attr]
    assert moved == ["26 Nov 09:00", "08 Dec 10:30", "22 Dec 10:30", "05 Jan 10:30"]
    running.refresh_from_db()
    assert (running.weekday, running.at) == (1, time(10, 30))


def test_another_interval_counts_from_the_tap_before(scheduler: Client, running: Series) -> None:
    page, sending = change(scheduler, running, running.taps.get(series_place=2), kind="interval", every=3)
    assert re.findall(r'name="t\d-day" value="([\d-]+)"', text_of(page)) == ["2026-12-17", "2027-01-07", "2027-01-28"]
    assert scheduler.post(url("series_change", running), sending).status_code == 303
    running.refresh_from_db()
    assert running.interval_days == 21


def test_one_is_cancelled_and_the_series_stays(scheduler: Client, running: Series) -> None:
    third = running.taps.get(series_place=3)
    page, sending = change(scheduler, running, third, scope="this", kind="cancel")
    assert "→ <strong>cancelled</strong>" in text_of(page)
    sending["pick"] = third.code
    without = scheduler.post(url("series_change", running), sending)
    assert without.status_code == 422 and "Say why." in text_of(without)
    assert scheduler.post(url("series_change", running), {**sending, "reason": "Holiday"}).status_code == 303
    assert [case.status for case in running.taps.order_by("series_place")] == [
        "scheduled", "scheduled", "cancelled", "scheduled",
    ]  # fmt: skip
    assert FollowUp.objects.filter(kind="next_in_series", closed_at=None).exists()  # 28 days between the two around it


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "move"}, "shift"),
        ({"kind": "move", "shift": "9999"}, "shift"),
        ({"kind": "interval"}, "every"),
        ({"kind": "interval", "every": "0"}, "every"),
        ({"kind": "interval", "every": "3", "scope": "this"}, "scope"),
        ({"kind": "where"}, "to_room"),
        ({"kind": "paint"}, "kind"),
    ],
)
def test_a_change_that_says_nothing_or_too_much_is_refused(
    scheduler: Client, running: Series, values: dict[str, str], field: str
) -> None:
    page, _sending = change(scheduler, running, running.taps.get(series_place=2), **values)
    assert page.status_code == 422
    assert f'href="#id_{field}' in text_of(page)


def test_a_preview_that_is_behind_changes_nothing(scheduler: Client, running: Series) -> None:
    _page, sending = change(scheduler, running, running.taps.get(series_place=2), shift=7)
    scheduler.post(reverse("procedures:cancel", args=[running.taps.get(series_place=4).code]), {"reason": "Away"})
    answer = scheduler.post(url("series_change", running), sending)
    assert answer.status_code == 409
    assert "changed in the meantime" in text_of(answer)


def test_a_series_ends_and_goes_on(scheduler: Client, running: Series) -> None:
    seen = Series.objects.get().facts_version
    page = scheduler.post(url("series_end", running), {"seen": seen, "booked": "cancel", "reason": ""})
    assert page.status_code == 422
    data = {"seen": seen, "booked": "cancel", "reason": "Liver transplant"}
    assert scheduler.post(url("series_end", running), data).status_code == 303
    assert scheduler.post(url("series_end", running), data).status_code == 303  # a second click
    assert not running.taps.filter(status="scheduled").exists()
    again = {"seen": Series.objects.get().facts_version}
    assert scheduler.post(url("series_resume", running), again).status_code == 303
    assert Series.objects.get().is_active


def test_a_distance_is_said_to_be_right_with_a_reason(scheduler: Client, running: Series, room: Room) -> None:
    second = running.taps.get(series_place=2)
    Procedure.objects.filter(pk=second.pk).update(series_gap_accepted=None)
    scheduler.post(reverse("procedures:cancel", args=[running.taps.get(series_place=1).code]), {"reason": "Away"})
    third = running.taps.get(series_place=3)
    scheduler.post(reverse("procedures:cancel", args=[second.code]), {"reason": "Away"})
    address = url("series_gap", running, third.code)
    assert scheduler.get(address).status_code == 200
    seen = Series.objects.get().facts_version
    assert scheduler.post(address, {"seen": seen, "reason": ""}).status_code == 422
    assert scheduler.post(address, {"seen": seen, "reason": "Abroad"}).status_code == 303
    assert scheduler.post(address, {"seen": seen, "reason": "Abroad"}).status_code == 409
