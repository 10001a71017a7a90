"""The laboratory connection over real sockets: what is acknowledged is stored, and nothing makes it fall over."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from procedures.interfaces.hl7 import listener, storer
from procedures.models import InboundMessage
from procedures.services import inbound_store
from tests.inbound.line import Laboratory, Running, framed, listening, message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line() -> Iterator[Running]:
    with listening() as running:
        yield running


@pytest.fixture
def laboratory(line: Running) -> Iterator[Laboratory]:
    with line.laboratory() as found:
        yield found


def raws() -> list[bytes]:
    return [bytes(raw) for raw in InboundMessage.objects.order_by("pk").values_list("raw", flat=True)]


# --- what is stored, and what is said --------------------------------------------------------
def test_a_message_is_stored_byte_for_byte_and_then_acknowledged(line: Running, laboratory: Laboratory) -> None:
    laboratory.send(framed(message("A7")))
    answer = laboratory.answer()
    assert b"MSA|AA|A7\r" in answer
    row = InboundMessage.objects.get()
    assert (bytes(row.raw), row.sender, row.control_id) == (message("A7"), "LAB|GENERAL", "A7")
    assert (row.source, row.peer, row.state, row.problem) == ("mllp", "127.0.0.1", "stored", "")
    assert line.news == [1]


def test_the_same_bytes_again_are_acknowledged_and_have_no_effect(line: Running, laboratory: Laboratory) -> None:
    laboratory.send(framed(message()) * 3)
    assert [laboratory.code() for _ in range(3)] == ["AA"] * 3
    assert len(raws()) == 1
    assert (line.counts.stored, line.counts.again) == (1, 2)


def test_the_same_number_with_other_bytes_is_another_message(laboratory: Laboratory) -> None:
    laboratory.send(framed(message("5")) + framed(message("5", lines="OBX|1|ST|X^Y^L||loud||||||C\r")))
    assert [laboratory.code(), laboratory.code()] == ["AA", "AA"]
    assert list(InboundMessage.objects.values_list("control_id", flat=True)) == ["5", "5"]


def test_a_message_that_comes_byte_by_byte_is_one_message(laboratory: Laboratory) -> None:
    for byte in framed(message("slow")):
        laboratory.send(bytes([byte]))
    assert laboratory.code() == "AA"
    assert raws() == [message("slow")]


def test_blocks_in_one_packet_are_answered_in_their_order(laboratory: Laboratory) -> None:
    laboratory.send(b"".join(framed(message(str(number))) for number in range(50)))
    answers = [laboratory.answer() for _ in range(50)]
    assert [answer.split(b"MSA|AA|")[1].strip() for answer in answers] == [b"%d" % n for n in range(50)]
    assert len(raws()) == 50


@pytest.mark.parametrize("end", [b"\x1c\n", b"\x1c"], ids=["FS LF", "FS alone"])
def test_a_block_that_ends_otherwise_is_understood(laboratory: Laboratory, end: bytes) -> None:
    laboratory.send(b"\x0b" + message() + end)
    assert laboratory.code() == "AA"
    assert raws() == [message()]


def test_a_message_without_a_frame_is_understood_when_its_last_line_has_an_end(laboratory: Laboratory) -> None:
    laboratory.send(message().replace(b"\r", b"\n"))
    assert laboratory.code() == "AA"
    assert InboundMessage.objects.get().state == "stored"


def test_a_message_without_a_frame_that_ends_within_a_line_is_never_taken_for_a_whole(laboratory: Laboratory) -> None:
    laboratory.send(message()[:-9])
    laboratory.end()
    assert laboratory.code() == "AE"
    row = InboundMessage.objects.get()
    assert (row.state, bytes(row.raw)) == ("unreadable", message()[:-9])


def test_two_messages_in_one_block_are_two_and_have_two_answers(laboratory: Laboratory) -> None:
    laboratory.send(framed(message("1") + message("2")))
    assert [laboratory.code(), laboratory.code()] == ["AA", "AA"]
    assert InboundMessage.objects.count() == 2


def test_a_batch_is_answered_by_a_batch_and_one_bad_message_loses_no_other(laboratory: Laboratory) -> None:
    bad = b"MSH|\r"
    laboratory.send(framed(b"BHS|^~\\&|LAB\r" + message("1") + bad + message("2") + b"BTS|3\r"))
    answer = laboratory.answer()
    assert answer.startswith(b"BHS|")
    assert (answer.count(b"MSA|AA"), answer.count(b"MSA|AE"), b"BTS|3\r" in answer) == (2, 1, True)
    assert sorted(InboundMessage.objects.values_list("state", flat=True)) == ["stored", "stored", "unreadable"]


def test_an_answer_is_never_answered_nor_kept(laboratory: Laboratory) -> None:
    laboratory.send(framed(message("1", kind="ACK^R01")) + framed(message("2")))
    assert b"MSA|AA|2" in laboratory.answer()
    assert InboundMessage.objects.get().control_id == "2"


# --- what is no message ----------------------------------------------------------------------
def test_an_empty_block_is_refused_and_the_line_stays(laboratory: Laboratory) -> None:
    laboratory.send(framed(b"") + framed(message()))
    assert [laboratory.code(), laboratory.code()] == ["AR", "AA"]
    assert raws() == [message()]


@pytest.mark.parametrize(
    "raw", [bytes(range(14, 256)) * 9, b"PID|1||2\rOBX|1\r", b"MSH", b"MSH|\r"], ids=["binary", "no MSH", "cut", "bare"]
)
def test_what_is_no_message_is_kept_and_refused_with_a_reason(laboratory: Laboratory, raw: bytes) -> None:
    laboratory.send(framed(raw) + framed(message()))
    answer = laboratory.answer()
    assert b"\rMSA|A" + (b"E" if raw.startswith(b"MSH|") else b"R") + b"|" in answer
    assert b"\rERR|" in answer
    assert laboratory.code() == "AA"
    row = InboundMessage.objects.get(state="unreadable")
    assert (bytes(row.raw), row.control_id) == (raw, "")
    assert row.problem
    assert row.facts_version == 1  # the planner has been told


def test_no_message_at_all_without_a_frame_is_kept_refused_and_closed(line: Running, laboratory: Laboratory) -> None:
    laboratory.send(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
    assert laboratory.code() == "AR"
    assert laboratory.answer() == b""
    assert InboundMessage.objects.get().state == "unreadable"


def test_a_block_without_an_end_is_not_taken_for_a_whole_when_the_next_one_begins(laboratory: Laboratory) -> None:
    laboratory.send(b"\x0b" + message("1") + framed(message("2")))
    assert [laboratory.code(), laboratory.code()] == ["AE", "AA"]
    assert list(InboundMessage.objects.order_by("control_id").values_list("control_id", "state")) == [
        ("1", "unreadable"),
        ("2", "stored"),
    ]


def test_what_the_line_cuts_off_is_not_acknowledged_and_comes_again_from_its_sender(
    line: Running, laboratory: Laboratory
) -> None:
    laboratory.send(b"\x0b" + message())
    laboratory.end()
    assert laboratory.answer() == b""
    assert raws() == []
    assert line.counts.refused["cut_off"] == 1


def test_what_is_too_long_is_refused_its_beginning_is_kept_and_the_line_stays() -> None:
    with listening(most_bytes=5000) as running, running.laboratory() as laboratory:
        laboratory.send(framed(message("big") + b"NTE|1||" + b"x" * 200_000) + framed(message("next")))
        answer = laboratory.answer()
        assert b"MSA|AR|big|" in answer
        assert laboratory.code() == "AA"
    row = InboundMessage.objects.get(control_id="big")
    assert (row.state, bytes(row.raw)[:3], len(bytes(row.raw)) <= 65_536) == ("unreadable", b"MSH", True)
    assert "5000 bytes" in row.problem


def test_fifty_megabytes_do_not_stay_in_memory() -> None:
    with listening(most_bytes=1_000_000, block=60.0) as running, running.laboratory() as laboratory:
        laboratory.send(b"\x0b" + message("vast"))
        biggest = 0
        for _ in range(400):
            laboratory.send(b"y" * 131_072)
            biggest = max([biggest, *(one.blocks.size for one in list(running.listener._lines.values()))])
        laboratory.end()
        assert b"MSA|AR|vast" in laboratory.answer()
        assert biggest < 1_300_000
    assert len(bytes(InboundMessage.objects.get().raw)) == 65_536


# --- who is slow, who is many, who is a stranger -----------------------------------------------
def test_a_sender_that_drips_gets_no_more_time_for_a_block_than_any_other() -> None:
    with listening(block=0.2) as running, running.laboratory() as slow, running.laboratory() as other:
        ended = threading.Event()

        def drip() -> None:
            slow.send(b"\x0b" + message())
            while not ended.wait(0.02):
                try:
                    slow.send(b"x")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        other.send(framed(message("2")))
        assert other.code() == "AA"
        assert slow.answer() == b""
        ended.set()
        dripping.join()
        assert running.counts.refused["too_slow"] == 1


def test_a_sender_that_falls_silent_within_a_block_is_closed() -> None:
    with listening(stall=0.05) as running, running.laboratory() as laboratory:
        laboratory.send(b"\x0b" + message())
        assert laboratory.answer() == b""
        assert running.counts.refused["stalled"] == 1


def test_a_line_on_which_nothing_happens_is_closed() -> None:
    with listening(idle=0.05) as running, running.laboratory() as laboratory:
        assert laboratory.answer() == b""
        assert running.eventually(lambda: running.counts.open == 0)


def test_two_hundred_connections_at_once_are_all_served(line: Running) -> None:
    laboratories = [line.laboratory() for _ in range(200)]
    for number, laboratory in enumerate(laboratories):
        laboratory.send(framed(message(str(number))))
    assert [laboratory.code() for laboratory in laboratories] == ["AA"] * 200
    assert line.counts.open == 200
    for laboratory in laboratories:
        laboratory.close()
    assert len(raws()) == 200
    assert line.eventually(lambda: line.counts.open == 0)


def test_connections_beyond_the_limit_are_closed_at_once_and_counted() -> None:
    with listening(connections=2) as running:
        first, second = running.laboratory(), running.laboratory()
        first.send(framed(message("1")))
        second.send(framed(message("2")))
        assert [first.code(), second.code()] == ["AA", "AA"]
        with running.laboratory() as third:
            assert third.answer() == b""
        assert running.counts.refused["too_many"] == 1
        first.close()
        assert running.eventually(lambda: running.counts.open == 1)
        with running.laboratory() as fourth:
            fourth.send(framed(message("4")))
            assert fourth.code() == "AA"
        second.close()


def test_strangers_are_closed_before_a_byte_is_read() -> None:
    with listening(allowed=("10.1.0.0/16", "::1")) as running, running.laboratory() as laboratory:
        assert laboratory.answer() == b""
        assert running.counts.refused["not_allowed"] == 1
    assert raws() == []


# --- when the database says no -----------------------------------------------------------------
def test_what_cannot_be_kept_is_not_acknowledged_and_the_listener_recovers(
    line: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as patch, line.laboratory() as laboratory:
        patch.setattr(inbound_store, "store_all", away)
        laboratory.send(framed(message("1")))
        assert laboratory.answer() == b""
    assert (raws(), line.counts.refused["not_stored"], line.counts.acknowledged) == ([], 1, 0)
    with line.laboratory() as laboratory:
        laboratory.send(framed(message("1")))
        assert laboratory.code() == "AA"
    assert raws() == [message("1")]


def test_a_database_that_was_started_again_is_found_again_and_nothing_is_refused(line: Running) -> None:
    with line.laboratory() as laboratory:
        laboratory.send(framed(message("1")))
        assert laboratory.code() == "AA"
        with connection.cursor() as cursor:  # as a restart does: every other session ends
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        laboratory.send(framed(message("2")))
        assert laboratory.code() == "AA"
    assert raws() == [message("1"), message("2")]


def test_a_message_that_the_database_refuses_does_not_take_others_with_it(
    line: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = inbound_store.store_all

    def picky(given: Any, **more: Any) -> Any:
        if any(arrival.control_id == "bad" for arrival in given):
            raise ValueError
        return real(given, **more)

    monkeypatch.setattr(inbound_store, "store_all", picky)

    async def together() -> list[Any]:
        keeper = storer.Storer()
        given = [inbound_store.Arrival(raw=message(n), source="mllp", control_id=n) for n in ("1", "bad", "2")]
        waiting = [asyncio.ensure_future(keeper.keep([arrival])) for arrival in given]
        await asyncio.sleep(0)
        keeper.start()
        try:
            return await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            await keeper.stop()

    with ThreadPoolExecutor(1) as apart:  # a browser's test leaves a loop running in ours
        first, bad, second = apart.submit(lambda: asyncio.run(together())).result()
    assert isinstance(bad, storer.NotKept)
    assert first[0].is_new
    assert second[0].is_new


def test_a_stop_lets_what_is_being_kept_be_acknowledged(line: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    reached, go_on = threading.Event(), threading.Event()
    real = inbound_store.store_all

    def slow(given: Any, **more: Any) -> Any:
        reached.set()
        assert go_on.wait(10)
        return real(given, **more)

    monkeypatch.setattr(inbound_store, "store_all", slow)
    with line.laboratory() as laboratory, line.laboratory() as idle:
        laboratory.send(framed(message("1")))
        assert reached.wait(10)
        stopping = threading.Thread(target=line.stop)
        stopping.start()
        assert idle.answer() == b""  # closed: the stop has begun
        go_on.set()
        assert laboratory.code() == "AA"
        stopping.join()
    assert raws() == [message("1")]


# --- TLS ----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that is its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate and is not installed")
    folder = tmp_path_factory.mktemp("papers")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(["openssl", "req", *kind, *files, *subject], check=True, capture_output=True)
    return folder


def trusting(papers: Path, *, own: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(papers / "cert.pem"))
    if own:
        context.load_cert_chain(papers / "cert.pem", papers / "key.pem")
    return context


def test_a_message_comes_by_tls_and_a_plain_sender_gets_nowhere(papers: Path) -> None:
    tls = listener.tls(str(papers / "cert.pem"), str(papers / "key.pem"))
    with listening(tls=tls) as running:
        with running.laboratory(tls=trusting(papers)) as laboratory:
            laboratory.send(framed(message("1")) + framed(message("2", lines="NTE|1||" + "z" * 90_000 + "\r")))
            assert [laboratory.code(), laboratory.code()] == ["AA", "AA"]
        with running.laboratory() as plain:
            plain.send(framed(message("3")))
            assert plain.code() == ""
    assert sorted(InboundMessage.objects.values_list("control_id", flat=True)) == ["1", "2"]


def test_with_an_authority_only_its_senders_come_in(papers: Path) -> None:
    tls = listener.tls(str(papers / "cert.pem"), str(papers / "key.pem"), str(papers / "cert.pem"))
    with listening(tls=tls) as running:
        with running.laboratory(tls=trusting(papers, own=True)) as laboratory:
            laboratory.send(framed(message("1")))
            assert laboratory.code() == "AA"
        with running.laboratory(tls=trusting(papers)) as stranger:
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                stranger.send(framed(message("2")))
            assert stranger.code() == ""
    assert InboundMessage.objects.count() == 1


def test_somebody_who_speaks_tls_to_a_plain_port_is_closed_and_leaves_no_message(
    line: Running, laboratory: Laboratory
) -> None:
    laboratory.send(b"\x16\x03\x01\x02\x00\x01\x00")
    assert laboratory.answer() == b""
    assert (raws(), line.counts.refused["tls_to_plain_port"]) == ([], 1)


# --- what the log says ----------------------------------------------------------------------------
def test_no_line_of_the_log_has_anything_of_a_message(
    line: Running, laboratory: Laboratory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    laboratory.send(framed(message("secret-number")) + framed(b"NOBODY secret-number") + b"\x0bMSH|NOBODY")
    assert [laboratory.code(), laboratory.code()] == ["AA", "AR"]
    laboratory.end()
    assert laboratory.answer() == b""
    assert "why=no_message" in caplog.text
    for word in ("NOBODY", "secret-number", "quiet"):
        assert word not in caplog.text
