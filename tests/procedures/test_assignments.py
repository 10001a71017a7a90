"""Who is responsible and who operates: never somebody who is away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from clinic import clock, users
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import Absence, AuditEntry, User
from clinic.roles import Role
from followups import reconcile
from procedures.models import Procedure
from procedures.selectors import bookings as selector
from procedures.services import assignments, bookings, slots
from tests import make
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo(settings.CLINIC_ZONE)
MONDAY = datetime(2026, 1, 12, 8, tzinfo=ZONE)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def monday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: MONDAY)
    make.opening_hours()


def away(user: User, surrogate: User | None = None, *, accepted: bool = True) -> Absence:
    """From an hour ago until Wednesday at eight."""
    span = {"starts_at": MONDAY - DAY / 24, "ends_at": MONDAY + 2 * DAY}
    accepted_at = MONDAY - DAY if surrogate and accepted else None
    return Absence.objects.create(user=user, surrogate=surrogate, accepted_at=accepted_at, **span)


def ask(responsible: User, **more: Any) -> Procedure:
    make.protocol_version("paracentesis")
    return bookings.request(
        actor=make.actor(Role.SCHEDULER),
        patient=make.patient(),
        protocol="paracentesis",
        indication="relief",
        responsible=responsible,
        **more,
    )


def test_a_new_case_of_somebody_away_goes_to_whoever_has_accepted_to_cover(cast: Cast) -> None:
    away(cast.pia, cast.carl)
    case = ask(cast.pia)
    assert case.responsible == cast.carl
    assert AuditEntry.objects.get(action="procedure.requested").data["instead_of"] == cast.pia.pk


@pytest.mark.parametrize("surrogate", ["", "carl", "ring"])
def test_without_a_physician_who_covers_it_is_refused(cast: Cast, surrogate: str) -> None:
    away(cast.pia, cast.carl if surrogate else None, accepted=surrogate == "ring")
    if surrogate == "ring":
        away(cast.carl, cast.pia)
    with pytest.raises(Invalid, match="no physician has accepted to cover") as refused:
        ask(cast.pia)
    assert refused.value.field == "responsible"
    assert ask(cast.pia, route=False).responsible == cast.pia  # what goes on must never wait for that


def test_the_request_page_says_who_is_away_offers_them_last_and_tells_who_answers(client: Client, cast: Cast) -> None:
    away(cast.carl, cast.pia)
    make.protocol_version("paracentesis")
    patient = make.patient()
    client.force_login(cast.sam)
    url = reverse("procedures:request", args=[patient.pk])
    page = client.get(url).content.decode()
    assert "Carl Cover, MD: away until Wed 08:00, covered by Pia Physician, MD" in page
    assert page.index(">Pia Physician, MD<") < page.index("Carl Cover, MD: away")

    data = {"protocol": "paracentesis", "indication": "relief", "shown_for": "relief", "urgency": "elective"}
    variant = make.protocol_version("paracentesis").parsed.indication("relief").variant
    sent = client.post(
        url, {**data, "variant": variant, "location": "clinic", "responsible": cast.carl.pk}, follow=True
    )
    assert "Carl Cover, MD is away. Pia Physician, MD covers, and is responsible" in sent.content.decode()


def test_an_operator_is_not_booked_for_a_time_of_their_absence_whatever_the_reason(client: Client, cast: Cast) -> None:
    away(cast.pia, cast.carl)
    case, room = make.procedure(), make.room()
    inside, after = MONDAY + timedelta(hours=26), MONDAY + timedelta(hours=50)
    knowing = {"overbook": ["operator"], "outside_hours": True, "reason": "knows it"}
    for more in ({}, knowing):
        with pytest.raises(Invalid, match="away until 14 Jan 08:00, covered by Carl Cover") as refused:
            bookings.schedule(actor=make.actor(), procedure=case, start=inside, room=room, operator=cast.pia, **more)
        assert refused.value.field == "operator"
    bookings.schedule(actor=make.actor(), procedure=case, start=after, room=room, operator=cast.pia)


def test_free_slots_leave_out_who_is_away(cast: Cast) -> None:
    case = make.procedure()
    make.room()
    more = {"procedure": case, "first": MONDAY.date(), "days": 5, "room": None, "now": MONDAY}
    everybody = [day.day for day in selector.free_days(operator=cast.pia, **more)]
    away(cast.pia)
    left = [day.day for day in selector.free_days(operator=cast.pia, **more)]
    assert (len(everybody), len(left)) == (5, 3)


def test_a_case_is_given_to_another_clinician_and_its_promises_go_along(cast: Cast) -> None:
    case = make.procedure(status="completed", starts=MONDAY - DAY, responsible=cast.pia)
    reconcile.procedure(case.pk)
    assert case.follow_ups.filter(closed_at=None, responsible=cast.pia).exists()

    assignments.change_responsible(actor=Actor.person(cast.dora), procedure=case, to=cast.carl, reason="leaves")

    assert not case.follow_ups.filter(closed_at=None, responsible=cast.pia).exists()
    entry = AuditEntry.objects.get(action="procedure.responsible_changed")
    assert (entry.data, entry.reason) == ({"from": cast.pia.pk, "to": cast.carl.pk}, "leaves")


def test_a_case_goes_to_no_nurse_to_nobody_away_and_not_twice(cast: Cast) -> None:
    case = make.procedure(responsible=cast.pia)
    dora = Actor.person(cast.dora)
    for to, words in ((cast.nora, "must be a physician"), (cast.pia, "responsible already")):
        with pytest.raises(Invalid, match=words):
            assignments.change_responsible(actor=dora, procedure=case, to=to)
    absence = away(cast.carl)
    with pytest.raises(Invalid, match="nobody has accepted to cover"):
        assignments.change_responsible(actor=dora, procedure=case, to=cast.carl)
    absence.delete()
    stale = Procedure.objects.get(pk=case.pk)
    assignments.change_responsible(actor=dora, procedure=case, to=cast.carl)
    with pytest.raises(Conflict, match="in the meantime"):
        assignments.change_responsible(actor=dora, procedure=stale, to=make.user(Role.PHYSICIAN))


def test_another_operator_must_be_free_and_there_and_the_slot_stays(cast: Cast) -> None:
    start, room = MONDAY + timedelta(hours=2), make.room()
    case = make.procedure(status="scheduled", starts=start, operator=cast.pia, room=room)
    busy = make.user(Role.PHYSICIAN)
    make.procedure(status="scheduled", starts=start, operator=busy)
    away(cast.carl)
    dora = Actor.person(cast.dora)
    with pytest.raises(slots.SlotTaken):
        assignments.change_operator(actor=dora, procedure=case, to=busy)
    with pytest.raises(Invalid, match="away until"):
        assignments.change_operator(actor=dora, procedure=case, to=cast.carl)

    assignments.change_operator(actor=dora, procedure=case, to=None)
    case.refresh_from_db()
    assert (case.operator, case.stay.lower, case.room) == (None, start, room)


def test_who_has_left_gets_no_case(cast: Cast) -> None:
    User.objects.filter(pk=cast.carl.pk).update(is_active=False)  # after the page was shown
    with pytest.raises(Conflict, match="no longer works here"):
        assignments.change_responsible(actor=Actor.person(cast.dora), procedure=make.procedure(), to=cast.carl)
    with pytest.raises(Conflict):
        users.working(cast.carl)
