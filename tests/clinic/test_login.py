"""Logging in, being locked out, being logged out, and where each role lands."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.hashers import identify_hasher
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from clinic import settings as product
from clinic.clock import real_now
from clinic.models import AuditEntry, User
from clinic.roles import Role
from tests.factories.people import PASSWORD, make_user

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def log_in(client: Client, username: str = "nora", password: str = PASSWORD, **more: Any) -> HttpResponse:
    return client.post(reverse("account_login"), {"login": username, "password": password, **more})


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def logged_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


@pytest.fixture
def nora() -> User:
    return make_user(Role.NURSE, username="nora", full_name="Nora Nurse", password=PASSWORD)


def test_a_right_password_opens_the_product_and_is_audited(client: Client, nora: User) -> None:
    response = log_in(client)

    assert response.status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.data) == ("login.succeeded", nora.pk, {"address": "127.0.0.1"})
    assert logged_in(client)


@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.SCHEDULER, "followups:board"),
        (Role.NURSE, "followups:checklists"),
        (Role.PHYSICIAN, "followups:inbox"),
        (Role.DIRECTOR, "followups:loop"),
        (Role.ADMINISTRATOR, "users"),
    ],
)
def test_each_role_lands_on_its_own_home(client: Client, role: Role, home: str) -> None:
    make_user(role, username="nora", password=PASSWORD)

    response = log_in(client)

    assert response["Location"] == reverse(home)
    assert client.get(reverse("home"))["Location"] == reverse(home)


def test_the_log_in_goes_on_where_the_person_was(client: Client, nora: User) -> None:
    before = client.get(reverse("account"))
    assert before["Location"] == "/accounts/login/?next=%2Faccount%2F"

    assert log_in(client, next="/account/")["Location"] == "/account/"
    assert b'name="next" value="/account/"' in Client().get(before["Location"]).content


def test_the_log_in_never_leads_to_another_site(client: Client, nora: User) -> None:
    response = log_in(client, next="https://evil.example/")

    assert response["Location"] == reverse("followups:checklists")


def test_passwords_are_stored_with_argon2(nora: User, settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS

    nora.set_password(PASSWORD)

    assert identify_hasher(nora.password).algorithm == "argon2"
    assert nora.check_password(PASSWORD)


def test_a_user_name_may_be_typed_in_capitals(client: Client, nora: User) -> None:
    log_in(client, username="NORA")

    assert logged_in(client)


def test_a_wrong_password_is_refused_in_words_and_audited(client: Client, nora: User) -> None:
    response = log_in(client, password="wrong")

    assert "do not go together" in response.content.decode()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.subject_id) == ("login.failed", None, nora.pk)
    assert entry.data["known"] is True


def test_what_was_typed_as_a_user_name_is_kept_nowhere(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        log_in(client, username="my-secret-password", password="x")

    entry = AuditEntry.objects.get()
    assert "my-secret-password" not in f"{entry.data} {entry.actor_name} {entry.reason}"
    assert "my-secret-password" not in caplog.text


def test_after_five_wrong_passwords_the_right_one_is_locked_out_too(client: Client, nora: User) -> None:
    statuses = [log_in(client, password="wrong").status_code for _ in range(5)]

    assert statuses == [200, 200, 200, 200, 429]
    response = log_in(client)
    assert response.status_code == 429
    assert "locked for a while" in response.content.decode()
    assert not logged_in(client)
    assert actions().count("login.failed") == 6
    assert "login.locked" in actions()


def test_spelling_the_name_differently_gives_no_more_tries(client: Client, nora: User) -> None:
    for name in ("nora", "Nora", "NORA", "nOra", "noRa"):
        log_in(client, username=name, password="wrong")

    assert log_in(client).status_code == 429


def test_a_colleague_can_still_log_in_at_the_same_computer(client: Client, nora: User) -> None:
    make_user(Role.PHYSICIAN, username="pia", password=PASSWORD)
    for _ in range(5):
        log_in(client, password="wrong")

    assert log_in(client, username="pia").status_code == 302


def test_the_lock_ends_after_an_hour(client: Client, nora: User) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(5):
            log_in(client, password="wrong")
        clock.shift(timedelta(minutes=59))
        assert log_in(client).status_code == 429
        clock.shift(timedelta(minutes=62))
        assert log_in(client).status_code == 302


def test_an_inactive_person_is_refused_with_the_right_password(client: Client) -> None:
    make_user(Role.NURSE, username="nora", password=PASSWORD, is_active=False)

    response = log_in(client)

    assert response["Location"] == reverse("account_inactive")
    assert "no access" in client.get(response["Location"]).content.decode()
    assert not logged_in(client)
    assert AuditEntry.objects.get().data["inactive"] is True


def test_ending_the_access_ends_a_running_log_in(client: Client, nora: User) -> None:
    log_in(client)

    User.objects.filter(pk=nora.pk).update(is_active=False)

    assert not logged_in(client)


def test_logging_out_needs_a_post_and_is_audited(client: Client, nora: User) -> None:
    log_in(client)

    assert client.get(reverse("account_logout")).status_code == 200
    assert logged_in(client)
    assert client.post(reverse("account_logout"))["Location"] == reverse("account_login")
    assert not logged_in(client)
    last = AuditEntry.objects.order_by("id").last()
    assert last is not None
    assert (last.action, last.actor_id, last.data) == ("logout", nora.pk, {"why": "asked"})


@pytest.mark.parametrize("name", ["account_signup", "account_email", "account_reset_password", "account_set_password"])
def test_pages_of_the_log_in_package_that_staff_do_not_need_are_absent(client: Client, nora: User, name: str) -> None:
    assert client.get(reverse(name)).status_code == 404
    client.force_login(nora)
    assert client.get(reverse(name)).status_code == 404
    assert client.post(reverse(name), {"username": "x", "password1": PASSWORD}).status_code == 404
    assert User.objects.count() == 1


def test_fifteen_idle_minutes_end_the_log_in_and_the_page_says_why(client: Client, nora: User) -> None:
    with time_machine.travel(START, tick=False) as clock:
        log_in(client)
        clock.shift(timedelta(minutes=14))
        assert logged_in(client)
        clock.shift(timedelta(minutes=14))
        assert logged_in(client)
        clock.shift(timedelta(minutes=15, seconds=1))
        response = client.get(reverse("account"))

    assert response["Location"] == "/accounts/login/?next=%2Faccount%2F&ended=idle"
    assert "nothing was done here for a while" in client.get(response["Location"]).content.decode()
    last = AuditEntry.objects.order_by("id").last()
    assert last is not None
    assert (last.action, last.actor_id, last.data) == ("logout", nora.pk, {"why": "idle"})


def test_a_log_in_ends_after_one_shift_however_busy(client: Client, nora: User, settings: LazySettings) -> None:
    with time_machine.travel(START, tick=False) as clock:
        log_in(client)
        for _ in range(71):
            clock.shift(timedelta(minutes=10))
            assert logged_in(client)
        clock.shift(timedelta(minutes=14))
        response = client.get(reverse("account"))

    assert response["Location"].endswith("&ended=limit")


def test_a_page_that_refreshes_itself_keeps_nobody_logged_in(client: Client, nora: User) -> None:
    with time_machine.travel(START, tick=False) as clock:
        log_in(client)
        for _ in range(3):
            clock.shift(timedelta(minutes=4))
            assert client.get(reverse("account"), headers={"X-Refresh": "1"}).status_code == 200
        clock.shift(timedelta(minutes=4))
        late = client.get(reverse("account"), headers={"X-Refresh": "1"})

    assert (late.status_code, late.content) == (401, b"")


def test_a_session_without_a_stamp_is_not_trusted(client: Client, nora: User) -> None:
    log_in(client)
    session = client.session
    del session["session_seen_at"]
    session.save()

    assert not logged_in(client)


def test_an_htmx_request_after_the_log_out_moves_the_whole_page(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/places/"}

    response = client.get(reverse("account"), headers=headers)

    assert response.status_code == 401
    assert response["HX-Redirect"] == "/accounts/login/?next=%2Fplaces%2F"


def test_an_htmx_form_after_the_log_out_replaces_the_whole_page_and_loses_nothing(nora: User) -> None:
    client = Client(headers={"HX-Request": "true"})

    response = expired_post(client, phone="7")

    assert response.status_code == 422  # the page is told to show these
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("body", "innerHTML")
    assert kept_in(response)


def kept_in(response: HttpResponse) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', response.content.decode())
    assert found is not None
    return found[1]


def expired_post(client: Client, **data: Any) -> HttpResponse:
    """Log in, wait, and send a form."""
    with time_machine.travel(real_now() - timedelta(hours=1)):
        log_in(client)
    return client.post(reverse("account"), data)


def test_a_form_that_met_an_expired_log_in_is_sent_after_logging_in_again(nora: User) -> None:
    client = Client(enforce_csrf_checks=False)

    response = expired_post(client, email="nora@clinic.test", phone="ext. <7>")

    assert response.status_code == 401
    assert "what you typed is not lost" in response.content.decode()
    again = client.post(reverse("account_resend"), {"login": "nora", "password": PASSWORD, "kept": kept_in(response)})
    page = again.content.decode()
    assert again.status_code == 200
    assert f'<form method="post" action="{reverse("account")}">' in page
    assert '<input type="hidden" name="phone" value="ext. &lt;7&gt;">' in page
    nora.refresh_from_db()
    assert nora.phone == ""  # not before the person has looked and pressed the button
    assert client.post(reverse("account"), {"email": "nora@clinic.test", "phone": "ext. <7>"}).status_code == 303
    nora.refresh_from_db()
    assert nora.phone == "ext. <7>"


def test_the_second_sending_works_with_forgery_protection_on(nora: User) -> None:
    client = Client(enforce_csrf_checks=True)

    def token(page: HttpResponse) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
        assert found is not None
        return found[1]

    with time_machine.travel(real_now() - timedelta(hours=1)):
        log_in(client, csrfmiddlewaretoken=token(client.get(reverse("account_login"))))
        form = client.get(reverse("account"))
    data = {"email": "", "phone": "7", "csrfmiddlewaretoken": token(form)}
    refused = client.post(reverse("account"), data)
    assert refused.status_code == 401
    data = {"login": "nora", "password": PASSWORD, "kept": kept_in(refused), "csrfmiddlewaretoken": token(refused)}
    look = client.post(reverse("account_resend"), data)

    sent = client.post(reverse("account"), {"email": "", "phone": "7", "csrfmiddlewaretoken": token(look)})

    assert sent.status_code == 303


def test_a_wrong_password_there_loses_nothing_either(nora: User) -> None:
    client = Client()
    response = expired_post(client, phone="7")

    wrong = client.post(reverse("account_resend"), {"login": "nora", "password": "no", "kept": kept_in(response)})

    assert wrong.status_code == 422
    assert kept_in(wrong)


def test_passwords_and_tokens_are_never_carried_over(nora: User) -> None:
    client = Client()
    with time_machine.travel(real_now() - timedelta(hours=1)):
        log_in(client)
    response = client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "n", "password2": "n", "csrfmiddlewaretoken": "t", "plain": "p"},
    )

    look = client.post(
        reverse("account_resend"), {"login": "nora", "password": PASSWORD, "kept": kept_in(response)}
    ).content.decode()

    assert 'name="plain"' in look
    assert "password1" not in look
    assert PASSWORD not in look


def test_what_somebody_else_has_typed_is_not_shown(nora: User) -> None:
    make_user(Role.PHYSICIAN, username="pia", password=PASSWORD)
    client = Client()
    response = expired_post(client, phone="typed by nora")

    look = client.post(reverse("account_resend"), {"login": "pia", "password": PASSWORD, "kept": kept_in(response)})

    assert look.status_code == 403
    assert "typed by nora" not in look.content.decode()


def test_a_forged_page_is_not_sent(nora: User) -> None:
    client = Client()
    client.force_login(nora)

    assert client.post(reverse("account_resend"), {"kept": "forged"}).status_code == 422


def test_a_temporary_password_must_be_changed_before_anything_else(client: Client) -> None:
    nora = make_user(Role.NURSE, username="nora", password=PASSWORD, password_temporary=True)
    log_in(client)

    assert client.get(reverse("account"))["Location"] == reverse("account_change_password")
    assert client.get(reverse("account_change_password")).status_code == 200
    new = "another long password"
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert logged_in(client)
    nora.refresh_from_db()
    assert nora.check_password(new)
    assert not nora.password_temporary
    assert actions()[-1] == "user.password_changed"


def test_a_weak_new_password_is_refused_in_words(client: Client, nora: User) -> None:
    client.force_login(nora)

    response = client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    )

    assert "at least 12 characters" in response.content.decode()
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD)


def test_the_password_can_be_confirmed_again(client: Client, nora: User) -> None:
    client.force_login(nora)

    assert client.get(reverse("account_reauthenticate")).status_code == 200
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302
