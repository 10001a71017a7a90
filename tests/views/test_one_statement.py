"""What is read in one statement is what Django would have read part by part: in the full clinic, for every case."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from clinic import prepared
from clinic.models import AuditEntry, Room, User
from clinic.one_statement import OneStatement, Parts
from followups.selectors import case as case_page
from followups.services import contacts
from procedures import access
from procedures.models import InboundMessage, Procedure, ResultVersion
from procedures.selectors import banner, checklist_page, clearance_page, laboratory
from tests.factories.full import Full

pytestmark = pytest.mark.django_db


def as_read(row: Any) -> Any:
    """A row and the rows that came with it, as plain values."""
    if not isinstance(row, Model):
        return tuple(row) if isinstance(row, tuple) else row
    own = {name: value for name, value in vars(row).items() if not name.startswith("_")}
    return type(row), own, {name: as_read(other) for name, other in row._state.fields_cache.items()}


def same(statement: OneStatement, **keys: object) -> dict[str, int]:
    """How many rows each part has, which are the same both ways."""
    found = statement.rows(**keys)
    parts = {name: list(part) for name, part in statement.parts(**keys).items()}
    for name, rows in parts.items():
        assert [as_read(row) for row in found[name]] == [as_read(row) for row in rows], name
    return {name: len(rows) for name, rows in parts.items()}


def test_every_statement_of_a_chart_gives_what_its_querysets_give(full: Full, db: None) -> None:
    seen: dict[str, int] = {}
    for case in Procedure.objects.select_related("protocol_version"):
        codes = tuple(banner.codes_of(case))
        by_case = {"case": case.pk, "patient": case.patient_id}
        for counts in (
            same(access.CASE, code=case.code),
            same(case_page._statement(codes, chart=True), **by_case),
            same(case_page._statement(codes, chart=False), **by_case),
            same(laboratory._statement(codes, before=True), **by_case),
            same(checklist_page._statement(codes), **by_case),
            same(clearance_page._statement(codes), **by_case),
            same(contacts.READ, case=case.pk),
        ):
            seen = {name: seen.get(name, 0) + counts.get(name, 0) for name in seen | counts}
    for version in ResultVersion.objects.all():
        same(access.RESULT, pk=version.pk)
    # the full clinic has something of everything that a chart shows
    assert {name for name, n in seen.items() if not n} <= MISSING


#: What nobody has done in the full clinic.
MISSING = {"countersignatures", "draft", "later_decisions", "read_backs", "sent", "triages"}


def _people(name: Any) -> Parts:
    return {
        "people": User.objects.filter(username=name),
        "roles": User.objects.filter(username=name).values_list("roles", flat=True),
        "named": User.objects.filter(username=name).order_by("-pk").values_list("pk", "is_active", named=True)[:1],
        "rooms": Room.objects.order_by("-name"),
        "read": AuditEntry.objects.filter(actor_name='50%\'s \\ "x"').only("data"),
    }


def test_odd_signs_come_as_they_were_written_and_what_is_not_there_is_none(db: None) -> None:
    for name in ('O"Neill', "back\\slash", "{a,b}", "NULL", ""):
        Room.objects.create(name=f"{name} 100%", location=name)
    User.objects.create(username="o'neill", full_name='O\'Neill, "Peg" {NULL}', roles=["nurse", "physician"])
    counts = same(OneStatement(_people), name="o'neill")
    assert counts == {"people": 1, "roles": 1, "named": 1, "rooms": Room.objects.count(), "read": 0}
    assert same(OneStatement(_people), name="nobody")["people"] == 0


def test_a_statement_is_one_query(db: None) -> None:
    with CaptureQueriesContext(connection) as asked:
        OneStatement(_people).rows(name="b")
    assert len(asked) == 1


def test_a_statement_outlives_a_rollback_and_whatever_else_is_prepared(db: None) -> None:
    statement = OneStatement(lambda name: {"locations": Room.objects.filter(location=name).values_list("pk")})
    prepared.fetch_one("SELECT %s::int", [1])
    with pytest.raises(RuntimeError), transaction.atomic():
        statement.rows(name="a")
        raise RuntimeError
    assert statement.rows(name="b") == {"locations": []}
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # as psycopg does after a rollback of a whole transaction
    connection.connection._prepared.clear()
    assert statement.rows(name="b") == {"locations": []}


def test_a_column_whose_text_is_not_known_to_be_the_same_is_refused(db: None) -> None:
    messages = OneStatement(lambda pk: {"messages": InboundMessage.objects.filter(pk=pk)})
    with pytest.raises(TypeError, match="bytea"):
        messages.rows(pk=1)
