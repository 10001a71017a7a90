"""Two administrators who end each other's access at the same moment must not leave the clinic without one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from clinic import users
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.models import User
from clinic.roles import Role
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def end_each_other() -> int:
    """How many of the two attempts succeed."""
    first, second = make_user(Role.ADMINISTRATOR), make_user(Role.ADMINISTRATOR)
    start = Barrier(2, timeout=10)

    def end(actor: User, target: User) -> bool:
        try:
            start.wait()
            users.deactivate(actor=Actor.person(actor), user=target)
        except Invalid:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        attempts = [pool.submit(end, first, second), pool.submit(end, second, first)]
        return sum(attempt.result(timeout=30) for attempt in attempts)


def test_one_of_two_administrators_always_stays() -> None:
    for _ in range(5):
        User.objects.update(is_active=False)

        assert end_each_other() == 1
        assert User.objects.holding(Role.ADMINISTRATOR).count() == 1


def test_without_the_lock_both_would_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same race against a check that only looks: if this ever passes as above, the race proves nothing."""
    both_have_looked = Barrier(2, timeout=10)

    def only_look(user: User, leaving: frozenset[Role]) -> None:
        others: Callable[[], bool] = User.objects.holding(Role.ADMINISTRATOR).exclude(pk=user.pk).exists
        assert others()
        both_have_looked.wait()

    monkeypatch.setattr(users, "_keep_somebody", only_look)

    assert end_each_other() == 2
    assert User.objects.holding(Role.ADMINISTRATOR).count() == 0
