"""A patient who is drained every fortnight: the next one is always booked in time, or somebody owes it."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from clinic.actor import Actor
from followups import engine, reconcile
from followups.models import FollowUp, Message
from followups.selectors import facts
from followups.services import nightly
from procedures.models import Series
from procedures.models.procedures import new_code
from procedures.services import moves
from procedures.services import series as service
from procedures.services.series import Plan, Tap
from tests import make
from tests.flows.story import BEFORE_THE_NEEDLE, Story, local, moment

pytestmark = pytest.mark.django_db
FORTNIGHT = timedelta(days=14)


def begin(story: Story) -> Series:
    make.protocol_version("paracentesis")
    plan = Plan(
        protocol="paracentesis",
        indication="serial_relief",
        responsible=story.cast.pia,
        operator=story.cast.pia,
        interval_days=14,
        at=time(9),
    )
    return service.start(
        actor=Actor.person(story.cast.sam), patient=make.patient(), plan=plan, taps=taps(story, 2), code=new_code()
    )


def taps(story: Story, count: int, after: int = 0) -> list[Tap]:
    room, pia = story.rooms["clinic"], story.cast.pia
    first = moment(1, "09:00") + after * FORTNIGHT
    return [Tap(row=n, start=first + n * FORTNIGHT, room=room, operator=pia) for n in range(count)]


def carry_out(story: Story, series: Series, place: int) -> None:
    case = series.taps.get(series_place=place)
    assert case.stay is not None
    story.code = case.code
    story.travel(case.stay.lower - timedelta(hours=1))
    story.sign(*BEFORE_THE_NEEDLE)
    story.arrive()
    story.sign("sign_in", "time_out")
    story.travel(case.stay.lower)
    story.start()
    story.travel(case.stay.lower + timedelta(hours=1))
    story.complete()


def owed(series: Series) -> list[str]:
    rows = FollowUp.objects.filter(subject_kind="series", subject_id=series.pk, closed_at=None)
    return [f"{p.role}: {p.kind} by {local(p.due_at)}" for p in rows]


def test_the_next_one_is_owed_from_the_last_booked_one_on_and_a_no_show_owes_it_again(story: Story) -> None:
    series, sam = begin(story), Actor.person(story.cast.sam)
    carry_out(story, series, 1)
    assert "first" in facts.of(story.case).flags
    assert owed(series) == []  # the second is booked
    carry_out(story, series, 2)
    # an uncomplicated serial tap is asked once, after 48 hours
    assert "serial" in facts.of(story.case).flags
    assert {p.key for p in story.promises if p.kind == "symptom_check"} == {"symptoms:day_2"}
    assert owed(series) == ["scheduler: next_in_series by Tue 08 Dec 00:00"]
    (promise,) = FollowUp.objects.filter(kind="next_in_series")
    assert promise.procedure == story.case

    # nobody books it: the schedulers are asked, and the promise stays
    story.travel(promise.due_at + timedelta(hours=9))
    engine.run_pass(promise.due_at + timedelta(hours=9))
    assert Message.objects.filter(kind="next_in_series", recipient=story.cast.sam).exists()

    row = Series.objects.get(pk=series.pk)
    service.extend(actor=sam, series=row, taps=taps(story, 1, after=2), seen=row.facts_version)
    assert owed(series) == []
    promise.refresh_from_db()
    assert promise.closed_because == "kept"

    third = series.taps.get(series_place=3)
    assert third.stay is not None
    story.travel(third.stay.lower + timedelta(minutes=30))
    moves.no_show(actor=sam, procedure=third)
    assert owed(series) == ["scheduler: next_in_series by Tue 15 Dec 09:30"]  # late at once: it was needed today
    assert nightly.violations() == {}
    before = owed(series)
    reconcile.series(series.pk)
    assert owed(series) == before
