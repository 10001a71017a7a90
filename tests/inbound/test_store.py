"""What is kept of what came in, and how it is read afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from clinic import clock
from procedures.interfaces.hl7 import intake, processing, waiting
from procedures.interfaces.hl7.intake import Origin
from procedures.models import InboundMessage
from procedures.services import inbound_store
from procedures.services.inbound_store import Arrival
from tests.inbound.line import message

HERE = Origin("command")


def arrival(raw: bytes = b"MSH|1", **more: Any) -> Arrival:
    return Arrival(raw=raw, source="mllp", **more)


def keep(*given: Arrival) -> list[tuple[int, bool]]:
    return [(kept.pk, kept.is_new) for kept in inbound_store.store_all(given, now=clock.now())]


# --- keeping (each transaction of its own is real here) --------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_are_one_row_also_within_one_batch() -> None:
    (first, new), (second, again), (other, also_new) = keep(arrival(), arrival(), arrival(b"MSH|2"))
    assert (first == second, new, again, also_new) == (True, True, False, True)
    assert keep(arrival(b"MSH|2"), arrival()) == [(other, False), (first, False)]
    assert InboundMessage.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_number_from_another_sender_or_with_other_bytes_is_another_message() -> None:
    same = {"control_id": "1", "sender": "A|B"}
    kept = keep(arrival(**same), arrival(b"MSH|C", **same), arrival(control_id="1", sender="A|C"))
    assert [new for _pk, new in kept] == [True] * 3


@pytest.mark.django_db(transaction=True)
def test_names_that_the_database_cannot_hold_do_not_keep_a_message_from_being_kept() -> None:
    keep(arrival(b"\x00\xff" * 9, sender="A\0B" * 200, control_id="9\0" * 300, problem="x" * 999, peer="p" * 500))
    row = InboundMessage.objects.get()
    assert (bytes(row.raw), row.sender[:3], len(row.control_id)) == (b"\x00\xff" * 9, "A�B", 200)


# --- what a block is ------------------------------------------------------------------------------
def test_a_block_with_thousands_of_messages_is_one_refusal_and_no_heap_of_tasks() -> None:
    raw = b"MSH|^~\\&|A\r" * (intake.MOST_MESSAGES + 1)
    (one,) = intake.take_apart(raw, HERE, limit=10_000_000)
    assert one.reason is not None
    assert one.arrival is not None
    assert len(one.arrival.raw) <= 65_536


def test_bytes_on_which_the_reader_itself_fails_are_kept_and_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(raw: bytes) -> Any:
        raise RuntimeError(raw.decode())

    monkeypatch.setattr(intake, "header", fails)
    (one,) = intake.take_apart(message(), HERE, limit=1000)
    assert (one.verdict, one.arrival is not None) == ("AE", True)
    assert "RuntimeError" in caplog.text
    assert "NOBODY" not in caplog.text


# --- reading ----------------------------------------------------------------------------------------
class Reader:
    """In place of ``processing``: does what a test says, and remembers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[int] = []
        self.raises: dict[int, Exception] = {}
        monkeypatch.setattr(processing, "process", self)

    def __call__(self, pk: int) -> None:
        self.seen.append(pk)
        if pk in self.raises:
            raise self.raises[pk]
        InboundMessage.objects.filter(pk=pk).update(state="done")


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(monkeypatch)


@pytest.fixture
def three(transactional_db: None) -> list[int]:
    return [pk for pk, _new in keep(*[arrival(b"MSH|%d" % number, control_id=str(number)) for number in range(3)])]


def state(pk: int) -> tuple[str, int]:
    row = InboundMessage.objects.get(pk=pk)
    return row.state, row.tries


def test_what_is_stored_is_read_once_and_in_the_order_of_its_arrival(three: list[int], reader: Reader) -> None:
    assert waiting.read_waiting() == {"read": 3}
    assert waiting.read_waiting() == {}
    assert reader.seen == sorted(three)


def test_a_message_that_raises_keeps_no_other_and_after_three_looks_is_somebodys_task(
    three: list[int], reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    bad = three[0]
    reader.raises[bad] = ValueError("of Mrs Example")
    assert waiting.read_waiting() == {"read": 2, "set_aside": 1}
    assert waiting.read_waiting() == {"set_aside": 1}
    assert state(bad) == ("stored", 2)
    assert waiting.read_waiting() == {"given_up": 1}
    assert waiting.read_waiting() == {}
    row = InboundMessage.objects.get(pk=bad)
    assert (row.state, row.problem, row.facts_version) == ("unreadable", "Reading it failed 3 times (ValueError).", 1)
    assert "Example" not in caplog.text


def test_a_message_with_which_the_process_ends_each_time_is_given_up_too(three: list[int], reader: Reader) -> None:
    InboundMessage.objects.filter(pk=three[0]).update(tries=inbound_store.MOST_TRIES)
    assert waiting.read_waiting() == {"given_up": 1, "read": 2}
    assert reader.seen == three[1:]


def test_a_database_that_went_away_is_not_the_messages_fault(
    three: list[int], reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.raises[three[0]] = OperationalError("gone")
    monkeypatch.setattr(waiting.connection, "is_usable", lambda: False)
    with pytest.raises(OperationalError):
        waiting.read_waiting()
    monkeypatch.undo()
    assert state(three[0])[0] == "stored"


def test_a_lock_that_was_not_to_be_had_is_tried_again_and_stops_nobody(three: list[int], reader: Reader) -> None:
    reader.raises[three[0]] = OperationalError("deadlock")
    assert waiting.read_waiting() == {"set_aside": 1, "read": 2}


def test_a_run_ends_in_time_and_the_next_goes_on(three: list[int], reader: Reader) -> None:
    assert waiting.read_waiting(until=clock.real_now() - timedelta(seconds=1)) == {}
    assert reader.seen == []
    assert waiting.read_waiting() == {"read": 3}


def test_the_waiting_are_counted_with_the_age_of_the_oldest(three: list[int]) -> None:
    now = clock.now() + timedelta(minutes=3)
    count, seconds = inbound_store.waiting(now=now)
    assert count == 3
    assert 180 <= seconds < 240
