"""Somebody takes a task in the moment in which their access ends: it must not end up with who has left."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection, transaction

from clinic import guards, users
from clinic.actor import Actor
from clinic.errors import Conflict
from clinic.models import User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp
from followups.services import promises
from tests import make
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db(transaction=True)


def race(monkeypatch: pytest.MonkeyPatch) -> tuple[bool, bool]:
    """Whether the taking and the leaving succeed: the task is taken after the other has looked for open work."""
    administrator, leaving = make.user(Role.ADMINISTRATOR), make.user(Role.PHYSICIAN)
    make.user(Role.ADMINISTRATOR)
    row = factory.promise(Kind.SIGN_RECORD)
    looked, taken = Event(), Event()
    open_items = guards.open_items

    def look(user: User) -> Any:
        found = open_items(user)
        looked.set()
        taken.wait(timeout=0.5)  # with the lock the taking waits for us, and this runs out
        return found

    monkeypatch.setattr(guards, "open_items", look)
    start = Barrier(2, timeout=10)

    def take() -> None:
        assert looked.wait(timeout=10)
        promises.take(actor=Actor.person(leaving), follow_up=FollowUp.objects.get(pk=row.pk))
        taken.set()

    def leave() -> None:
        users.deactivate(actor=Actor.person(administrator), user=User.objects.get(pk=leaving.pk))

    def attempt(work: Callable[[], None]) -> bool:
        try:
            start.wait()
            with transaction.atomic():
                work()
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        attempts = [pool.submit(attempt, work) for work in (take, leave)]
        first, second = (found.result(timeout=30) for found in attempts)
    return first, second


def test_who_leaves_takes_nothing_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert race(monkeypatch) == (False, True)
    assert not FollowUp.objects.filter(taken_by__is_active=False).exists()


def test_without_the_lock_the_task_would_be_with_somebody_who_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "_still_here", lambda person: None)
    assert race(monkeypatch) == (True, True)
    assert FollowUp.objects.filter(taken_by__is_active=False).exists()
