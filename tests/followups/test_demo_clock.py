"""The bar that moves time, the engine's page, and the mails of a demonstration."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.models import AuditEntry, DemoClock, Heartbeat
from clinic.roles import Role
from followups import engine, rungs
from followups.domain.kinds import Kind
from followups.models import FollowUp, Message, PatientLink
from followups.selectors import mail as mail_selector
from procedures import events
from tests import make
from tests.factories import outreach
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def demo(settings: Any) -> None:
    settings.DEMO = True


def logged_in(role: Role) -> Client:
    client = Client()
    client.force_login(make.user(role))
    return client


def move(client: Client, **data: Any) -> Any:
    return client.post(reverse("followups:demo_clock"), data)


# --- the clock ----------------------------------------------------------------------------------


def test_the_clock_cannot_be_moved_outside_a_demonstration() -> None:
    assert move(logged_in(Role.NURSE), hours=1).status_code == 404
    assert not DemoClock.objects.exists()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("hours", [1, 4, 24, 168])
def test_everybody_moves_the_clock_of_a_demonstration(demo: None, role: Role, hours: int) -> None:
    before = clock.now()
    response = move(logged_in(role), hours=hours, next="/engine/")
    assert (response.status_code, response["Location"]) == (303, "/engine/")
    assert before + hours * HOUR <= clock.now() < before + hours * HOUR + timedelta(minutes=1)


@pytest.mark.parametrize("hours", ["", "-1", "2", "soon", "9999999"])
def test_the_clock_moves_by_what_the_bar_offers_alone(demo: None, hours: str) -> None:
    assert move(logged_in(Role.NURSE), hours=hours).status_code == 422
    assert clock.offset() == timedelta(0)


def test_a_get_moves_nothing(demo: None) -> None:
    assert logged_in(Role.NURSE).get(reverse("followups:demo_clock")).status_code == 405


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", ""])
def test_the_way_back_never_leads_to_another_site(demo: None, target: str) -> None:
    client = logged_in(Role.NURSE)
    response = client.post(
        reverse("followups:demo_clock"), {"reset": 1, "next": target}, headers={"referer": "https://evil.test/"}
    )
    assert response["Location"] == reverse("home")


def test_a_local_referer_is_the_way_back_when_the_form_names_none(demo: None) -> None:
    referer = "http://testserver/engine/"
    response = logged_in(Role.NURSE).post(reverse("followups:demo_clock"), {"reset": 1}, headers={"referer": referer})
    assert response["Location"] == referer


def test_reset_goes_back_to_the_real_time_and_is_audited(demo: None) -> None:
    client = logged_in(Role.NURSE)
    move(client, hours=168)
    move(client, reset=1)
    assert clock.offset() == timedelta(0)
    assert list(AuditEntry.objects.filter(action__startswith="demo_clock").values_list("action", flat=True)) == [
        "demo_clock.reset",
        "demo_clock.moved",
    ]


def test_moving_a_day_climbs_the_ladder_at_its_own_times(demo: None) -> None:
    make.user(Role.DIRECTOR)
    row = factory.promise(Kind.SPECIMEN_NOT_RECEIVED, due=clock.now() + HOUR, role="nurse")
    nurse = logged_in(Role.NURSE)
    response = nurse.post(reverse("followups:demo_clock"), {"hours": 24, "next": "/engine/"})
    assert response.status_code == 303
    rows = Message.objects.filter(follow_up=row).order_by("created_at", "pk")
    assert [m.created_at for m in rows] == [row.due_at, row.due_at + 2 * HOUR]
    row.refresh_from_db()
    assert row.escalated_role == "director"
    assert row.notes.get().at == row.due_at + 12 * HOUR


def test_a_snoozed_promise_wakes_when_its_snooze_ends(demo: None) -> None:
    begin = clock.now()
    row = factory.promise(due=begin - HOUR, snoozed_until=begin + 3 * HOUR)
    move(logged_in(Role.NURSE), hours=4)
    assert Message.objects.get(follow_up=row).created_at == begin + 3 * HOUR


def test_a_message_that_waits_for_its_next_try_is_tried_at_its_time(demo: None) -> None:
    begin = clock.now()
    message = factory.message(factory.promise(due=begin + 9 * DAY), not_before=begin + 2 * HOUR)
    move(logged_in(Role.NURSE), hours=4)
    message.refresh_from_db()
    assert message.state == "sent"


def test_a_poisoned_promise_does_not_stop_time(demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    factory.promise(due=clock.now() + HOUR)

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rungs, "_step", broken)
    assert move(logged_in(Role.NURSE), hours=168).status_code == 303
    assert clock.offset() > 6 * DAY


# --- the engine's page --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.DIRECTOR, 200),
        (Role.ADMINISTRATOR, 200),
        (Role.PHYSICIAN, 403),
        (Role.NURSE, 403),
        (Role.SCHEDULER, 403),
    ],
)
def test_the_engines_page_is_for_the_director_and_the_administrator(role: Role, status: int) -> None:
    assert logged_in(role).get(reverse("followups:engine")).status_code == status


def failed_message() -> Message:
    return factory.message(state="failed", outcome="refused by the mail server: 550", settled_at=clock.real_now())


def test_it_lists_what_did_not_arrive_and_sends_it_again() -> None:
    message = failed_message()
    factory.message(state="sent")
    client = logged_in(Role.ADMINISTRATOR)
    page = client.get(reverse("followups:engine")).content.decode()
    assert "refused by the mail server: 550" in page
    assert page.count("Send again<") == 1
    response = client.post(reverse("followups:send_again", args=[message.pk]))
    message.refresh_from_db()
    assert (response.status_code, message.state) == (303, "queued")


def test_sending_again_twice_is_a_conflict_in_words() -> None:
    message = failed_message()
    client = logged_in(Role.DIRECTOR)
    client.post(reverse("followups:send_again", args=[message.pk]))
    response = client.post(reverse("followups:send_again", args=[message.pk]))
    assert response.status_code == 409
    assert "not waiting for a decision any more" in response.content.decode()


@pytest.mark.parametrize("role", [Role.PHYSICIAN, Role.NURSE, Role.SCHEDULER])
def test_nobody_else_sends_again(role: Role) -> None:
    message = failed_message()
    assert logged_in(role).post(reverse("followups:send_again", args=[message.pk])).status_code == 403


def test_the_administrator_sees_no_patient_and_no_way_into_a_case() -> None:
    message = failed_message()
    code = message.follow_up.procedure.code
    page = logged_in(Role.ADMINISTRATOR).get(reverse("followups:engine")).content.decode()
    assert code not in page
    assert message.follow_up.procedure.patient.family_name not in page
    assert code in logged_in(Role.DIRECTOR).get(reverse("followups:engine")).content.decode()


def test_it_says_how_old_the_last_pass_is_what_waits_and_who_is_missing() -> None:
    factory.promise(due=clock.now() - HOUR)
    client = logged_in(Role.DIRECTOR)
    assert "It has not finished a pass yet." in client.get(reverse("followups:engine")).content.decode()
    engine.run_pass(clock.now() - 2 * DAY)
    Heartbeat.objects.update(at=clock.real_now() - timedelta(seconds=90))
    page = client.get(reverse("followups:engine")).content.decode()
    assert "It last finished a pass 90 seconds ago." in page
    assert "Nobody answers for the schedulers" in page


def test_its_queries_do_not_grow_with_what_failed(django_assert_max_num_queries: Any) -> None:
    client = logged_in(Role.DIRECTOR)
    for _ in range(3):
        failed_message()
    client.get(reverse("followups:engine"))
    with django_assert_max_num_queries(16):
        client.get(reverse("followups:engine"))
    for _ in range(9):
        failed_message()
    with django_assert_max_num_queries(16):
        client.get(reverse("followups:engine"))


# --- the mails ----------------------------------------------------------------------------------


@pytest.fixture
def mail_folder(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.SMS_FILE_PATH = tmp_path / "sms"
    return tmp_path / "mail"


def test_the_mails_are_not_shown_outside_a_demonstration(settings: Any) -> None:
    settings.DEBUG = False
    assert logged_in(Role.DIRECTOR).get(reverse("followups:mail")).status_code == 404


def test_the_mails_of_a_demonstration_are_shown(demo: None, mail_folder: Path) -> None:
    rows = [factory.promise(due=clock.now()) for _ in range(2)]
    critical = factory.promise(Kind.REVIEW_RESULT, level="critical", due=clock.now(), start_at=clock.now())
    engine.run_pass(clock.now())
    page = logged_in(Role.NURSE).get(reverse("followups:mail")).content.decode()
    for row in (*rows, critical):
        assert row.procedure.code in page
        assert row.responsible.email in page
    assert "Urgent: you have a task in Procedure Tracker" in page
    assert len(list(mail_folder.glob("*.log"))) == 1


def test_a_text_with_a_link_says_which_birth_date_opens_it(
    demo: None, mail_folder: Path, settings: Any, tmp_path: Path
) -> None:
    settings.SMS_FILE_PATH = tmp_path / "sms"
    patient = outreach.patient("sms")
    events.changed(make.procedure(status="scheduled", patient=patient, starts=clock.now() + 20 * DAY))
    engine.run_pass(clock.now())
    engine.run_pass(Message.objects.exclude(link=None).get().not_before)  # quiet hours are over
    page = logged_in(Role.NURSE).get(reverse("followups:mail")).content.decode()
    assert f"/p/{PatientLink.objects.get().code}" in page
    assert f'datetime="{patient.birth_date.isoformat()}"' in page


def test_an_empty_folder_says_what_would_be_there(demo: None, mail_folder: Path) -> None:
    assert mail_selector.newest() == []
    page = logged_in(Role.NURSE).get(reverse("followups:mail")).content.decode()
    assert "Reminders appear here as soon as something is due" in page


def test_only_the_newest_mails_are_read(demo: None, mail_folder: Path) -> None:
    for minutes in range(4):
        factory.promise(due=clock.now())
        engine.run_pass(clock.now() + timedelta(minutes=minutes))
    assert len(mail_selector.newest(limit=3)) == 3
    assert FollowUp.objects.filter(subject_kind="procedure").count() == 4


def test_every_pass_of_a_demonstration_writes_a_heartbeat_of_the_real_time(demo: None) -> None:
    move(logged_in(Role.NURSE), hours=168)
    assert abs(clock.real_now() - Heartbeat.objects.get(name="engine").at) < timedelta(minutes=1)
