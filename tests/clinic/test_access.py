"""The tools that decide who may open a page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from clinic import access, navigation
from clinic.actor import Actor
from clinic.errors import NotPermitted
from clinic.models import User
from clinic.roles import Role
from tests.factories.people import Cast


def request_of(user: User | AnonymousUser) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def person(*roles: Role) -> User:
    return User(pk=1, username="x", full_name="X", roles=[str(role) for role in roles])


def test_the_actor_of_a_request_is_the_person_with_their_roles() -> None:
    actor = access.actor_of(request_of(person(Role.NURSE, Role.SCHEDULER)))

    assert actor == Actor(user_id=1, name="X", roles=frozenset({Role.NURSE, Role.SCHEDULER}), via="web")


def test_nobody_is_no_actor() -> None:
    with pytest.raises(NotPermitted):
        access.actor_of(request_of(AnonymousUser()))


def test_require_wants_one_of_the_roles() -> None:
    actor = Actor.person(person(Role.NURSE))

    assert access.require(actor, Role.NURSE, Role.PHYSICIAN) is actor
    with pytest.raises(NotPermitted):
        access.require(actor, Role.PHYSICIAN)


def test_the_engine_holds_no_role() -> None:
    with pytest.raises(NotPermitted):
        access.require(Actor.system(), *Role)


def test_need_hides_what_is_not_there() -> None:
    assert access.need("row") == "row"
    with pytest.raises(Http404):
        access.need(None)


def test_a_marked_view_lets_in_its_roles_alone_and_names_them() -> None:
    @access.roles_required(Role.DIRECTOR)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")

    assert view.allowed_roles == {Role.DIRECTOR}
    assert view(request_of(person(Role.DIRECTOR))).content == b"in"
    with pytest.raises(NotPermitted):
        view(request_of(person(Role.ADMINISTRATOR)))


def test_a_view_open_to_no_role_is_a_mistake() -> None:
    with pytest.raises(ValueError):
        access.roles_required()


def test_the_administrator_is_in_no_group_that_sees_patients() -> None:
    assert Role.ADMINISTRATOR not in access.CHART_ROLES
    assert Role.ADMINISTRATOR not in access.STAFF_ROLES
    assert Role.SCHEDULER not in access.CHART_ROLES


def test_every_role_has_a_home() -> None:
    assert {role for role, _ in navigation.HOMES} == set(Role)


def test_every_entry_of_the_navigation_leads_somewhere(cast: Cast) -> None:
    for user in (cast.sam, cast.nora, cast.pia, cast.dora, cast.ada):
        wanted = [entry for entry in navigation.ENTRIES if user.has(*entry.roles)]
        shown = navigation.entries_for(user, "/")

        assert [item["label"] for item in shown] == [entry.label for entry in wanted]


def test_the_administrator_is_offered_no_page_with_patients(cast: Cast) -> None:
    offered = {item["url"] for item in navigation.entries_for(cast.ada, "/users/")}
    assert offered == {"/engine/", "/users/", "/on-call/", "/absences/", "/laboratories/"}


def test_the_open_page_is_marked_in_the_navigation(cast: Cast) -> None:
    active = [item["url"] for item in navigation.entries_for(cast.dora, "/audit/") if item["active"]]

    assert active == ["/audit/"]
