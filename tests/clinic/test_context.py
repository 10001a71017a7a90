"""What the frame of every page shows, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory

from clinic import clock, context
from clinic.models import DemoClock, Heartbeat, User
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db


def request_of(user: User | AnonymousUser | None) -> HttpRequest:
    request = RequestFactory().get("/")
    if user is not None:
        request.user = user
    return request


def beat(seconds_ago: int) -> None:
    Heartbeat.objects.create(name="engine", at=clock.real_now() - timedelta(seconds=seconds_ago))


def test_a_fresh_heartbeat_shows_no_banner() -> None:
    beat(100)

    assert not context.engine_note()


def test_an_old_heartbeat_shows_for_how_long() -> None:
    beat(301)

    note = context.engine_note()

    assert (note.late, note.minutes) == (True, 5)


def test_no_heartbeat_is_late_too() -> None:
    assert context.engine_note() == context.EngineNote(late=True)


def test_an_empty_end_of_a_ladder_is_on_every_page_without_another_query(django_assert_num_queries: object) -> None:
    data = {"empty_roles": ["director", "nurse"], "empty_ends": ["director"]}
    Heartbeat.objects.create(name="engine", at=clock.real_now(), data=data)

    with django_assert_num_queries(1):  # type: ignore[operator]
        note = context.engine_note()

    assert (note.late, note.roles) == (False, ("Director",))
    assert "Nobody answers for: Director." in render_to_string("components/engine_banner.html", {"engine_note": note})


def test_a_channel_that_has_been_waiting_too_long_is_on_every_page(settings: LazySettings) -> None:
    settings.BACKLOG_LATE_SECONDS = 900
    watch = {"steps": {"oldest": 10}, "channels": {"email": {"oldest": 900}, "sms": {"oldest": 1260}}}
    row = Heartbeat.objects.create(name="engine", at=clock.real_now(), data={"watch": watch})
    assert context.engine_note().waiting == 21

    watch["channels"]["sms"]["oldest"] = 900
    Heartbeat.objects.filter(pk=row.pk).update(data={"watch": watch})
    assert not context.engine_note()


def test_the_heartbeat_of_something_else_does_not_count() -> None:
    Heartbeat.objects.create(name="beat", at=clock.real_now())

    assert context.engine_note().late


def test_the_demonstrations_clock_does_not_make_the_engine_late(settings: LazySettings) -> None:
    settings.DEMO = True
    DemoClock.objects.create(pk=1, offset=timedelta(days=14))
    beat(5)

    assert not context.engine_note()


def test_a_page_asks_the_database_once_for_staff_and_never_for_others(
    cast: Cast, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        frame = context.page(request_of(cast.nora))
    assert frame["nav"]
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert context.page(request_of(AnonymousUser()))["nav"] == []
        assert context.page(request_of(None))["engine_note"] is None


def test_the_clock_can_be_moved_in_a_demonstration_alone(cast: Cast, settings: LazySettings) -> None:
    assert context.page(request_of(cast.nora))["demo"] is None

    settings.DEMO = True
    DemoClock.objects.create(pk=1, offset=timedelta(days=14))
    demo = context.page(request_of(cast.nora))["demo"]

    assert demo is not None
    assert timedelta(days=13) < demo["now"] - clock.real_now() <= timedelta(days=14)
