"""What the engine promises about itself: people whom messages do not reach, and roles that nobody holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.models import User
from clinic.roles import Role
from followups import engine, reconcile
from followups.channels.email import message_id
from followups.domain.kinds import Kind
from followups.models import FollowUp, Message
from followups.selectors import undelivered
from followups.services import bounces, messages
from tests import make
from tests.factories import promises as factory
from tests.factories.delivery_reports import report

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def staff() -> dict[Role, User]:
    return {role: make.user(role, username=str(role)) for role in Role}


@pytest.fixture
def now() -> datetime:
    return clock.now()


def promise(kind: Kind) -> FollowUp | None:
    return FollowUp.objects.filter(kind=kind).first()


def asked(kind: Kind) -> list[str]:
    return sorted(Message.objects.filter(kind=kind).values_list("recipient__username", flat=True))


def failed(to: User, **extra: Any) -> Message:
    row = extra.pop("follow_up", None) or factory.promise(due=clock.now() + 9 * DAY)
    return factory.message(row, to=to, state="failed", settled_at=clock.real_now(), **extra)


# --- delivery failed ----------------------------------------------------------------------------


def test_many_failures_of_one_person_are_one_promise_of_the_administrators(
    now: datetime, staff: dict[Role, User]
) -> None:
    for number in range(3):
        failed(staff[Role.NURSE], key=f"9:1:{number}:0:1:email")
    engine.run_pass(now)
    row = FollowUp.objects.get(kind=Kind.DELIVERY_FAILED)
    assert (row.subject_kind, row.subject_id, row.key) == ("person", staff[Role.NURSE].pk, "delivery:email")
    assert (row.role, row.procedure) == ("administrator", None)
    assert asked(Kind.DELIVERY_FAILED) == ["administrator"]
    assert Message.objects.filter(kind="digest", recipient=staff[Role.DIRECTOR]).count() == 1
    assert "Messages do not reach somebody of the staff" in mail.outbox[0].body
    assert staff[Role.NURSE].full_name not in mail.outbox[0].body
    assert reverse("followups:engine") in mail.outbox[0].body


def test_a_bouncing_address_alarms_once_a_day(now: datetime, staff: dict[Role, User]) -> None:
    """It is taken by the server and comes back, again and again: the promise comes and goes, the alarm does not."""
    nurse, row = staff[Role.NURSE], factory.promise(due=clock.now() + 9 * DAY)
    for hour in (0, 1, 12, 26):
        message = factory.message(row, to=nurse, key=f"{row.pk}:1:{hour}:0:{nurse.pk}:email", not_before=now)
        for _ in range(2):  # it is sent, and the pass after that sees it
            engine.run_pass(now + hour * HOUR)
        assert promise(Kind.DELIVERY_FAILED) is None or not promise(Kind.DELIVERY_FAILED).is_open
        bounces.record(raw=report(message_id(message.key)))
        engine.run_pass(now + hour * HOUR + MINUTE)
        assert promise(Kind.DELIVERY_FAILED).is_open
    alarms = Message.objects.filter(kind=Kind.DELIVERY_FAILED).order_by("pk").values_list("created_at", flat=True)
    assert [at - now for at in alarms] == [MINUTE, 26 * HOUR]


def test_it_ends_when_a_later_message_is_taken(now: datetime, staff: dict[Role, User]) -> None:
    message = failed(staff[Role.NURSE])
    engine.run_pass(now)
    assert promise(Kind.DELIVERY_FAILED).is_open
    messages.send_again(actor=make.actor(Role.ADMINISTRATOR), message=message)
    engine.run_pass(clock.now())
    engine.run_pass(clock.now())
    assert promise(Kind.DELIVERY_FAILED).closed_because == "kept"


def test_it_ends_when_every_failed_message_is_dealt_with_and_not_before(now: datetime, staff: dict[Role, User]) -> None:
    rows = [failed(staff[Role.NURSE], key=f"9:1:{number}:0:1:email") for number in range(2)]
    for row in rows:
        engine.run_pass(now)
        assert promise(Kind.DELIVERY_FAILED).is_open
        messages.dealt_with(actor=make.actor(Role.ADMINISTRATOR), message=row, reason="told by phone")
    engine.run_pass(now)
    assert not promise(Kind.DELIVERY_FAILED).is_open


def test_a_message_of_unknown_fate_says_nothing_about_the_address(now: datetime, staff: dict[Role, User]) -> None:
    factory.message(to=staff[Role.NURSE], state="unknown", settled_at=clock.real_now())
    engine.run_pass(now)
    assert promise(Kind.DELIVERY_FAILED) is None


# --- empty role ---------------------------------------------------------------------------------


def test_an_empty_role_is_a_critical_promise_that_asks_administrator_and_director(
    now: datetime, staff: dict[Role, User]
) -> None:
    User.objects.filter(pk=staff[Role.NURSE].pk).update(is_active=False)
    engine.run_pass(now)
    row = FollowUp.objects.get(kind=Kind.EMPTY_ROLE)
    assert (row.subject_kind, row.key, row.level) == ("clinic", "empty_role:nurse", "critical")
    assert asked(Kind.EMPTY_ROLE) == []  # the role may just be on its way from one person to another
    engine.run_pass(now + 15 * MINUTE)
    assert asked(Kind.EMPTY_ROLE) == ["administrator", "director"]
    engine.run_pass(now + 15 * MINUTE)
    assert asked(Kind.EMPTY_ROLE) == ["administrator", "director"]

    make.user(Role.NURSE)
    engine.run_pass(now + 20 * MINUTE)
    row.refresh_from_db()
    assert (row.closed_because, row.generation) == ("kept", 1)


def test_a_role_that_is_handed_on_within_minutes_alarms_nobody(now: datetime, staff: dict[Role, User]) -> None:
    User.objects.filter(pk=staff[Role.NURSE].pk).update(is_active=False)
    engine.run_pass(now)
    make.user(Role.NURSE)
    for minutes in (10, 20, 30):
        engine.run_pass(now + minutes * MINUTE)
    assert mail.outbox == []


def test_planning_twice_changes_nothing(now: datetime) -> None:
    for hour in (0, 1):
        reconcile.clinic([Role.NURSE], now + hour * HOUR)
    row = FollowUp.objects.get(kind=Kind.EMPTY_ROLE)
    assert (row.generation, row.start_at) == (1, now)


def test_a_plan_of_the_engines_own_that_fails_stops_no_reminder(
    now: datetime, staff: dict[Role, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(staff[Role.NURSE])
    factory.promise(due=now)
    monkeypatch.setattr(undelivered, "of_person", lambda *_: 1 / 0)
    found = engine.run_pass(now)
    assert (found.set_aside, found.delivered) == (1, {"sent": 1})


def test_a_quiet_pass_asks_three_questions_for_it(now: datetime, django_assert_num_queries: Any) -> None:
    roster = engine.duty.roster(now)
    # people, the clinic, and texts that nobody has planned
    with django_assert_num_queries(3):
        engine.plan_own(now, roster, engine.PassReport())


# --- pages --------------------------------------------------------------------------------------


def page(client: Client, user: User, path: str) -> str:
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.get(path).content.decode()


def test_the_engines_page_names_the_person_and_the_role_to_who_can_help(
    now: datetime, staff: dict[Role, User], client: Client
) -> None:
    nurse = staff[Role.NURSE]
    failed(nurse)
    User.objects.filter(pk=staff[Role.SCHEDULER].pk).update(is_active=False)
    engine.run_pass(now)
    seen = page(client, staff[Role.ADMINISTRATOR], "/engine/")
    assert f"Messages do not reach {nurse.display_name}" in seen
    assert "Nobody answers for the schedulers" in seen
    assert reverse("user_edit", args=[nurse.pk]) in seen
    assert reverse("user_edit", args=[nurse.pk]) not in page(client, staff[Role.DIRECTOR], "/engine/")


def test_the_ladder_goes_on_and_the_case_says_that_its_reminder_was_not_delivered(
    now: datetime, staff: dict[Role, User], client: Client
) -> None:
    row = factory.promise(
        Kind.REVIEW_RESULT, due=now, start_at=now, level="critical", about={"version": 1, "test": "x"}
    )
    User.objects.filter(pk=row.responsible_id).update(email="")
    engine.run_pass(now)
    row.refresh_from_db()
    failed = Message.objects.get(follow_up=row, recipient=row.responsible)
    assert failed.state == "failed"
    assert row.next_action_at > now  # the next one is asked at its time
    assert undelivered.promises_in(undelivered.part(row.procedure_id)) == {row.pk}
    case = reverse("followups:case", args=[row.procedure.code])
    assert "Reminder not delivered" in page(client, staff[Role.PHYSICIAN], case)

    messages.dealt_with(actor=make.actor(Role.DIRECTOR), message=failed, reason="told on the ward")
    assert "Reminder not delivered" not in page(client, staff[Role.PHYSICIAN], case)


def test_a_reminder_of_an_earlier_generation_is_history(now: datetime) -> None:
    message = factory.message(state="failed", settled_at=now)
    FollowUp.objects.filter(pk=message.follow_up_id).update(generation=2)
    assert undelivered.promises_in(undelivered.part(message.follow_up.procedure_id)) == frozenset()


def test_the_loop_board_lists_them_with_everything_else(now: datetime, staff: dict[Role, User], client: Client) -> None:
    failed(staff[Role.NURSE])
    reconcile.clinic([Role.SCHEDULER], now)
    engine.run_pass(now)
    seen = page(client, staff[Role.DIRECTOR], "/loop/?show=open")
    assert "Messages do not reach somebody of the staff: e-mail" in seen
