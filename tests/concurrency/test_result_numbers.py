"""Ten people enter results of one test at once: versions 1 to 10 without a gap. And the twin without a lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from clinic.actor import Actor
from clinic.roles import Role
from procedures.models import LabTest, Procedure, ResultVersion
from procedures.services import lab_rows, labs, results
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 10
#: Nobody waits for ever: a run that hangs on a lock fails instead.
PATIENCE = 30


@pytest.fixture
def ordered() -> LabTest:
    procedure = make.procedure(status="in_progress")
    labs.add_test(procedure=procedure, code="ascites_protein", actor=Actor.system("tests"))
    return procedure.tests.select_related("procedure").get()


def enter(test: LabTest, actor: Actor, value: int) -> ResultVersion:
    return results.enter(
        test=test,
        status="preliminary",
        values={"protein": {"value": value, "unit": "g/dL"}},
        actor=actor,
    )


def at_once(test: LabTest, actors: list[Actor]) -> list[str]:
    """What became of each entry when all were made at the same moment, each on a connection of its own."""
    ready = threading.Barrier(len(actors), timeout=PATIENCE)

    def one(place: int) -> str:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = '{PATIENCE}s'")
            ready.wait()
            enter(test, actors[place], place)
        except IntegrityError as error:
            return str(error).partition('"')[2].partition('"')[0]
        finally:
            connection.close()
        return "saved"

    with ThreadPoolExecutor(len(actors)) as pool:
        return list(pool.map(one, range(len(actors)), timeout=2 * PATIENCE))


def test_ten_at_once_are_numbered_one_to_ten(ordered: LabTest) -> None:
    actors = [make.actor(Role.NURSE) for _ in range(MANY)]
    assert at_once(ordered, actors) == ["saved"] * MANY
    numbers = list(ordered.versions.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, MANY + 1))


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same service reading its rows without locking them, and everybody reading before anybody writes."""
    all_have_read = threading.Barrier(MANY, timeout=PATIENCE)
    create = results._create

    def case(procedure: Procedure, *, dead: bool = False) -> Procedure:
        return Procedure.objects.select_related("protocol_version").get(pk=procedure.pk)

    def created(*args: object) -> ResultVersion:
        all_have_read.wait()
        return create(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(lab_rows, "locked_case", case)
    monkeypatch.setattr(lab_rows, "locked_test", lambda test: LabTest.objects.get(pk=test.pk))
    monkeypatch.setattr(results, "_create", created)
    yield


def test_without_the_lock_they_take_the_same_number(ordered: LabTest, no_locks: None) -> None:
    outcome = at_once(ordered, [make.actor(Role.NURSE) for _ in range(MANY)])
    assert outcome.count("saved") == 1
    assert outcome.count("result_number") == MANY - 1
