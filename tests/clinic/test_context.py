"""What the frame of every page shows, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
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

    assert context.engine_late() is None


def test_an_old_heartbeat_shows_for_how_long() -> None:
    beat(301)

    late = context.engine_late()

    assert late is not None
    assert late["minutes"] == 5


def test_no_heartbeat_is_late_too() -> None:
    assert context.engine_late() == {"since": None, "minutes": None}


def test_the_heartbeat_of_something_else_does_not_count() -> None:
    Heartbeat.objects.create(name="beat", at=clock.real_now())

    assert context.engine_late() is not None


def test_the_demonstrations_clock_does_not_make_the_engine_late(settings: LazySettings) -> None:
    settings.DEMO = True
    DemoClock.objects.create(pk=1, offset=timedelta(days=14))
    beat(5)

    assert context.engine_late() is None


def test_a_page_asks_the_database_once_for_staff_and_never_for_others(
    cast: Cast, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        frame = context.page(request_of(cast.nora))
    assert frame["nav"]
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert context.page(request_of(AnonymousUser()))["nav"] == []
        assert context.page(request_of(None))["engine_late"] is None


def test_the_clock_can_be_moved_in_a_demonstration_alone(cast: Cast, settings: LazySettings) -> None:
    assert context.page(request_of(cast.nora))["demo"] is None

    settings.DEMO = True
    DemoClock.objects.create(pk=1, offset=timedelta(days=14))
    demo = context.page(request_of(cast.nora))["demo"]

    assert demo is not None
    assert timedelta(days=13) < demo["now"] - clock.real_now() <= timedelta(days=14)
