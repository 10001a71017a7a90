"""Every address in the resolver, asked by every role: the answer is the one in the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse

from clinic.roles import Role
from tests.factories.people import Cast
from tests.views.role_matrix import ANONYMOUS, MATRIX, Case, Row

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def addresses(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every pattern with its full name; a pattern without a name appears under its route."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from addresses(pattern.url_patterns, inner)
        else:
            yield f"{prefix}{pattern.name or f'(no name) {pattern.pattern}'}", pattern


def missing(names: set[str]) -> list[str]:
    return [
        f"{name} is not in tests/views/role_matrix.py: add a row that says which role gets what from it"
        for name in sorted(names - set(MATRIX))
    ]


def test_every_address_is_in_the_table() -> None:
    assert missing({name for name, _ in addresses(get_resolver().url_patterns)}) == []


def test_no_row_is_about_an_address_that_does_not_exist() -> None:
    assert sorted(set(MATRIX) - {name for name, _ in addresses(get_resolver().url_patterns)}) == []


def test_an_address_that_somebody_forgets_is_noticed() -> None:
    @login_not_required
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    known = [pattern for pattern in get_resolver().url_patterns if getattr(pattern, "name", None) in MATRIX]
    added = [*known, path("forgotten/", view, name="forgotten"), path("nameless/", view)]
    messages = missing({name for name, _ in addresses(added)})

    assert [line.split(" is not in ")[0] for line in messages] == ["(no name) nameless/", "forgotten"]


@pytest.mark.parametrize("name", sorted(MATRIX))
def test_each_role_gets_what_the_table_says(name: str, cast: Cast, settings: LazySettings) -> None:
    row = MATRIX[name]
    settings.DEMO = row.demo

    got = {who: status_for(name, row, cast, who) for who in row.expect}

    assert got == dict(row.expect)


@pytest.mark.parametrize("name", sorted(MATRIX))
def test_the_roles_on_the_view_are_those_of_the_table(name: str) -> None:
    """A view that says who may open it says what the table says."""
    views = [pattern.callback for found, pattern in addresses(get_resolver().url_patterns) if found == name]
    for view in views:
        allowed = getattr(view, "allowed_roles", None)
        if allowed is not None:
            in_table = {Role(who) for who, status in MATRIX[name].expect.items() if who != ANONYMOUS and status != 403}
            assert in_table == allowed


def status_for(name: str, row: Row, cast: Cast, who: str) -> int:
    """Ask once as ``who``; what the request has changed is undone."""
    user = None if who == ANONYMOUS else cast.playing(who)
    before = transaction.savepoint()
    try:
        case = Case(cast=cast, user=user)
        client = Client()
        if user is not None:
            client.force_login(user, backend=BACKEND)
        url = reverse(name, kwargs=row.kwargs(case))
        response = getattr(client, row.method)(url, row.data(case))
        return int(response.status_code)
    finally:
        transaction.savepoint_rollback(before)
