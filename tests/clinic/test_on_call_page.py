"""Who is on call: the week, its gaps in words, and who keeps it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.models import Absence, OnCall, User
from tests import make
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo(settings.CLINIC_ZONE)
MONDAY = datetime(2026, 1, 12, 8, tzinfo=ZONE)


@pytest.fixture(autouse=True)
def monday_at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    make.opening_hours()
    monkeypatch.setattr(clock, "now", lambda: MONDAY + timedelta(hours=2))


def turn(user: User, role: str, first: int, last: int) -> OnCall:
    """Hours from Monday at eight."""
    hour = timedelta(hours=1)
    return OnCall.objects.create(user=user, role=role, starts_at=MONDAY + first * hour, ends_at=MONDAY + last * hour)


def words(client: Client, user: User, query: str = "") -> str:
    client.force_login(user)
    text = re.sub(r"<[^>]+>", " ", client.get(reverse("on_call") + query).content.decode())
    return " ".join(text.split())


def test_a_weekend_without_anybody_is_said_in_words_and_as_a_whole(client: Client, cast: Cast) -> None:
    turn(cast.pia, "physician", -24, 5 * 24 + 10)  # until Saturday at six
    page = words(client, cast.nora)
    assert "Nobody is on call for physicians Sat 18:00 – Mon 19 Jan 08:00" in page
    assert page.count("Nobody is on call for physicians") == 1
    assert "Nobody is on call for nurses in this whole week" in page
    assert "for directors" not in page  # nobody keeps a roster for them


def test_open_hours_need_nobody_on_call(client: Client, cast: Cast) -> None:
    for day in range(-1, 6):
        turn(cast.pia, "physician", 24 * day + 10, 24 * day + 24)  # from closing to opening
    turn(cast.pia, "physician", 5 * 24, 5 * 24 + 10)
    turn(cast.pia, "physician", 6 * 24, 7 * 24)
    assert "Nobody is on call for physicians" not in words(client, cast.nora)


def test_who_is_away_is_on_call_only_where_somebody_covers(client: Client, cast: Cast) -> None:
    turn(cast.pia, "physician", -24, 8 * 24)
    night = {"starts_at": MONDAY + timedelta(hours=10), "ends_at": MONDAY + timedelta(hours=34)}
    absence = Absence.objects.create(user=cast.pia, surrogate=cast.carl, **night)
    assert "Nobody is on call for physicians Mon 18:00 – Tue 08:00" in words(client, cast.nora)

    Absence.objects.filter(pk=absence.pk).update(accepted_at=clock.now())
    page = words(client, cast.nora)
    assert "Nobody is on call for physicians" not in page
    assert "away: Carl Cover covers" in page


def test_the_director_fills_a_gap_and_comes_back(client: Client, cast: Cast) -> None:
    turn(cast.pia, "physician", -24, 5 * 24 + 10)
    client.force_login(cast.dora)
    fill = re.search(r'href="([^"]+on-call/new/[^"]+)"', client.get(reverse("on_call")).content.decode())
    assert fill is not None
    form = client.get(fill[1].replace("&amp;", "&"))
    assert 'value="2026-01-17T18:00"' in form.content.decode()

    data: dict[str, Any] = {"role": "physician", "starts_at": "2026-01-17T18:00", "ends_at": "2026-01-19T08:00"}
    response = client.post(reverse("place_add", args=["on-call"]), {**data, "user": cast.carl.pk})
    assert (response.status_code, response["Location"]) == (303, reverse("on_call"))
    assert "Nobody is on call for physicians" not in words(client, cast.nora)


def test_a_turn_is_refused_for_who_is_on_call_already_or_away(client: Client, cast: Cast) -> None:
    turn(cast.pia, "physician", 0, 24)
    Absence.objects.create(user=cast.carl, starts_at=MONDAY, ends_at=MONDAY + timedelta(days=2))
    client.force_login(cast.dora)
    data = {"role": "physician", "starts_at": "2026-01-12T18:00", "ends_at": "2026-01-13T18:00"}
    for user, said in ((cast.pia, "overlaps with"), (cast.carl, "This person is away then")):
        response = client.post(reverse("place_add", args=["on-call"]), {**data, "user": user.pk})
        assert response.status_code == 422
        assert said in response.content.decode()
    with pytest.raises(IntegrityError, match="on_call_once"), transaction.atomic():
        turn(cast.pia, "physician", 12, 36)


def test_only_the_director_is_offered_changes_and_any_week_can_be_read(client: Client, cast: Cast) -> None:
    row = turn(cast.pia, "physician", 0, 24)
    client.force_login(cast.nora)
    assert reverse("place_edit", args=["on-call", row.pk]) not in client.get(reverse("on_call")).content.decode()
    client.force_login(cast.dora)
    assert reverse("place_edit", args=["on-call", row.pk]) in client.get(reverse("on_call")).content.decode()
    assert "Mon 23 Mar" in words(client, cast.sam, "?from=2026-03-25")
    assert "Mon 12 Jan" in words(client, cast.sam, "?from=nonsense")
