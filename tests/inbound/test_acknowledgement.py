"""Answers to messages: what they echo, which letters they use, and that they tell nothing of a patient."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import hl7
import pytest

from procedures.interfaces.hl7 import acknowledgement
from procedures.interfaces.hl7.acknowledgement import Reason, Verdict
from tests.inbound.line import message

AT = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
WHY = Reason("100", "It has no header.")


def answer(raw: bytes, verdict: Verdict = Verdict.ACCEPTED, reason: Reason | None = None) -> Any:
    built = acknowledgement.build(raw, verdict, at=AT, number="7", reason=reason)
    return None if built is None else hl7.parse(built.decode("latin-1"))


def header(*more: str, version: str = "2.5.1") -> bytes:
    fields = [
        "MSH",
        "^~\\&",
        "LAB",
        "GENERAL",
        "TRACKER",
        "CLINIC",
        "20261120",
        "",
        "ORU^R01",
        "C7",
        "T",
        version,
        *more,
    ]
    return "|".join(fields).encode() + b"\rPID|1||1||SECRET^NAME\r"


def test_the_answer_goes_back_to_its_sender_with_its_number_version_and_charset() -> None:
    ack = answer(header("", "", "", "", "", "UNICODE UTF-8"))
    msh, msa = ack.segment("MSH"), ack.segment("MSA")
    assert [str(msh[n]) for n in (3, 4, 5, 6)] == ["TRACKER", "CLINIC", "LAB", "GENERAL"]
    assert [str(msh[n]) for n in (9, 10, 11, 12, 18)] == ["ACK^R01", "7", "T", "2.5.1", "UNICODE UTF-8"]
    assert [str(msa[1]), str(msa[2])] == ["AA", "C7"]


def test_a_sender_with_separators_of_its_own_gets_its_own() -> None:
    built = acknowledgement.build(b"MSH#*~\\&#L#F###20260101##ORU*R01#9#P#2.3\r", Verdict.ACCEPTED, at=AT, number="7")
    assert built is not None
    assert built.startswith(b"MSH#*~\\&#")
    assert b"#ACK*R01#" in built
    assert b"MSA#AA#9\r" in built


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad"),
    [
        ("", "", "AA", "AE"),
        ("AL", "", "CA", "CE"),
        ("AL", "NE", "CA", "CE"),
        ("NE", "AL", "AA", "AE"),
        ("ER", "NE", None, "CE"),
        ("SU", "NE", "CA", None),
        ("", "AL", "AA", "AE"),
        ("NE", "NE", None, None),
    ],
)
def test_the_letters_are_those_that_the_sender_asks_for(
    accept: str, application: str, good: str | None, bad: str | None
) -> None:
    raw = header("", "", accept, application)
    assert acknowledgement.wanted(raw, Verdict.ACCEPTED) == good
    assert acknowledgement.wanted(raw, Verdict.ERROR) == bad


def test_an_answer_is_not_answered() -> None:
    assert answer(message(kind="ACK^R01")) is None


@pytest.mark.parametrize(("version", "where"), [("2.5.1", (3, 4)), ("2.3", (1, None))])
def test_a_refusal_says_why_in_the_form_of_its_version(version: str, where: tuple[int, int | None]) -> None:
    ack = answer(header(version=version), Verdict.REJECTED, WHY)
    assert [str(ack.segment("MSA")[n]) for n in (1, 2, 3)] == ["AR", "C7", WHY.words]
    err = ack.segment("ERR")
    assert "100" in str(err[where[0]])
    assert WHY.words in str(err[where[0]])
    assert where[1] is None or str(err[where[1]]) == "E"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"MSH",
        b"MSH|",
        b"PID|1||SECRET",
        bytes(range(256)),
        b"MSH|^~\\&#|A|B",
        b"MSHabcdefgh",
        b"MSH\r\r\r",
        b"MSH|a|b",
    ],
)
def test_whatever_came_has_an_answer_that_can_be_read(raw: bytes) -> None:
    ack = answer(raw, Verdict.REJECTED, WHY)
    assert str(ack.segment("MSA")[1]) == "AR"


def test_nothing_behind_the_header_is_in_an_answer_and_no_line_can_be_smuggled_in() -> None:
    raw = b"MSH|^~\\&|L\x0bA\x1cB|F|||20260101||ORU^R01|9\x0bX|P|2.5\rPID|1||1||SECRET\r"
    built = acknowledgement.build(raw, Verdict.REJECTED, at=AT, number="7", reason=WHY)
    assert built is not None
    assert b"SECRET" not in built
    assert not set(b"\x0b\x1c\n") & set(built)


def test_a_batch_is_answered_in_its_order_and_counted() -> None:
    built = acknowledgement.batch([b"MSH|1\r", b"MSH|2\r"], at=AT)
    assert built.startswith(b"BHS|^~\\&|PROCEDURE TRACKER||||20261120103000+0000\rMSH|1\rMSH|2\r")
    assert built.endswith(b"BTS|2\r")
