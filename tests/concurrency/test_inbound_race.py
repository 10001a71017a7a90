"""The same bytes on several lines at once are one message. The twin without the constraint shows that it is a race."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from clinic import clock
from procedures.interfaces.hl7 import processing, waiting
from procedures.models import InboundMessage
from procedures.services import inbound_store
from procedures.services.inbound_store import Arrival
from tests.inbound.line import framed, listening, message

pytestmark = pytest.mark.django_db(transaction=True)

LINES = 6
SAME = [Arrival(raw=message(str(n)), source="mllp", sender="LAB|GENERAL", control_id=str(n)) for n in range(8)]


def together(work: Callable[[int, Barrier], list[int]]) -> list[int]:
    """``work`` on several connections at once: every number that anybody got, sorted."""
    barrier = Barrier(LINES, timeout=20)

    def one(number: int) -> list[int]:
        try:
            connection.ensure_connection()
            barrier.wait()
            return work(number, barrier)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(LINES) as pool:
        return sorted(pk for found in pool.map(one, range(LINES)) for pk in found)


def test_batches_with_the_same_messages_in_any_order_make_each_once_and_never_wait_in_a_circle() -> None:
    def work(number: int, _: Barrier) -> list[int]:
        given = SAME[number:] + SAME[:number]
        return [kept.pk for kept in inbound_store.store_all(given, now=clock.now()) if kept.is_new]

    new = together(work)
    assert len(new) == len(set(new)) == len(SAME) == InboundMessage.objects.count()


def test_without_the_constraint_the_same_bytes_become_several_messages() -> None:
    """The twin: look, then insert. If this one makes each once, the test above proves nothing."""

    def work(_: int, barrier: Barrier) -> list[int]:
        known = InboundMessage.objects.filter(control_id="0").exists()
        barrier.wait()
        if known:
            return []
        sender, control_id, digest = SAME[0].key()
        row = InboundMessage(sender=sender, control_id=control_id, digest=digest, raw=SAME[0].raw)
        row.source, row.received_at = "mllp", clock.now()
        row.save()
        return [row.pk]

    table = InboundMessage._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT inbound_once")
    try:
        assert len(together(work)) == LINES
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT inbound_once UNIQUE (sender, control_id, digest)")


def test_two_listeners_that_get_the_same_message_both_acknowledge_it_and_keep_it_once() -> None:
    with listening() as one, listening() as other, one.laboratory() as first, other.laboratory() as second:
        for number in range(20):
            first.send(framed(message(str(number))))
            second.send(framed(message(str(number))))
        assert [line.code() for line in (first, second) for _ in range(20)] == ["AA"] * 40
        assert one.counts.stored + other.counts.stored == 20
    assert InboundMessage.objects.count() == 20


def test_several_workers_read_each_message_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inbound_store.store_all(SAME, now=clock.now())
    seen: list[int] = []

    def process(pk: int) -> None:
        seen.append(pk)
        InboundMessage.objects.filter(pk=pk).update(state="done")

    monkeypatch.setattr(processing, "process", process)

    def work(_: int, __: Barrier) -> list[int]:
        waiting.read_waiting()
        return []

    together(work)
    assert len(seen) == len(set(seen)) == len(SAME)
