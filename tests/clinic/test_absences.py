"""Absence and cover: who plans, who answers, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import clock, covers
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import Absence, AuditEntry, User
from clinic.roles import Role
from tests.factories.people import PASSWORD, Cast, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def typed(days: float, hour: int = 8) -> str:
    """A moment some days from now, as the browser sends it."""
    day = timezone.localdate(clock.now()) + timedelta(days=days)
    return f"{day.isoformat()}T{hour:02d}:00"


def make_absence(user: User, surrogate: User | None, first: float = 1, last: float = 3, **extra: Any) -> Absence:
    now = clock.now().replace(second=0, microsecond=0)  # as it is typed
    span = {"starts_at": now + first * DAY, "ends_at": now + last * DAY}
    return Absence.objects.create(**{"user": user, "surrogate": surrogate, **span, **extra})


def send(client: Client, who: User, **data: Any) -> Any:
    client.force_login(who)
    return client.post(reverse("absence_new"), {"starts_at": typed(1), "ends_at": typed(3)} | data)


def actions() -> list[str]:
    return list(
        AuditEntry.objects.filter(action__startswith="absence.").order_by("pk").values_list("action", flat=True)
    )


def test_everybody_plans_their_own_and_the_surrogate_accepts(client: Client, cast: Cast) -> None:
    assert send(client, cast.pia, surrogate=cast.carl.pk).status_code == 303
    absence = Absence.objects.get()
    assert (absence.user, absence.surrogate, absence.is_covered) == (cast.pia, cast.carl, False)

    client.force_login(cast.carl)
    for page in ("absences", "account"):
        assert "You are asked to cover for Pia Physician, MD" in client.get(reverse(page)).content.decode()
    assert client.post(reverse("accept_cover", args=[absence.pk])).status_code == 303
    assert client.post(reverse("accept_cover", args=[absence.pk])).status_code == 409

    absence.refresh_from_db()
    assert absence.is_covered
    assert actions() == ["absence.added", "absence.accepted"]


def test_a_surrogate_declines_with_a_reason_which_the_absent_person_and_the_director_read(
    client: Client, cast: Cast
) -> None:
    absence = make_absence(cast.pia, cast.carl)
    client.force_login(cast.carl)
    url = reverse("decline_cover", args=[absence.pk])
    assert client.post(url, {"reason": "  "}).status_code == 422
    assert client.post(url, {"reason": "At a congress"}).status_code == 303

    for reader in (cast.pia, cast.dora):
        client.force_login(reader)
        page = client.get(reverse("absences")).content.decode()
        assert "At a congress" in page
        assert "Declined" in page
    absence.refresh_from_db()
    assert not absence.is_covered


def test_other_days_ask_the_surrogate_again_and_the_same_days_do_not(client: Client, cast: Cast) -> None:
    absence = make_absence(cast.pia, cast.carl, accepted_at=clock.now())
    client.force_login(cast.pia)
    url = reverse("absence_edit", args=[absence.pk])
    same = {name: f"{timezone.localtime(getattr(absence, name)):%Y-%m-%dT%H:%M}" for name in ("starts_at", "ends_at")}
    assert client.post(url, {**same, "surrogate": cast.carl.pk}).status_code == 303
    absence.refresh_from_db()
    assert absence.is_covered

    assert client.post(url, {"starts_at": typed(5), "ends_at": typed(6), "surrogate": cast.carl.pk}).status_code == 303
    absence.refresh_from_db()
    assert not absence.is_covered
    assert actions() == ["absence.changed"]


def test_an_absence_is_cancelled_and_one_that_has_begun_ends_now_and_stays_on_record(
    client: Client, cast: Cast
) -> None:
    coming, begun = make_absence(cast.pia, cast.carl), make_absence(cast.pia, cast.carl, -1, 0.5)
    client.force_login(cast.pia)
    for absence in (coming, begun):
        url = reverse("absence_cancel", args=[absence.pk])
        assert client.get(url).status_code == 200
        assert client.post(url).status_code == 303

    kept = Absence.objects.get()
    assert kept == begun
    assert kept.ends_at <= clock.now()
    assert actions() == ["absence.removed", "absence.ended"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"ends_at": typed(0, 7)}, "Must be later than the beginning."),
        ({"starts_at": typed(-3), "ends_at": typed(-2)}, "would be over already"),
        ({"surrogate": "nora"}, "no role in common, or no longer here"),
        ({"surrogate": "gone"}, "no role in common, or no longer here"),
        ({"surrogate": "carl", "starts_at": typed(10), "ends_at": typed(12)}, "This person is away then, too"),
        ({"starts_at": typed(20), "ends_at": typed(22)}, "Already entered as away"),
        ({"starts_at": "soon"}, "Enter a valid date/time."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_stored(
    client: Client, cast: Cast, data: dict[str, Any], words: str
) -> None:
    gone = make_user(Role.PHYSICIAN, username="gone", is_active=False)
    people = {user.username: user.pk for user in (cast.nora, cast.carl, gone)}
    make_absence(cast.carl, None, 9, 11)
    make_absence(cast.pia, None, 19, 23)

    response = send(client, cast.pia, **{name: people.get(value, value) for name, value in data.items()})

    assert response.status_code == 422
    assert words in response.content.decode()
    assert Absence.objects.count() == 2


def test_the_service_says_what_the_form_would_not_offer(cast: Cast) -> None:
    begin = clock.now() + DAY
    gone = make_user(Role.PHYSICIAN, is_active=False)
    for surrogate, words in ((cast.pia, "themselves"), (gone, "no longer works here"), (cast.nora, "share no role")):
        with pytest.raises(Invalid, match=words) as refused:
            covers.plan(
                actor=Actor.person(cast.pia), user=cast.pia, surrogate=surrogate, starts_at=begin, ends_at=begin + DAY
            )
        assert refused.value.field == "surrogate"


def test_postgresql_refuses_two_absences_of_one_person_at_once(cast: Cast) -> None:
    make_absence(cast.pia, None)
    make_absence(cast.pia, None, 3, 4)  # the next one may begin as this one ends
    with pytest.raises(IntegrityError, match="absence_once"), transaction.atomic():
        make_absence(cast.pia, None, 2, 5)


def test_whoever_covers_names_who_takes_that_over_before_going_away(client: Client, cast: Cast) -> None:
    third = make_user(Role.PHYSICIAN, full_name="Theo Third")
    cover = make_absence(cast.pia, cast.carl, 2, 6, accepted_at=clock.now())

    refused = send(client, cast.carl, surrogate=third.pk)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Who takes over the cover for Pia Physician, MD" in page
    assert "Pia Physician, MD counts on the person who goes away" in page
    assert not Absence.objects.filter(user=cast.carl).exists()

    assert send(client, cast.carl, surrogate=third.pk, **{f"cover_{cover.pk}": third.pk}).status_code == 303
    cover.refresh_from_db()
    assert (cover.surrogate, cover.is_covered) == (third, False)  # and is asked
    assert actions() == ["absence.passed_on", "absence.added"]


def test_the_service_refuses_a_cover_that_nobody_takes_over(cast: Cast) -> None:
    make_absence(cast.pia, cast.carl, accepted_at=clock.now())
    begin = clock.now() + DAY
    with pytest.raises(Invalid, match="Say who takes that over"):
        covers.plan(actor=Actor.person(cast.carl), user=cast.carl, starts_at=begin, ends_at=begin + DAY)
    assert Absence.objects.count() == 1


def test_nobody_accepts_while_they_are_away_themselves_or_days_they_were_not_shown(cast: Cast) -> None:
    absence = make_absence(cast.pia, cast.carl)
    own = make_absence(cast.carl, None, 2, 4)
    with pytest.raises(Invalid, match="away then, too"):
        covers.accept(actor=Actor.person(cast.carl), absence=absence)

    own.delete()
    Absence.objects.filter(pk=absence.pk).update(ends_at=clock.now() + 9 * DAY)
    with pytest.raises(Conflict, match="changed in the meantime"):
        covers.accept(actor=Actor.person(cast.carl), absence=absence)


def test_nobody_answers_or_plans_for_somebody_else_but_the_director(client: Client, cast: Cast) -> None:
    absence = make_absence(cast.pia, cast.carl)
    for user in (cast.pia, cast.dora, cast.nora):
        client.force_login(user)
        for name in ("accept_cover", "decline_cover"):
            assert client.post(reverse(name, args=[absence.pk]), {"reason": "x"}).status_code == 404
        with pytest.raises(Invalid):
            covers.accept(actor=Actor.person(user), absence=absence)
    with pytest.raises(NotPermitted):
        covers.cancel(actor=Actor.person(cast.carl), absence=absence)

    assert send(client, cast.dora, user=cast.nora.pk, starts_at=typed(3), ends_at=typed(4)).status_code == 303
    assert Absence.objects.filter(user=cast.nora, surrogate=None).exists()


def test_the_director_sees_whose_absence_nobody_covers(client: Client, cast: Cast) -> None:
    make_absence(cast.pia, cast.carl)
    make_absence(cast.nora, None)
    make_absence(cast.carl, cast.dora, 30, 31, accepted_at=clock.now())
    client.force_login(cast.dora)

    assert "2 absences have no cover" in client.get(reverse("absences")).content.decode()
    places = client.get(reverse("places")).content.decode()
    assert "Pia Physician" in places and "Nora Nurse" in places and "Carl Cover" not in places


def test_a_cover_is_passed_on_and_the_new_one_is_asked(client: Client, cast: Cast) -> None:
    third = make_user(Role.PHYSICIAN)
    absence = make_absence(cast.pia, cast.carl, accepted_at=clock.now())
    client.force_login(cast.carl)

    assert client.post(reverse("pass_on_cover", args=[absence.pk]), {"to": third.pk}).status_code == 303

    absence.refresh_from_db()
    assert (absence.surrogate, absence.is_covered) == (third, False)
    client.force_login(cast.nora)
    assert client.get(reverse("pass_on_cover", args=[absence.pk])).status_code == 404


def test_whoever_is_asked_hears_of_it_with_the_log_in_until_they_have_answered(client: Client, cast: Cast) -> None:
    absence = make_absence(cast.pia, make_user(Role.PHYSICIAN, username="theo", password=PASSWORD))
    for answered in (False, True):
        if answered:
            Absence.objects.filter(pk=absence.pk).update(accepted_at=clock.now())
        client.logout()
        sent = {"login": "theo", "password": PASSWORD}
        page = client.post(reverse("account_login"), sent, follow=True).content.decode()
        assert ("Pia Physician, MD asks you to cover" in page) is not answered
