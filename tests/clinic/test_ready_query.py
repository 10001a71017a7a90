"""A query that is written once asks what its queryset asks, and makes the rows that Django makes."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from clinic import row_locks
from clinic.models import User
from clinic.ready_query import ReadyQuery
from followups import reconcile  # noqa: F401  # loads everything that is asked at a change of a fact
from procedures import events
from procedures.models import Patient, Procedure
from tests import make

pytestmark = pytest.mark.django_db


def asked(query: ReadyQuery[Any], *keys: int) -> dict[str, Any]:
    with CaptureQueriesContext(connection) as captured:
        query.rows(*keys)
    return captured[0]


def known() -> Iterator[tuple[ReadyQuery[Any], tuple[int, ...]]]:
    """Every one of the product's modules, with as many keys as it takes."""
    rooms = ("clinic.", "procedures.", "followups.")
    modules = [module for name, module in list(sys.modules.items()) if name.startswith(rooms)]
    values = [value for module in modules for value in vars(module).values()]
    values += [inner for value in values if type(value) is dict for inner in value.values()]
    for query in {id(value): value for value in values if type(value) is ReadyQuery}.values():
        parameters = inspect.signature(query._write).parameters.values()
        many = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        yield query, tuple(range(7_001, 7_001 + (3 if many else len(parameters))))


def test_each_asks_exactly_what_its_queryset_asks() -> None:
    found = list(known())
    assert len(found) > 25
    for query, keys in found:
        query.rows(*[1] * len(keys))  # written with other keys
        with CaptureQueriesContext(connection) as plain:
            list(query.queryset(*keys))
        assert asked(query, *keys)["sql"] == plain[0]["sql"]


def test_models_come_with_what_is_joined_annotated_and_left_out() -> None:
    case = make.procedure()
    query = ReadyQuery(
        lambda pk: (
            Procedure.objects.select_related("patient", "protocol_version__protocol", "operator")
            .defer("protocol_version__data", "note")
            .filter(pk=pk)
        )
    )
    with CaptureQueriesContext(connection) as one:
        mine = query.get(case.pk)
        assert mine.patient.family_name == case.patient.family_name
        assert mine.protocol_version.protocol.code == case.protocol_version.protocol.code
        assert mine.operator is None
    theirs = query.queryset(case.pk).get()
    assert len(one) == 1
    assert mine == theirs
    assert mine.get_deferred_fields() == theirs.get_deferred_fields() == {"note"}
    assert mine.protocol_version.get_deferred_fields() == {"data"}
    assert vars(mine.patient).keys() == vars(theirs.patient).keys()
    assert (mine._state.db, mine._state.adding) == (theirs._state.db, theirs._state.adding)


@pytest.mark.parametrize(
    "of",
    [
        lambda rows: rows.values_list("pk", "data", "digest"),
        lambda rows: rows.values_list("pk", "data", named=True),
        lambda rows: rows.values_list("data", flat=True),
    ],
)
def test_values_are_read_as_django_reads_them(of: Any) -> None:
    version = make.procedure().protocol_version
    query: ReadyQuery[Any] = ReadyQuery(lambda pk: of(type(version).objects.filter(pk=pk)))
    mine, theirs = query.rows(version.pk), list(query.queryset(version.pk))
    assert mine == theirs
    assert [getattr(row, "_fields", None) for row in mine] == [getattr(row, "_fields", None) for row in theirs]


def test_it_is_written_once_for_each_number_of_keys() -> None:
    written: list[int] = []

    def write(*keys: int) -> Any:
        written.append(len(keys))
        return User.objects.filter(pk__in=keys).order_by("pk")

    people, query = [make.user() for _ in range(3)], ReadyQuery(write)
    pks = [person.pk for person in people]
    assert [query.rows(pk) for pk in pks] == [[person] for person in people]
    assert query.rows(*pks[:2]) == people[:2]
    assert query.rows(*pks[1:]) == people[1:]
    assert written == [1, 2]


def test_nothing_is_no_row_and_says_whose() -> None:
    assert ReadyQuery(lambda pk: Patient.objects.filter(pk=pk)).first(0) is None
    with pytest.raises(Patient.DoesNotExist):
        row_locks.lock(Patient, 0)


def test_a_lock_outside_a_transaction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    case = make.procedure()
    assert row_locks.lock(Procedure, case.pk, "patient") == case
    monkeypatch.setattr(connections["default"], "in_atomic_block", False)
    with pytest.raises(TransactionManagementError):
        row_locks.lock(Procedure, case.pk, "patient")


def test_a_key_that_the_query_does_not_ask_with_is_refused() -> None:
    with pytest.raises(AssertionError, match="does not ask with"):
        ReadyQuery(lambda pk: User.objects.order_by("pk")).rows(1)


def test_a_changed_fact_reads_and_locks_its_case_once() -> None:
    case = make.procedure()
    with CaptureQueriesContext(connection) as found:
        events.changed(case)
    locks = [query["sql"] for query in found if "FOR NO KEY UPDATE" in query["sql"]]
    assert ["SKIP LOCKED" in sql for sql in locks] == [False, True]  # the other one looks for earlier cases
