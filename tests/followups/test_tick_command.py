"""``manage.py tick`` and ``manage.py loop_status``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from clinic import clock
from clinic.models import Heartbeat
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp, Message
from followups.selectors import loop
from tests import make
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def tick(*args: str) -> str:
    out = StringIO()
    call_command("tick", *args, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def demo(settings: Any) -> None:
    settings.DEMO = True


def test_tick_does_one_pass_and_says_what_it_did() -> None:
    factory.promise(due=clock.now())
    assert tick().startswith("rungs 1, queued 1, sent 1, reaped 0, set aside 0")
    assert Heartbeat.objects.filter(name="engine").exists()


def test_tick_names_the_roles_that_nobody_answers_for() -> None:
    make.user(Role.NURSE)
    assert "empty ladder: nobody answers for administrator, director, physician, scheduler" in tick()


def test_another_time_is_refused_outside_a_demonstration() -> None:
    with pytest.raises(CommandError, match="only be moved in a demonstration"):
        tick("--now", (clock.now() + DAY).isoformat())
    assert not Heartbeat.objects.exists()


def test_two_weeks_are_replayed_and_everything_happens_at_its_own_time(demo: None) -> None:
    for role in Role:
        make.user(role)
    begin = clock.now()
    row = factory.promise(Kind.SIGN_RECORD, due=begin + HOUR)
    out = tick("--now", (begin + 14 * DAY).isoformat())
    row.refresh_from_db()
    times = list(Message.objects.filter(follow_up=row).order_by("created_at").values_list("created_at", flat=True))
    assert times == [row.due_at, row.due_at + DAY]
    assert row.notes.get().at == row.due_at + 2 * DAY
    digests = Message.objects.filter(kind="digest", state="sent").count()
    assert digests == 12  # one for each morning from the third day on
    assert len(mail.outbox) == 2 + digests
    assert out.startswith("passes ")


def test_the_clock_stays_where_it_was_put(demo: None) -> None:
    to = clock.now() + 3 * DAY
    tick("--now", to.isoformat())
    assert to <= clock.now() < to + timedelta(minutes=1)
    assert clock.real_now() < to


def test_time_does_not_go_back_unless_it_is_reset(demo: None) -> None:
    begin = clock.now()
    tick("--now", (begin + 3 * DAY).isoformat())
    with pytest.raises(CommandError, match="does not go back"):
        tick("--now", (begin + DAY).isoformat())
    tick("--reset", "--now", (begin + DAY).isoformat())
    assert clock.now() < begin + 2 * DAY


def test_a_local_time_is_the_clinics(demo: None) -> None:
    local = (clock.now() + DAY).astimezone().replace(microsecond=0)
    tick("--now", local.isoformat())
    assert clock.now() >= local


def test_a_time_that_cannot_be_read_is_refused(demo: None) -> None:
    with pytest.raises(CommandError, match="invalid moment value"):
        tick("--now", "tomorrow")


def status() -> dict[str, int]:
    out = StringIO()
    call_command("loop_status", "--json", stdout=out)
    counts: dict[str, int] = json.loads(out.getvalue())
    return counts


def test_the_loop_is_counted_as_the_rows_say() -> None:
    now = clock.now()
    factory.promise(Kind.SIGN_RECORD, due=now + HOUR)  # due
    factory.promise(Kind.SIGN_RECORD, due=now + 9 * DAY, start_at=now + 2 * DAY)  # not yet
    factory.promise(Kind.REVIEW_RESULT, due=now - HOUR, level="critical")  # critical (its time says more), unreviewed
    factory.promise(Kind.TELL_PATIENT, due=now - HOUR, escalated_role="director")  # overdue, untold, escalated
    factory.promise(Kind.BOOK_REQUEST, due=now + HOUR, role="scheduler", responsible=None)  # due, unowned
    closed = factory.promise(Kind.REVIEW_RESULT, due=now - HOUR)
    FollowUp.objects.filter(pk=closed.pk).update(closed_at=now, closed_because="kept")
    expected = {
        "open": 5,
        "due": 2,
        "overdue": 1,
        "critical": 1,
        "waiting": 1,
        "unreviewed": 1,
        "untold": 1,
        "unowned": 1,
        "escalated": 1,
        "lost": 0,
        "extended": 0,
        "unmatched": 0,
    }
    assert status() == expected
    assert loop.counts(now) == expected


def test_an_awaited_result_is_due_from_its_usual_hour_on() -> None:
    now = clock.now()

    def awaited(usual_at: datetime) -> None:
        about = {"tests": ["culture"], "usual_at": usual_at.isoformat(), "extended": False}
        factory.promise(Kind.AWAITED_RESULT, due=now + 3 * DAY, start_at=now - DAY, role="nurse", about=about)

    awaited(now - HOUR)
    awaited(now + HOUR)
    assert (loop.counts(now)["open"], loop.counts(now)["due"]) == (2, 1)


def test_without_json_the_numbers_are_for_people() -> None:
    out = StringIO()
    call_command("loop_status", stdout=out)
    assert "overdue     0" in out.getvalue()
