"""The administrator's pages, and what they must never allow."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from clinic import users
from clinic.actor import Actor
from clinic.errors import Invalid, NotPermitted
from clinic.models import AuditEntry, User
from clinic.roles import Role
from tests.factories.people import PASSWORD, Cast, make_user

pytestmark = pytest.mark.django_db

NEW = {
    "username": "nils",
    "full_name": "Nils Newcomer",
    "credentials": "RN",
    "email": "nils@clinic.test",
    "phone": "",
    "roles": ["nurse"],
}


@pytest.fixture
def ada(client: Client, cast: Cast) -> Client:
    client.force_login(cast.ada)
    return client


def last_entry() -> AuditEntry:
    entry = AuditEntry.objects.order_by("id").last()
    assert entry is not None
    return entry


def one_time_password(response: HttpResponse) -> str:
    found = re.search(r'id="one-time-password">([^<]+)<', response.content.decode())
    assert found is not None
    return found[1]


def details(person: User, **changed: Any) -> dict[str, Any]:
    names = ("full_name", "credentials", "email", "phone", "roles")
    return {name: getattr(person, name) for name in names} | changed


def test_a_new_person_gets_a_one_time_password_that_must_be_changed(ada: Client) -> None:
    response = ada.post(reverse("user_new"), NEW)

    password = one_time_password(response)
    nils = User.objects.get(username="nils")
    assert nils.check_password(password)
    assert nils.password_temporary
    assert nils.role_set == {Role.NURSE}
    assert (last_entry().action, last_entry().subject_id) == ("user.created", nils.pk)
    assert password not in str(last_entry().data)
    assert ada.get(reverse("user_edit", args=[nils.pk])).content.decode().find(password) == -1


def test_one_time_passwords_are_long_and_never_the_same() -> None:
    made = {users.one_time_password() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}", password) for password in made)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"username": "nora"}, "This user name is taken."),
        ({"username": "Nils Two"}, "Use small letters"),
        ({"roles": []}, "Choose at least one role."),
        ({"roles": ["king"]}, "Select a valid choice"),
        ({"full_name": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_with_a_new_person_is_said_and_what_was_typed_stays(
    ada: Client, changed: dict[str, Any], words: str
) -> None:
    response = ada.post(reverse("user_new"), NEW | changed)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert "nils@clinic.test" in response.content.decode()
    assert not User.objects.filter(username="nils").exists()


def test_two_administrators_who_add_the_same_name_at_once_get_one_person(cast: Cast) -> None:
    actor = Actor.person(cast.ada)
    users.create(actor=actor, username="nils", full_name="N", roles=[Role.NURSE])

    with pytest.raises(Exception, match="taken"):
        users.create(actor=actor, username="NILS", full_name="N", roles=[Role.NURSE])


def test_details_and_roles_can_be_changed_and_both_are_audited(ada: Client, cast: Cast) -> None:
    data = details(cast.nora, phone="4711", roles=["nurse", "scheduler"])

    response = ada.post(reverse("user_edit", args=[cast.nora.pk]), data)

    assert response.status_code == 303
    cast.nora.refresh_from_db()
    assert cast.nora.phone == "4711"
    assert cast.nora.role_set == {Role.NURSE, Role.SCHEDULER}
    assert last_entry().action == "user.changed"
    assert last_entry().data == {"fields": ["phone", "roles"], "roles": [["nurse"], ["nurse", "scheduler"]]}


def test_saving_without_a_change_leaves_no_entry(ada: Client, cast: Cast) -> None:
    before = AuditEntry.objects.count()

    assert ada.post(reverse("user_edit", args=[cast.nora.pk]), details(cast.nora)).status_code == 303

    assert AuditEntry.objects.count() == before


def test_ending_an_access_first_says_what_follows(ada: Client, cast: Cast) -> None:
    page = ada.get(reverse("user_deactivate", args=[cast.nora.pk]))
    assert "What will follow" in page.content.decode()
    cast.nora.refresh_from_db()
    assert cast.nora.is_active

    assert ada.post(reverse("user_deactivate", args=[cast.nora.pk])).status_code == 303

    cast.nora.refresh_from_db()
    assert not cast.nora.is_active
    assert last_entry().action == "user.deactivated"
    ada.post(reverse("user_reactivate", args=[cast.nora.pk]))
    cast.nora.refresh_from_db()
    assert cast.nora.is_active
    assert last_entry().action == "user.reactivated"


def test_nobody_deactivates_themselves(ada: Client, cast: Cast) -> None:
    make_user(Role.ADMINISTRATOR)

    response = ada.post(reverse("user_deactivate", args=[cast.ada.pk]))

    assert response.status_code == 422
    assert "You cannot deactivate yourself." in response.content.decode()
    cast.ada.refresh_from_db()
    assert cast.ada.is_active


def test_nobody_takes_the_administrators_role_from_themselves(ada: Client, cast: Cast) -> None:
    make_user(Role.ADMINISTRATOR)

    response = ada.post(reverse("user_edit", args=[cast.ada.pk]), details(cast.ada, roles=["nurse"]))

    assert response.status_code == 422
    cast.ada.refresh_from_db()
    assert cast.ada.role_set == {Role.ADMINISTRATOR}


def test_the_last_director_keeps_access_and_role(ada: Client, cast: Cast) -> None:
    gone = ada.post(reverse("user_deactivate", args=[cast.dora.pk]))
    demoted = ada.post(reverse("user_edit", args=[cast.dora.pk]), details(cast.dora, roles=["physician"]))

    for response in (gone, demoted):
        assert response.status_code == 422
        assert "is the last active director" in response.content.decode()
    cast.dora.refresh_from_db()
    assert cast.dora.is_active
    assert cast.dora.role_set == {Role.DIRECTOR}


def test_an_inactive_director_does_not_count(cast: Cast) -> None:
    make_user(Role.DIRECTOR, is_active=False)

    with pytest.raises(Invalid, match="last active director"):
        users.deactivate(actor=Actor.person(cast.ada), user=cast.dora)


def test_the_last_administrator_stays_even_when_another_one_asks(cast: Cast) -> None:
    other = make_user(Role.ADMINISTRATOR)
    User.objects.filter(pk=other.pk).update(is_active=False)  # in the meantime

    with pytest.raises(Invalid, match="last active administrator"):
        users.deactivate(actor=Actor.person(other), user=cast.ada)


def test_with_a_second_director_the_first_may_go(ada: Client, cast: Cast) -> None:
    make_user(Role.DIRECTOR)

    assert ada.post(reverse("user_deactivate", args=[cast.dora.pk])).status_code == 303


def test_a_new_one_time_password_ends_running_log_ins(ada: Client, cast: Cast) -> None:
    nora = Client()
    nora.force_login(cast.nora)
    assert nora.get(reverse("account")).status_code == 200

    response = ada.post(reverse("user_reset_password", args=[cast.nora.pk]))

    assert nora.get(reverse("account")).status_code == 302
    cast.nora.refresh_from_db()
    assert cast.nora.check_password(one_time_password(response))
    assert cast.nora.password_temporary
    assert last_entry().action == "user.password_reset"


def test_a_locked_out_person_is_shown_and_can_be_unlocked(ada: Client, cast: Cast) -> None:
    nora = make_user(Role.NURSE, username="nils", password=PASSWORD)
    login = {"login": "nils", "password": PASSWORD}
    for _ in range(5):
        Client().post(reverse("account_login"), login | {"password": "wrong"})
    assert Client().post(reverse("account_login"), login).status_code == 429
    assert "locked for now" in ada.get(reverse("users")).content.decode()

    assert ada.post(reverse("user_unlock", args=[nora.pk])).status_code == 303

    assert (last_entry().action, last_entry().data) == ("user.unlocked", {"forgotten": 1})
    assert "locked for now" not in ada.get(reverse("users")).content.decode()
    assert Client().post(reverse("account_login"), login).status_code == 302


def test_the_services_themselves_refuse_everybody_else(cast: Cast) -> None:
    for user in (cast.sam, cast.nora, cast.pia, cast.dora):
        actor = Actor.person(user)
        for attempt in (
            lambda actor=actor: users.create(actor=actor, username="x", full_name="X", roles=[Role.NURSE]),
            lambda actor=actor: users.deactivate(actor=actor, user=cast.carl),
            lambda actor=actor: users.reactivate(actor=actor, user=cast.carl),
            lambda actor=actor: users.reset_password(actor=actor, user=cast.carl),
            lambda actor=actor: users.unlock(actor=actor, user=cast.carl),
            lambda actor=actor: users.change(actor=actor, user=cast.carl, **details(cast.carl)),
        ):
            with pytest.raises(NotPermitted):
                attempt()


def test_my_own_details_are_mine_to_change_but_not_my_roles(client: Client, cast: Cast) -> None:
    client.force_login(cast.nora)

    response = client.post(
        reverse("account"), {"email": "new@clinic.test", "phone": "12", "roles": ["director"], "full_name": "Queen"}
    )

    assert response.status_code == 303
    cast.nora.refresh_from_db()
    assert (cast.nora.email, cast.nora.phone) == ("new@clinic.test", "12")
    assert (cast.nora.full_name, cast.nora.role_set) == ("Nora Nurse", {Role.NURSE})
    assert last_entry().data == {"fields": ["email", "phone"]}


def test_a_wrong_address_is_said_and_stays(client: Client, cast: Cast) -> None:
    client.force_login(cast.nora)

    response = client.post(reverse("account"), {"email": "not an address", "phone": "12"})

    assert response.status_code == 422
    assert 'value="not an address"' in response.content.decode()


def test_nobody_changes_the_details_of_somebody_else(cast: Cast) -> None:
    with pytest.raises(Invalid):
        users.change_own(actor=Actor.person(cast.nora), user=cast.pia, email="", phone="")
