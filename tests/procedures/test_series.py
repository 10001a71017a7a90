"""Series: booked together, changed together, each a case of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import Absence, AuditEntry, Room, User
from clinic.roles import Role
from followups.models import FollowUp
from procedures.domain.series import Wanted
from procedures.models import Patient, Procedure, Series
from procedures.models.procedures import new_code
from procedures.selectors import series as selector
from procedures.selectors import slots as calendar
from procedures.services import bookings, moves, patients
from procedures.services import series as service
from procedures.services.bookings import SomeRefused
from procedures.services.series import Plan, Tap
from tests import make

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo(settings.CLINIC_ZONE)
#: A Wednesday; the series begins on the Thursday of the week after.
NOW = datetime(2026, 11, 18, 10, tzinfo=ZONE)
FIRST = date(2026, 11, 26)
NINE = time(9)


@pytest.fixture(autouse=True)
def november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW.astimezone(UTC))


@pytest.fixture
def actor() -> Actor:
    return make.actor(Role.SCHEDULER)


@pytest.fixture
def room() -> Room:
    make.opening_hours()
    return make.room("Room 1")


@pytest.fixture
def lee() -> User:
    return make.user(Role.PHYSICIAN, full_name="Lee")


def at(day: date, clock_time: time = NINE) -> datetime:
    return datetime.combine(day, clock_time, tzinfo=ZONE).astimezone(UTC)


def days(count: int = 4, interval: int = 14, first: date = FIRST) -> list[date]:
    return [first + n * timedelta(days=interval) for n in range(count)]


def taps(room: Room, on: list[date], **more: Any) -> list[Tap]:
    return [Tap(row=n, start=at(day), room=room, **more) for n, day in enumerate(on, start=1)]


def begin(
    actor: Actor, room: Room, lee: User, *, count: int = 4, patient: Patient | None = None, **more: Any
) -> Series:
    make.protocol_version("paracentesis")
    wanted = {"protocol": "paracentesis", "indication": "serial_relief", "responsible": lee}
    plan = Plan(**{**wanted, "interval_days": 14, "at": NINE, "weekday": 3, **more.pop("plan", {})})
    return service.start(
        actor=actor,
        patient=patient or make.patient(),
        plan=plan,
        taps=more.pop("taps", None) or taps(room, days(count)),
        code=more.pop("code", "") or new_code(),
        **more,
    )


def starts(series: Series) -> list[str]:
    rows = series.taps.filter(status="scheduled").order_by("series_place")
    return [f"{case.stay.lower.astimezone(ZONE):%d %b %H:%M}" for case in rows if case.stay]


def seen(series: Series) -> int:
    return Series.objects.get(pk=series.pk).facts_version


def promised(series: Series) -> list[FollowUp]:
    return list(FollowUp.objects.filter(subject_kind="series", subject_id=series.pk, closed_at__isnull=True))


# --- beginning ------------------------------------------------------------------------------


def test_four_are_requested_ordered_and_booked_in_one_step(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee)
    assert starts(series) == ["26 Nov 09:00", "10 Dec 09:00", "24 Dec 09:00", "07 Jan 09:00"]
    cases = list(series.taps.order_by("series_place"))
    assert [case.series_place for case in cases] == [1, 2, 3, 4]
    assert all(case.tests.exists() and case.responsible == lee for case in cases)
    assert AuditEntry.objects.filter(action="procedure.scheduled", patient_id=series.patient_id).count() == 4
    assert AuditEntry.objects.filter(action="series.started", subject_id=series.pk).exists()
    assert promised(series) == []


def test_what_is_taken_is_named_and_nothing_at_all_is_booked(actor: Actor, room: Room, lee: User) -> None:
    make.procedure(status="scheduled", starts=at(days()[2]), room=room, variant="diagnostic")
    with pytest.raises(SomeRefused) as refused:
        begin(actor, room, lee, taps=taps(room, [*days(), date(2026, 11, 28)]))
    assert {row: type(error).__name__ for row, error in refused.value.refused.items()} == {
        3: "SlotTaken",
        5: "OutsideHours",  # a Saturday
    }
    assert not Series.objects.exists()
    assert Procedure.objects.count() == 1


def test_the_same_page_sent_twice_is_one_series(actor: Actor, room: Room, lee: User) -> None:
    patient, code = make.patient(), new_code()
    first = begin(actor, room, lee, patient=patient, code=code)
    assert begin(actor, room, lee, patient=patient, code=code).pk == first.pk
    assert Procedure.objects.count() == 4


def test_a_second_series_of_the_kind_is_refused_while_the_first_goes_on(actor: Actor, room: Room, lee: User) -> None:
    patient = make.patient()
    begin(actor, room, lee, patient=patient)
    with pytest.raises(Conflict, match="has a series of this kind already"):
        begin(actor, room, lee, patient=patient, taps=taps(room, days(first=date(2026, 11, 27))))
    assert Series.objects.count() == 1


def test_a_case_that_is_there_becomes_the_first(actor: Actor, room: Room, lee: User) -> None:
    case = make.procedure(status="scheduled", starts=at(FIRST), room=room)
    series = begin(actor, room, lee, patient=case.patient, taps=taps(room, days()[1:]), first=case)
    case.refresh_from_db()
    assert (case.series, case.series_place, series.taps.count()) == (series, 1, 4)
    again = make.procedure("lumbar_puncture", status="scheduled", patient=case.patient, starts=at(date(2026, 12, 1)))
    service.end(actor=actor, series=series, reason="Done", cancel_booked=False, seen=seen(series))
    with pytest.raises(Invalid, match="same patient and kind"):
        begin(actor, room, lee, patient=case.patient, taps=taps(room, [date(2027, 2, 4)]), first=again)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"interval_days": 0}, "every"),
        ({"interval_days": 181}, "every"),
        ({"total": 0}, "total"),
        ({"total": 3}, "total"),
        ({"until": date(2026, 11, 17)}, "until"),
        ({"indication": "boredom"}, "indication"),
        ({"variant": "express"}, "variant"),
    ],
)
def test_bad_input_is_refused_beside_its_field(
    actor: Actor, room: Room, lee: User, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        begin(actor, room, lee, plan=wrong)
    assert refused.value.field == field
    assert not Series.objects.exists()


def test_no_more_than_twelve_at_once_and_none_for_the_dead(actor: Actor, room: Room, lee: User) -> None:
    with pytest.raises(Invalid, match="No more than 12"):
        begin(actor, room, lee, taps=taps(room, days(13, 7)))
    with pytest.raises(Invalid, match="deceased"):
        begin(actor, room, lee, patient=make.patient(deceased_at=clock.now()))
    with pytest.raises(Invalid, match="at least one"):
        service.start(
            actor=actor,
            patient=make.patient(),
            plan=Plan(protocol="paracentesis", indication="relief", responsible=lee, interval_days=7, at=NINE),
            taps=[],
            code=new_code(),
        )


# --- booking the next ones ------------------------------------------------------------------


def test_the_next_ones_continue_the_count_and_stop_at_the_total(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee, count=2, plan={"total": 3})
    more = taps(room, [days()[2]])
    service.extend(actor=actor, series=series, taps=more, seen=seen(series))
    assert list(series.taps.order_by("series_place").values_list("series_place", flat=True)) == [1, 2, 3]
    with pytest.raises(Invalid, match="Only 0 more"):
        service.extend(actor=actor, series=series, taps=taps(room, [days()[3]]), seen=seen(series))


def test_a_page_that_is_behind_books_nothing(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee, count=1)
    shown = seen(series)
    service.extend(actor=actor, series=series, taps=taps(room, [days()[1]]), seen=shown)
    with pytest.raises(Conflict, match="changed in the meantime"):
        service.extend(actor=actor, series=series, taps=taps(room, [days()[2]]), seen=shown)
    assert series.taps.count() == 2


def test_none_is_booked_after_the_last_day(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee, count=1, plan={"until": date(2026, 12, 1)})
    with pytest.raises(SomeRefused):
        service.extend(actor=actor, series=series, taps=taps(room, [days()[1]]), seen=seen(series))


# --- changing -------------------------------------------------------------------------------


def move(actor: Actor, series: Series, to: Room, chosen: list[Procedure], by: int, **more: Any) -> None:
    wanted = [
        Tap(row=n, start=case.stay.lower + timedelta(days=by), room=to, case=case)
        for n, case in enumerate(chosen, start=1)
        if case.stay
    ]
    service.change(actor=actor, series=series, taps=wanted, seen=seen(series), **more)


def test_all_move_a_fortnight_each_into_the_place_of_the_next(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee)
    move(actor, series, room, list(series.taps.order_by("series_place")), 14)
    assert starts(series) == ["10 Dec 09:00", "24 Dec 09:00", "07 Jan 09:00", "21 Jan 09:00"]
    moved = AuditEntry.objects.filter(action="procedure.moved").order_by("pk")
    assert [row.data["before"]["start"][:10] for row in moved] == [f"{day:%Y-%m-%d}" for day in days()]


def test_one_moves_alone_and_the_series_stays_as_it_was(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee)
    move(actor, series, room, [series.taps.get(series_place=2)], 1)
    assert starts(series) == ["26 Nov 09:00", "11 Dec 09:00", "24 Dec 09:00", "07 Jan 09:00"]
    series.refresh_from_db()
    assert (series.weekday, series.interval_days) == (3, 14)


def test_a_lasting_change_holds_for_later_bookings(actor: Actor, room: Room, lee: User) -> None:
    series, other = begin(actor, room, lee), make.room("Room 2")
    chosen = list(series.taps.filter(series_place__gte=3))
    move(actor, series, other, chosen, 0, room=other, operator=lee, at=time(10), lasting=True)
    series.refresh_from_db()
    assert (series.room, series.operator, series.at) == (other, lee, time(10))
    assert list(series.taps.order_by("series_place").values_list("room__name", flat=True)) == [
        "Room 1",
        "Room 1",
        "Room 2",
        "Room 2",
    ]


def test_a_move_that_one_cannot_make_moves_none_and_names_it(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee)
    make.procedure(status="scheduled", starts=at(date(2026, 12, 25)), room=room, variant="diagnostic")
    with pytest.raises(SomeRefused) as refused:
        move(actor, series, room, list(series.taps.order_by("series_place")), 1)
    assert list(refused.value.refused) == [3]
    assert starts(series)[0] == "26 Nov 09:00"


@pytest.mark.parametrize("state", ["arrived", "in_progress", "completed", "cancelled"])
def test_what_has_begun_or_is_over_is_never_touched(actor: Actor, room: Room, lee: User, state: str) -> None:
    series = begin(actor, room, lee)
    case = series.taps.get(series_place=1)
    other = make.procedure(
        status=state, series=series, series_place=9, patient=series.patient, starts=at(date(2027, 2, 1)), room=room
    )
    with pytest.raises(Conflict, match="has begun, is over, or lies in the past"):
        service.cancel(actor=actor, series=series, cases=[case.pk, other.pk], reason="x", seen=seen(series))
    case.refresh_from_db()
    assert case.status == "scheduled"


def test_the_past_is_never_touched(actor: Actor, room: Room, lee: User, monkeypatch: pytest.MonkeyPatch) -> None:
    series = begin(actor, room, lee)
    monkeypatch.setattr(clock, "now", lambda: at(date(2026, 11, 27)))
    with pytest.raises(Conflict):
        move(actor, series, room, [series.taps.get(series_place=1)], 7)


def test_a_booking_that_somebody_moved_meanwhile_is_not_moved_over(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee)
    case = series.taps.get(series_place=2)
    tap = Tap(row=1, start=at(date(2026, 12, 11)), room=room, case=case, seen="scheduled:1::")
    with pytest.raises(SomeRefused) as refused:
        service.change(actor=actor, series=series, taps=[tap], seen=seen(series))
    assert "changed in the meantime" in str(refused.value.refused[1])


def test_to_cancel_one_keeps_the_series_and_promises_the_next_again(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee, count=1)
    case = series.taps.get()
    service.cancel(actor=actor, series=series, cases=[case.pk], reason="Holiday", seen=seen(series))
    series.refresh_from_db()
    assert series.is_active
    (promise,) = promised(series)
    assert (promise.role, promise.procedure) == ("scheduler", case)
    service.extend(actor=actor, series=series, taps=taps(room, [FIRST]), seen=seen(series))
    assert promised(series) == []


# --- ending ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("cancel", "left"), [(True, 0), (False, 4)])
def test_who_ends_a_series_says_what_becomes_of_those_that_are_booked(
    actor: Actor, room: Room, lee: User, cancel: bool, left: int
) -> None:
    series = begin(actor, room, lee)
    with pytest.raises(Invalid) as refused:
        service.end(actor=actor, series=series, reason=" ", cancel_booked=cancel, seen=seen(series))
    assert refused.value.field == "reason"
    service.end(actor=actor, series=series, reason="Shunt", cancel_booked=cancel, seen=seen(series))
    assert series.taps.filter(status="scheduled").count() == left
    assert promised(series) == []
    again = service.resume(actor=actor, series=series, seen=seen(series))
    assert again.is_active
    assert bool(promised(series)) == cancel


def test_a_death_ends_it_and_a_death_recorded_by_mistake_does_not(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee, count=1)
    moves.no_show(actor=actor, procedure=series.taps.get())
    assert promised(series)
    patients.set_deceased(actor=actor, patient=series.patient, at=clock.now())
    series.refresh_from_db()
    assert (series.status, series.ended_because, promised(series)) == ("ended", "deceased", [])
    with pytest.raises(Invalid, match="deceased"):
        service.resume(actor=actor, series=series, seen=seen(series))
    patients.undo_deceased(actor=actor, patient=series.patient, reason="Wrong chart")
    series.refresh_from_db()
    assert series.is_active and promised(series)


# --- distances ------------------------------------------------------------------------------


def test_a_single_move_that_drifts_is_promised_until_it_is_said_to_be_right(
    actor: Actor, room: Room, lee: User
) -> None:
    series = begin(actor, room, lee, count=2)
    second = series.taps.get(series_place=2)
    bookings.schedule(actor=actor, procedure=second, start=at(date(2026, 12, 15)), room=room)
    (promise,) = promised(series)
    assert promise.about == {"series": series.code, "late": "5"}
    with pytest.raises(Invalid):
        service.accept_gap(actor=actor, series=series, case=second, reason="", seen=seen(series))
    service.accept_gap(actor=actor, series=series, case=second, reason="Abroad until then", seen=seen(series))
    assert promised(series) == []
    bookings.schedule(actor=actor, procedure=second, start=at(date(2026, 12, 17)), room=room)
    assert promised(series)


def test_whoever_books_a_wide_distance_here_has_seen_it_and_means_it(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee, taps=taps(room, [FIRST, date(2026, 12, 17)]))
    assert series.taps.get(series_place=2).series_gap_accepted == 21
    assert promised(series) == []


# --- proposals from the clinic's calendar ---------------------------------------------------


def test_an_operator_who_is_absent_is_not_proposed_and_not_booked(actor: Actor, room: Room, lee: User) -> None:
    version = make.protocol_version("paracentesis")
    Absence.objects.create(user=lee, surrogate=make.user(), starts_at=at(FIRST, time(0)), ends_at=at(FIRST, time(23)))
    (found,) = selector.proposals(
        patient=make.patient(),
        version=version,
        variant="diagnostic",
        location="clinic",
        wanted=[Wanted(day=FIRST, at=NINE)],
        interval_days=14,
        now=clock.now(),
        operators=lee,
    )
    assert selector.sentences(found) == ["moved from Thu 26 Nov: Lee is away"]
    assert found.slot is not None and found.slot.start == at(date(2026, 11, 27))
    case = make.procedure(variant="diagnostic")
    reasons = calendar.reasons(procedure=case, start=at(FIRST), room=room, operator=lee, now=clock.now())
    assert [reason.kind for reason in reasons] == ["away"]


# --- the database ---------------------------------------------------------------------------


def refused_by(name: str, change: Any) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        change()


def test_the_database_refuses_what_must_never_be(actor: Actor, room: Room, lee: User) -> None:
    series = begin(actor, room, lee, count=2)
    rows, cases = Series.objects.filter(pk=series.pk), series.taps.order_by("series_place")
    first, stranger = cases[0], make.procedure()
    other = Procedure.objects.filter(pk=stranger.pk)
    refused_by("series_interval_in_range", lambda: rows.update(interval_days=0))
    refused_by("series_weekday_known", lambda: rows.update(weekday=7))
    refused_by("series_total_in_range", lambda: rows.update(total=100))
    refused_by("series_status_known|series_ended_because", lambda: rows.update(status="paused"))
    refused_by("series_ended_because", lambda: rows.update(status="ended"))
    refused_by("series_stop_has_reason", lambda: rows.update(status="ended", ended_at=NOW, ended_because="stopped"))
    refused_by("procedure_series_place_once", lambda: Procedure.objects.filter(pk=first.pk).update(series_place=2))
    refused_by("procedure_series_has_place", lambda: Procedure.objects.filter(pk=first.pk).update(series_place=None))
    refused_by("own patient and protocol", lambda: other.update(series=series, series_place=3))
    puncture = make.procedure("lumbar_puncture", patient=series.patient)
    refused_by(
        "own patient and protocol",
        lambda: Procedure.objects.filter(pk=puncture.pk).update(series=series, series_place=3),
    )
