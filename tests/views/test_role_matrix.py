"""Every address in the resolver, asked by every role: the answer is the one in the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse

from clinic.roles import Role
from tests import make
from tests.factories.people import Cast
from tests.views.role_matrix import MATRIX
from tests.views.role_rows import ANONYMOUS, Case, Make, Row

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
METHODS = ("get", "post")


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
        for name in sorted(names - {address(name) for name in MATRIX})
    ]


def address(name: str) -> str:
    """A row's address, without the word that tells it from another row about the same one."""
    return name.split(" ")[0]


@cache
def all_addresses() -> dict[str, URLPattern]:
    return dict(addresses(get_resolver().url_patterns))


def test_every_address_is_in_the_table() -> None:
    assert missing(set(all_addresses())) == []


def test_no_row_is_about_an_address_that_does_not_exist() -> None:
    assert sorted({address(name) for name in MATRIX} - set(all_addresses())) == []


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

    made = made_for_anybody(row, cast)
    got = {who: status_for(name, row, cast, who, made) for who in row.expect}

    assert got == dict(row.expect)


@pytest.mark.parametrize("name", sorted(MATRIX))
def test_the_roles_on_the_view_are_those_of_the_table(name: str) -> None:
    """A view that says who may open it says what the table says."""
    allowed = getattr(all_addresses()[address(name)].callback, "allowed_roles", None)
    if allowed is not None:
        assert {
            Role(who) for who, status in MATRIX[name].expect.items() if who != ANONYMOUS and status != 403
        } == allowed


def elsewhere(row: Row) -> Make:
    """The same objects under another case."""
    return lambda case: {**row.kwargs(case), "code": make.procedure().code}


def nowhere(name: str) -> Make:
    """Objects that do not exist."""
    absent = {"code": "ZZZZZZZ", "pk": 0, "stage": "absent", "check_code": "absent", "kind": "absent"}
    absent["item"] = "absent"
    absent["case"] = "ZZZZZZZ"
    absent |= {"line": 0, "mapping": 0}
    absent["which"] = "absent"
    absent["token"] = "absent.absent"
    return lambda case: {key: absent[key] for key in all_addresses()[address(name)].pattern.converters}


def entitled(row: Row) -> list[str]:
    """Roles to which the page opens."""
    return [who for who, status in row.expect.items() if who != ANONYMOUS and status not in {403, 404}]


def takes(name: str, *words: str) -> bool:
    return set(words) <= set(all_addresses()[address(name)].pattern.converters)


@pytest.mark.parametrize("name", sorted(name for name in MATRIX if takes(name, "code", "pk")))
def test_what_belongs_to_another_case_is_not_found_under_this_one(name: str, cast: Cast) -> None:
    row = replace(MATRIX[name], kwargs=elsewhere(MATRIX[name]))
    made = made_for_anybody(row, cast)

    found = {
        status_for(name, replace(row, method=method), cast, who, made) for who in entitled(row) for method in METHODS
    }

    assert found - {405} == {404}


@pytest.mark.parametrize(
    "name", sorted(n for n in MATRIX if all_addresses()[address(n)].pattern.converters and entitled(MATRIX[n]))
)
def test_what_does_not_exist_is_not_found(name: str, cast: Cast) -> None:
    row = replace(MATRIX[name], kwargs=nowhere(name))

    assert {status_for(name, row, cast, who) for who in entitled(row)} == {404}


@pytest.mark.parametrize("word", ["stage", "check_code", "kind", "item"])
def test_a_case_has_only_what_its_protocol_names(word: str, cast: Cast) -> None:
    for name in [name for name in MATRIX if takes(name, "code", word)]:
        named = MATRIX[name].kwargs
        row = replace(MATRIX[name], kwargs=lambda case, named=named: {**named(case), word: "absent"})

        assert {status_for(name, row, cast, who) for who in entitled(row)} == {404}, name


class Personal(Exception):
    """What the row names depends on who asks."""


class Anybodys(Case):
    """Objects that are the same whoever asks."""

    @property
    def user(self) -> Any:
        raise Personal

    @user.setter
    def user(self, value: object) -> None:
        assert value is None


Made = tuple[dict[str, Any], dict[str, Any]]


def made_for_anybody(row: Row, cast: Cast) -> Made | None:
    """What the address and the form of a row name, made once for all who ask; None where it depends on them."""
    before = transaction.savepoint()
    case = Anybodys(cast=cast, user=None)
    try:
        return row.kwargs(case), row.data(case)
    except Personal:
        transaction.savepoint_rollback(before)
        return None


def status_for(name: str, row: Row, cast: Cast, who: str, made: Made | None = None) -> int:
    """Ask once as ``who``; what the request has changed is undone."""
    user = None if who == ANONYMOUS else cast.playing(who)
    before = transaction.savepoint()
    try:
        client = Client()
        if user is not None:
            client.force_login(user, backend=BACKEND)
        case = Case(cast=cast, user=user)
        kwargs, data = made or (row.kwargs(case), row.data(case))
        response = getattr(client, row.method)(reverse(address(name), kwargs=kwargs), data)
        return int(response.status_code)
    finally:
        transaction.savepoint_rollback(before)
