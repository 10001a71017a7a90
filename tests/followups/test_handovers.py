"""Nobody leaves with something open, and all of it goes to others on one screen."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from clinic import clock, users
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import Absence, AuditEntry, OnCall, User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import Action, FollowUp, Review
from followups.selectors import holdings
from followups.services import handovers, promises
from procedures.models import Procedure, Series
from tests import make
from tests.factories import promises as factory
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def an_action(user: User) -> Action:
    case = make.procedure(status="completed", starts=clock.now() - DAY, responsible=make.user(Role.PHYSICIAN))
    version = make.result(make.lab_test(case))
    about: dict[str, Any] = {"procedure": case, "plan": "refer"}
    now = clock.now()
    review = Review.objects.create(
        **about, version=version, reviewer=user, at=now, interpretation="abnormal", plan_detail="x", tell="with_all"
    )
    return Action.objects.create(**about, review=review, what="x", responsible=user, created_at=now, due_at=now + DAY)


@pytest.fixture
def full_hands(cast: Cast) -> Cast:
    """Pia holds one of everything."""
    now = clock.now()
    make.procedure(status="completed", starts=now - DAY, responsible=cast.pia, operator=cast.pia, planned_version=1)
    other = make.user(Role.PHYSICIAN)
    make.procedure(status="scheduled", starts=now + DAY, responsible=other, operator=cast.pia)
    an_action(cast.pia)
    factory.promise(Kind.SIGN_RECORD, procedure=factory.case(responsible=other), taken_by=cast.pia, taken_at=now)
    Absence.objects.create(user=other, surrogate=cast.pia, starts_at=now + DAY, ends_at=now + 2 * DAY)
    OnCall.objects.create(user=cast.pia, role="physician", starts_at=now - DAY, ends_at=now + DAY)
    return cast


def answers(held: dict[holdings.Group, list[holdings.Item]], to: User) -> dict[str, str]:
    return {str(group): str(to.pk) for group in held}


def test_an_access_does_not_end_while_anything_is_open_and_the_page_says_what(client: Client, full_hands: Cast) -> None:
    client.force_login(full_hands.ada)
    url = reverse("user_deactivate", args=[full_hands.pia.pk])
    for response in (client.get(url), client.post(url)):
        page = response.content.decode()
        for words in (
            "responsible for 1 case",
            "operator of 1 booked case",
            "1 decided action",
            "1 task",
            "covers 1 absence",
            "on call for 1 turn",
        ):
            assert words in page
    assert response.status_code == 409
    with pytest.raises(users.StillHolds):
        users.deactivate(actor=Actor.person(full_hands.ada), user=full_hands.pia)
    assert User.objects.get(pk=full_hands.pia.pk).is_active


def test_everything_is_given_on_one_screen_and_then_the_access_ends(client: Client, full_hands: Cast) -> None:
    pia, carl = full_hands.pia, full_hands.carl
    client.force_login(full_hands.ada)
    held = holdings.of(pia, clock.now())
    assert [len(items) for items in held.values()] == [1] * 6

    sent = client.post(reverse("followups:hand_over_all", args=[pia.pk]), answers(held, carl))
    assert (sent.status_code, sent["Location"]) == (303, reverse("user_deactivate", args=[pia.pk]))

    assert holdings.of(pia, clock.now()) == {}
    assert Procedure.objects.filter(responsible=carl).count() == 1
    assert Procedure.objects.filter(operator=carl, status="scheduled").count() == 1
    assert Action.objects.get().responsible == carl
    assert Absence.objects.get().surrogate == carl
    was, will_be = OnCall.objects.order_by("starts_at")
    assert (was.user, will_be.user) == (pia, carl)  # what has been of the turn stays hers
    assert was.ends_at == will_be.starts_at
    done = set(AuditEntry.objects.filter(actor_id=full_hands.ada.pk).values_list("action", flat=True))
    assert done >= {
        "procedure.responsible_changed",
        "procedure.operator_changed",
        "action.reassigned",
        "promise.handed_over",
        "absence.passed_on",
        "oncall.passed_on",
        "user.handed_over",
    }
    assert client.post(sent["Location"]).status_code == 303
    assert not User.objects.get(pk=pia.pk).is_active


def test_one_thing_may_go_to_somebody_else_and_only_to_somebody_fitting(client: Client, full_hands: Cast) -> None:
    pia, carl, nora = full_hands.pia, full_hands.carl, full_hands.nora
    third = make.user(Role.PHYSICIAN)
    client.force_login(full_hands.dora)
    held = holdings.of(pia, clock.now())
    url = reverse("followups:hand_over_all", args=[pia.pk])
    case = held[holdings.Group.CASES][0]

    for wrong in ({}, answers(held, nora), answers(held, carl) | {case.key: str(nora.pk)}):
        assert client.post(url, wrong).status_code == 422
    assert holdings.of(pia, clock.now()) == held

    nobody = dict.fromkeys(("operates", "covers", "turns"), "nobody")
    assert client.post(url, answers(held, carl) | nobody | {case.key: str(third.pk)}).status_code == 303
    assert Procedure.objects.filter(responsible=third).count() == 1
    assert Procedure.objects.get(status="scheduled").operator is None
    assert Absence.objects.get().surrogate is None
    assert OnCall.objects.get().ends_at <= clock.now()


def test_what_one_service_refuses_stops_all_of_it_and_is_said_beside_the_thing(full_hands: Cast) -> None:
    pia, carl = full_hands.pia, full_hands.carl
    booked = Procedure.objects.get(status="scheduled")
    make.procedure(status="scheduled", starts=booked.stay.lower, operator=carl)  # busy then
    held = holdings.of(pia, clock.now())
    choices: dict[str, User | None] = {item.key: carl for items in held.values() for item in items}

    with pytest.raises(Invalid) as refused:
        handovers.hand_over(actor=Actor.person(full_hands.ada), leaving=pia, choices=choices)

    assert refused.value.field == held[holdings.Group.OPERATES][0].key
    assert holdings.of(pia, clock.now()) == held


def test_a_series_is_handed_over_and_its_next_case_is_the_new_one_s(cast: Cast) -> None:
    version = make.protocol_version("paracentesis")
    series = Series.objects.create(
        patient=make.patient(), protocol=version.protocol, indication="serial_relief", variant="diagnostic",
        location="clinic", responsible=cast.pia, operator=cast.pia, interval_days=14, at=time(9), total=4,
        started_at=clock.now(),
    )  # fmt: skip
    (item,) = holdings.of(cast.pia, clock.now())[holdings.Group.SERIES]

    handovers.hand_over(actor=Actor.person(cast.ada), leaving=cast.pia, choices={item.key: cast.carl})

    series.refresh_from_db()
    assert (series.responsible, series.operator) == (cast.carl, cast.carl)
    assert holdings.Group.SERIES not in holdings.of(cast.pia, clock.now())


def test_a_nurse_s_tasks_go_to_nurses_and_physicians(cast: Cast) -> None:
    factory.promise(Kind.TELL_PATIENT, role="nurse", responsible=None, taken_by=cast.nora, taken_at=clock.now())
    (item,) = holdings.of(cast.nora, clock.now())[holdings.Group.PROMISES]
    assert item.roles == {Role.NURSE, Role.PHYSICIAN}


def test_who_has_left_takes_nothing_and_is_given_nothing(cast: Cast) -> None:
    row = factory.promise(Kind.SIGN_RECORD)
    actor = Actor.person(cast.carl)
    User.objects.filter(pk=cast.carl.pk).update(is_active=False)
    with pytest.raises(Conflict, match="no longer works here"):
        promises.take(actor=actor, follow_up=row)
    with pytest.raises(Conflict, match="no longer works here"):
        promises.give(actor=Actor.person(cast.dora), follow_up=row, to=cast.carl)
    assert FollowUp.objects.get(pk=row.pk).taken_by is None


def test_nobody_is_ever_deleted(cast: Cast) -> None:
    make.procedure(responsible=cast.pia)
    with pytest.raises(ProtectedError):
        cast.pia.delete()
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        cast.sam.delete()  # who has done nothing yet
