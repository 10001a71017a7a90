"""The clinic of a story: a room, opening hours, and three people at three computers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from clinic import clock
from clinic.models import User
from followups import engine
from tests import make
from tests.factories import kept
from tests.factories.full import Full
from tests.factories.people import Cast

pytest.register_assert_rewrite("tests.browser.chapters", "tests.browser.story")

from tests.browser import story  # noqa: E402  # after its asserts have been made to say what they saw


@pytest.fixture
def full(transactional_db: None, settings: Any) -> Full:
    """A demonstration on Wednesday at ten with something on every page; the cast is in it."""
    settings.DEMO = True
    return kept.full()


@dataclass(frozen=True)
class Team:
    sam: story.Person  # scheduler
    nora: story.Person  # nurse
    pia: story.Person  # physician


@pytest.fixture
def at_a_computer(
    browser: Any, live_server: Any, login: Callable[[Any, User], None]
) -> Iterator[Callable[[User], story.Person]]:
    """``at_a_computer(user)``: somebody with a browser of their own."""
    contexts = []

    def sit(user: User) -> story.Person:
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        login(page, user)
        return story.Person(page)

    yield sit
    for context in contexts:
        context.close()


@pytest.fixture
def team(at_a_computer: Callable[[User], story.Person], cast: Cast, settings: Any) -> Team:
    """Monday at eight in a demonstration; nobody has been registered yet."""
    settings.DEMO = True
    story.begin()
    make.opening_hours()
    make.room("Room 1")
    for code in ("paracentesis", "lumbar_puncture"):
        make.protocol_version(code)
    for user in User.objects.all():
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@clinic.test")
    engine.run_pass(clock.now())  # as the worker does all day
    return Team(sam=at_a_computer(cast.sam), nora=at_a_computer(cast.nora), pia=at_a_computer(cast.pia))
