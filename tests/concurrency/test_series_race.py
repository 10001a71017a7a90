"""Two schedulers plan, or go on with, one patient's series at the same moment. And the twins without the guard."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict
from clinic.models import User
from clinic.roles import Role
from procedures.models import Patient, Procedure, Series
from procedures.models.procedures import new_code
from procedures.services import series as service
from procedures.services.series import Plan, Tap
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30


def noon(week: int) -> datetime:
    first = clock.now().astimezone(UTC).replace(hour=16, minute=0, second=0, microsecond=0)
    monday = first + timedelta(days=28 - first.weekday())
    return monday + timedelta(weeks=week)


def both(do: Callable[[int], object]) -> Counter[str]:
    """What came of it when two did it at the same moment, each on a connection of its own."""
    ready = threading.Barrier(2, timeout=PATIENCE)

    def one(number: int) -> str:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = '{PATIENCE}s'")
            ready.wait()
            do(number)
        except Conflict:
            return "refused"
        finally:
            connection.close()
        return "booked"

    with ThreadPoolExecutor(2) as pool:
        return Counter(pool.map(one, range(2), timeout=2 * PATIENCE))


def taps(weeks: range) -> list[Tap]:
    """Two rooms, so that only the series itself is in the way."""
    return [Tap(row=n, start=noon(week), room=make.room()) for n, week in enumerate(weeks)]


def begin(patient: Patient, lee: User, actor: Actor, weeks: range) -> Callable[[], Series]:
    plan = Plan(protocol="paracentesis", indication="relief", responsible=lee, interval_days=7, at=time(12))
    wanted, code = taps(weeks), new_code()
    return lambda: service.start(actor=actor, patient=patient, plan=plan, taps=wanted, code=code)


@pytest.fixture
def ready() -> tuple[Patient, User, Actor]:
    make.opening_hours()
    make.protocol_version("paracentesis")
    return make.patient(), make.user(Role.PHYSICIAN), make.actor(Role.SCHEDULER)


def test_two_who_begin_a_series_for_one_patient_make_one(ready: tuple[Patient, User, Actor]) -> None:
    each = [begin(*ready, range(0, 2)), begin(*ready, range(2, 4))]
    assert both(lambda n: each[n]()) == {"booked": 1, "refused": 1}
    assert Series.objects.count() == 1
    assert Procedure.objects.count() == 2  # nothing of the other one is left behind


def test_two_who_book_the_next_ones_from_the_same_page_book_them_once(ready: tuple[Patient, User, Actor]) -> None:
    series = begin(*ready, range(1))()
    seen, actor = Series.objects.get().facts_version, ready[2]
    more = [taps(range(1, 3)), taps(range(3, 5))]
    assert both(lambda n: service.extend(actor=actor, series=series, taps=more[n], seen=seen)) == {
        "booked": 1,
        "refused": 1,
    }
    assert sorted(series.taps.values_list("series_place", flat=True)) == [1, 2, 3]


@pytest.fixture
def no_guards() -> Iterator[None]:
    """A place may be taken twice; afterwards it may not."""
    (place,) = [c for c in Procedure._meta.constraints if c.name == "procedure_series_place_once"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Procedure, place)
    yield
    Procedure.objects.update(series=None, series_place=None)
    with connection.schema_editor() as editor:
        editor.add_constraint(Procedure, place)


def test_the_twin_that_looks_and_then_writes_takes_a_place_twice(
    no_guards: None, ready: tuple[Patient, User, Actor]
) -> None:
    series = begin(*ready, range(1))()
    cases = [make.procedure(patient=ready[0]) for _ in range(2)]
    looked = threading.Barrier(2, timeout=PATIENCE)

    def naive(number: int) -> None:
        with transaction.atomic():
            place = max(series.taps.values_list("series_place", flat=True)) + 1
            looked.wait()
            Procedure.objects.filter(pk=cases[number].pk).update(series=series, series_place=place)

    assert both(naive) == {"booked": 2}
    assert list(series.taps.order_by("pk").values_list("series_place", flat=True)) == [1, 2, 2]
