"""A shift's promises go to one person at once; what somebody else took is named and stays, the rest is done."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.models import Absence, AuditEntry, User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp
from followups.selectors import handover, worklists
from followups.services import promises
from followups.services.promises import Handed
from tests import make
from tests.factories.work import DAY, NOW, promise, taken

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def nora() -> User:
    return make.user(Role.NURSE, full_name="Nora Nurse")


@pytest.fixture
def nick() -> User:
    return make.user(Role.NURSE, full_name="Nick Night")


def held(nora: User, count: int = 3) -> list[FollowUp]:
    return [taken(promise(Kind.TELL_PATIENT), nora) for _ in range(count)]


def now_with(rows: list[FollowUp]) -> list[int | None]:
    return [row.taken_by_id for row in FollowUp.objects.filter(pk__in=[r.pk for r in rows]).order_by("pk")]


def test_all_of_a_shift_goes_to_one_person_with_what_was_said(nora: User, nick: User) -> None:
    rows = held(nora)
    found = promises.hand_over_shift(
        actor=Actor.person(nora), given=[Handed(row, "call after six") for row in rows], to=nick
    )
    assert (found.done, found.refused) == (rows, [])
    assert now_with(rows) == [nick.pk] * 3
    for row in rows:
        note = row.notes.get()
        assert (note.action, note.text) == ("handed_over", "Nora Nurse → Nick Night: call after six")
        entry = AuditEntry.objects.get(action="promise.handed_over", subject_id=row.pk)
        assert entry.data == {"from": nora.pk, "to": nick.pk, "shift": True}
    listed = worklists.row_of(worklists.with_subjects(FollowUp.objects.filter(pk=rows[0].pk)).get(), NOW)
    assert listed.given == "Nora Nurse → Nick Night: call after six"


def test_whoever_takes_it_next_is_not_told_of_an_old_handover(nora: User, nick: User) -> None:
    (row,) = held(nora, 1)
    promises.hand_over_shift(actor=Actor.person(nora), given=[Handed(row, "why")], to=nick)
    row.refresh_from_db()
    promises.take(actor=Actor.person(nora), follow_up=row)
    assert worklists.row_of(worklists.with_subjects(FollowUp.objects.filter(pk=row.pk)).get(), NOW).given == ""


def test_without_a_person_it_is_the_roles_again(nora: User) -> None:
    rows = held(nora, 2)
    promises.hand_over_shift(actor=Actor.person(nora), given=[Handed(row, "no time") for row in rows], to=None)
    assert now_with(rows) == [None, None]
    assert rows[0].notes.get().text == "Nora Nurse: no time"
    assert AuditEntry.objects.filter(action="promise.given_back").count() == 2


def test_what_somebody_took_or_finished_meanwhile_is_named_and_the_rest_is_done(nora: User, nick: User) -> None:
    mine, theirs, done, moved = held(nora, 4)
    seen = [FollowUp.objects.get(pk=row.pk) for row in (mine, theirs, done, moved)]
    carl = make.user(Role.PHYSICIAN, full_name="Carl Cover")
    promises.take(actor=Actor.person(carl), follow_up=FollowUp.objects.get(pk=theirs.pk))
    FollowUp.objects.filter(pk=done.pk).update(closed_at=NOW, closed_because="kept")
    FollowUp.objects.filter(pk=moved.pk).update(generation=2)
    found = promises.hand_over_shift(actor=Actor.person(nora), given=[Handed(row) for row in seen], to=nick)
    assert [row.pk for row in found.done] == [mine.pk]
    assert [why for _row, why in found.refused] == [
        "Carl Cover has it now",
        "done or no longer needed in the meantime",
        "changed in the meantime: look at it again",
    ]
    assert now_with([mine, theirs, done, moved]) == [nick.pk, carl.pk, nora.pk, nora.pk]


def test_a_handover_that_does_not_compare_would_take_it_from_somebody_else(nora: User, nick: User) -> None:
    """The twin without the guard: the plain update that the service does not make."""
    (row,) = held(nora, 1)
    carl = make.user(Role.PHYSICIAN)
    promises.take(actor=Actor.person(carl), follow_up=FollowUp.objects.get(pk=row.pk))
    FollowUp.objects.filter(pk=row.pk).update(taken_by=nick)
    assert now_with([row]) != [carl.pk]


def test_nobody_hands_over_what_another_person_holds(nora: User, nick: User) -> None:
    theirs = taken(promise(Kind.TELL_PATIENT), make.user(Role.NURSE))
    found = promises.hand_over_shift(actor=Actor.person(nora), given=[Handed(theirs)], to=nick)
    assert not found.done
    assert now_with([theirs]) != [nick.pk]


def test_what_a_person_cannot_do_is_not_given_to_them(nora: User) -> None:
    sam = make.user(Role.SCHEDULER, full_name="Sam Schedule")
    (row,) = held(nora, 1)
    found = promises.hand_over_shift(actor=Actor.person(nora), given=[Handed(row)], to=sam)
    assert [why for _row, why in found.refused] == ["Sam Schedule cannot be given it"]


@pytest.mark.parametrize("who", ["self", "gone"])
def test_it_goes_to_somebody_else_who_is_here(who: str, nora: User, nick: User) -> None:
    nick.is_active = False
    with pytest.raises(Invalid):
        promises.hand_over_shift(actor=Actor.person(nora), given=[], to=nora if who == "self" else nick)


# --- the page --------------------------------------------------------------------------------------


def page(client: Client, user: User) -> tuple[int, str]:
    client.force_login(user)
    response = client.get(reverse("followups:handover"))
    return response.status_code, response.content.decode()


def sent(client: Client, rows: list[FollowUp], **more: Any) -> Any:
    data = {"seen": [f"{row.pk}:{row.generation}" for row in rows], **{f"give-{row.pk}": "on" for row in rows}, **more}
    return client.post(reverse("followups:handover"), data)


def test_the_page_lists_what_i_hold_and_who_can_be_given_it(client: Client, nora: User, nick: User) -> None:
    rows = held(nora, 2)
    taken(promise(Kind.TELL_PATIENT), nick)
    away = make.user(Role.NURSE, full_name="Anna Away")
    Absence.objects.create(user=away, surrogate=nick, starts_at=NOW - DAY, ends_at=NOW + DAY, accepted_at=NOW - DAY)
    make.user(Role.NURSE, full_name="Gone Girl", is_active=False)
    status, html = page(client, nora)
    assert status == 200
    assert [row.follow_up.pk for row in handover.held(Actor.person(nora), NOW)] == [row.pk for row in rows]
    assert "Nick Night" in html
    assert all(name not in html.split("<main")[1] for name in ("Anna Away", "Gone Girl", "Nora Nurse"))


def test_one_submit_hands_over_what_is_ticked_with_both_notes(client: Client, nora: User, nick: User) -> None:
    rows = held(nora)
    page(client, nora)
    keys = {f"note-{rows[0].pk}": "wife answers", "to": str(nick.pk), "text": "Late list"}
    response = client.post(
        reverse("followups:handover"),
        {"seen": [f"{row.pk}:1" for row in rows], f"give-{rows[0].pk}": "on", f"give-{rows[1].pk}": "on", **keys},
    )
    assert response.status_code == 303
    assert now_with(rows) == [nick.pk, nick.pk, nora.pk]
    assert [row.notes.get().text for row in rows[:2]] == [
        "Nora Nurse → Nick Night: wife answers. Late list",
        "Nora Nurse → Nick Night: Late list",
    ]
    assert "2 tasks are handed over to Nick Night." in client.get(response.url).content.decode()


def test_a_conflict_is_said_with_the_case_and_without_a_name(client: Client, nora: User, nick: User) -> None:
    rows = held(nora, 2)
    page(client, nora)
    promises.take(actor=Actor.person(nick), follow_up=FollowUp.objects.get(pk=rows[0].pk))
    response = sent(client, rows, to=str(nick.pk))
    said = [str(message) for message in response.wsgi_request._messages]
    assert rows[0].procedure is not None
    assert said[0] == f"Not handed over, Tell the patient ({rows[0].procedure.code}): Nick Night has it now."
    assert said[1] == "1 task is handed over to Nick Night."


def test_what_was_finished_while_the_screen_was_open_is_named_if_it_was_ticked(
    client: Client, nora: User, nick: User
) -> None:
    rows = held(nora, 2)
    page(client, nora)
    FollowUp.objects.filter(pk=rows[0].pk).update(closed_at=NOW, closed_because="kept")
    response = sent(client, rows, to=str(nick.pk))
    said = [str(message) for message in response.wsgi_request._messages]
    assert rows[0].procedure is not None
    assert f"({rows[0].procedure.code}): done or no longer needed in the meantime." in said[0]
    assert now_with(rows) == [nora.pk, nick.pk]


@pytest.mark.parametrize(
    ("more", "said"), [({"to": ""}, "Choose who goes on with it."), ({"to": "999999"}, "not one of the available")]
)
def test_bad_input_is_said_at_the_field_and_nothing_typed_is_lost(
    more: dict[str, str], said: str, client: Client, nora: User
) -> None:
    rows = held(nora, 1)
    page(client, nora)
    response = sent(client, rows, text="Remember the dog", **more)
    html = response.content.decode()
    assert response.status_code == 422
    assert said in html
    assert "Remember the dog" in html
    assert now_with(rows) == [nora.pk]


def test_ticking_nothing_is_no_handover(client: Client, nora: User, nick: User) -> None:
    rows = held(nora, 1)
    page(client, nora)
    response = client.post(reverse("followups:handover"), {"seen": [f"{rows[0].pk}:1"], "to": str(nick.pk)})
    assert response.status_code == 422
    assert "Tick at least one task." in response.content.decode()


def test_a_scheduler_hands_over_bookings_and_sees_nothing_else(client: Client) -> None:
    sam = make.user(Role.SCHEDULER)
    mine = taken(promise(Kind.BOOK_REQUEST), sam)
    other = taken(promise(Kind.TELL_PATIENT), sam)
    _status, html = page(client, sam)
    assert f'name="give-{mine.pk}"' in html
    assert f'name="give-{other.pk}"' not in html
