"""No page is kept by a browser or a proxy."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.middleware import DomainErrors, NeverCached
from tests.factories.people import Cast

PAGES = ["account_login", "account", "home", "users", "audit", "places", "account_signup"]


@pytest.mark.parametrize("name", PAGES)
def test_no_answer_may_be_stored_whoever_asks(client: Client, cast: Cast, name: str) -> None:
    for user in (None, cast.nora, cast.dora, cast.ada):
        if user is not None:
            client.force_login(user)
        response = client.get(reverse(name))

        assert response["Cache-Control"] == "no-store, private", user
        assert "HX-Request" in response["Vary"], user


def test_a_missing_page_is_not_stored_either(client: Client, db: None) -> None:
    response = client.get("/there-is-no-such-page/")

    assert response.status_code == 404
    assert response["Cache-Control"] == "no-store, private"


def test_what_a_view_allows_is_overruled() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Cache-Control": "public, max-age=3600"})

    assert NeverCached(view)(RequestFactory().get("/"))["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (NotPermitted(), 403, "Your role does not allow this."),
        (Conflict(), 409, "Somebody else changed this"),
        (Invalid("%(n)s litres is too much", n=90), 422, "90 litres is too much"),
    ],
)
def test_an_error_that_no_view_has_caught_is_said_in_words(
    cast: Cast, error: Exception, status: int, words: str
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        request = RequestFactory().get("/", headers=headers)
        request.user = cast.nora
        request.htmx = _Htmx(bool(headers))  # type: ignore[attr-defined]
        response = DomainErrors(lambda request: HttpResponse()).process_exception(request, error)

        assert response is not None
        assert response.status_code == status
        assert words in response.content.decode()
        assert ("<html" in response.content.decode()) is not bool(headers)


def test_other_errors_are_left_to_django(cast: Cast) -> None:
    errors = DomainErrors(lambda request: HttpResponse())

    assert errors.process_exception(RequestFactory().get("/"), ValueError()) is None


class _Htmx:
    """What wants_partial asks of django_htmx."""

    boosted = False
    history_restore_request = False

    def __init__(self, is_htmx: bool) -> None:
        self.is_htmx = is_htmx

    def __bool__(self) -> bool:
        return self.is_htmx
