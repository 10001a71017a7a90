"""Bytes that are no message, or were one: nothing raises but NotAMessage, is slow, or looks whole when it is not."""

from __future__ import annotations

import random
import resource
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procedures.domain.report import Observation, Report, Standing
from procedures.interfaces.hl7 import framing, reading
from procedures.interfaces.hl7.header import NotAMessage
from procedures.interfaces.hl7.segments import segments
from tests.factories.hl7 import ascites_oru, batch, csf_cell_count, csf_culture, csf_gram, csf_oru
from tests.interfaces.hl7.messages import DATA, MSH, NAMES, ZONE, codes, observations

FEW = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
BROKEN = "unreadable"  # a segment that made our own code fail


def everything(raw: bytes) -> list[Report]:
    """All that is made of bytes; fails when one segment could not be taken at all."""
    found = []
    for piece in framing.split(raw):
        try:
            report = reading.read(piece.raw, zone=ZONE)
        except NotAMessage:
            assert not piece.is_message
            continue
        assert BROKEN not in codes(report)
        assert segments(piece.raw)
        repr(report).encode("utf-8")  # what a database takes: no half characters
        assert "\x00" not in repr(report)
        found.append(report)
    return found


# --- anything ------------------------------------------------------------------------------------


@FEW
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    everything(raw)


@FEW
@given(st.binary(max_size=300))
def test_any_bytes_after_a_header_are_read(raw: bytes) -> None:
    everything(MSH.encode() + b"\r" + raw)
    everything(MSH.encode() + b"\rPID|1||1^^^H\rOBR|1||F1|X^Y^L\rOBX|1|" + raw + b"\rOBX|2|NM|806-0^W^LN||5||||||F\r")


KINDS = ["NM", "SN", "ST", "FT", "CWE", "ED", "TS", "TM", "RP", "CX", "", "ZZ"]
TEXT = st.text(alphabet='^~\\&|#<>=≥:-+.,0123456789eEXFTRSab \n\N{SMALL TILDE}"é\u202e\x00', max_size=60)


@FEW
@given(st.sampled_from(KINDS), TEXT, TEXT, TEXT)
def test_any_fields_of_an_observation_are_read(kind: str, code: str, value: str, rest: str) -> None:
    everything(f"{MSH}\rOBR|1||F|{code}|||{rest}\rOBX|1|{kind}|{code}|{rest}|{value}|{rest}\rNTE|1||{value}\r".encode())


@FEW
@given(
    st.lists(st.sampled_from(["MSH", "PID", "ORC", "OBR", "OBX", "NTE", "SPM", "SAC", "ZXX", "DSC"]), max_size=30), TEXT
)
def test_segments_in_any_order_are_read_and_every_observation_is_somewhere(names: list[str], text: str) -> None:
    text = text.replace("\n", "").replace("|", "")
    lines = [f"{name}|1|{text}|{text}^X^LN|{text}|{text}|{text}" for name in names if name != "MSH"]
    (found,) = everything("\r".join([MSH, *lines, ""]).encode())
    assert len(observations(found.groups)) == sum(line.startswith("OBX") for line in lines)


@FEW
@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_header_is_read_or_refused(marks: bytes, rest: bytes) -> None:
    everything(b"MSH|" + marks + b"|LIS|LAB|||" + rest + b"\rOBX|1|ST|a||b\r")


# --- the published messages, damaged -------------------------------------------------------------


def damaged(raw: bytes, chance: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randint(1, 200)]
            case 2:
                data[at:at] = bytes(
                    chance.choice(b'|^~\\&\r\n\x00\x0b\x1c\xff"MSH') for _ in range(chance.randint(1, 6))
                )
            case 3:
                data[at:at] = data[at : at + chance.randint(1, 300)]
            case _:
                data[at : at + 2] = chance.choice([b"||", b"\r|", b"\\.", b"\xc3\x28"])
        if not data:
            return b"x"
    return bytes(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_published_message_is_read_or_refused(name: str) -> None:
    raw = (DATA / f"{name}.hl7").read_bytes()
    chance = random.Random(name)
    for _ in range(4 if len(raw) > 20_000 else 12):
        everything(damaged(raw, chance))


@pytest.mark.parametrize("end", ["\r", "\n"])
def test_no_beginning_of_a_message_claims_a_value_that_the_whole_does_not_have(end: str) -> None:
    whole = csf_oru(csf_cell_count(white="1280"), csf_gram("No organisms seen"), csf_culture()).raw(end=end)
    (report,) = everything(whole)
    true = {claim(seen) for seen in observations(report.groups)}
    for length in range(20, len(whole), 11):
        for part in everything(whole[:length]):
            for seen in observations(part.groups):
                trusted = not seen.problems and seen.standing not in (Standing.UNKNOWN, Standing.PENDING)
                assert not trusted or claim(seen) in true, whole[:length][-60:]


def claim(seen: Observation) -> tuple[object, ...]:
    return seen.code, seen.readings, seen.unit, seen.standing


def test_one_bad_message_does_not_lose_the_other_nineteen() -> None:
    good = [csf_oru(control_id=str(number)).raw() for number in range(20)]
    good[7] = b"MSH|^~\\&|\x00\xff\xfe|broken\rOBX|||||\\X\r"
    found = everything(batch(*good))
    assert [report.control_id for report in found] == [str(number) if number != 7 else "" for number in range(20)]
    assert sum(len(observations(report.groups)) == 5 for report in found) == 19


# --- size and shape ------------------------------------------------------------------------------

HEAD = MSH.encode() + b"\rPID|1||1^^^H\rOBR|1||F1|X^Y^L|||||||||||||||||||||F\r"


@pytest.mark.parametrize(
    "sign", [b"^", b"~", b"&", b"\\", b"|", b"^&~", b"\\T\\", b"\\X", b"a^b&c~", b"\xff", b"\xc3", b"<", b"&#8805;"]
)
@pytest.mark.parametrize(
    "place", [b"OBX|1|CWE|1^A^L||%s||||||F\r", b"OBX|1|SN|%s||%s\r", b"PID|1||%s||%s\r", b"SPM|1|%s||%s\r"]
)
def test_separators_a_hundred_thousand_times_over_are_read_in_time(sign: bytes, place: bytes) -> None:
    began = time.perf_counter()
    everything(HEAD + place.replace(b"%s", sign * (20_000 // len(sign))))
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "line", [b"NTE|1||x\r", b"x\r", b"\n", b"SPM|1|S\r", b"ZXX\r", b"ORC|RE\r", b"PID|1\r", b"OBR|1\r", b"MSH\r"]
)
def test_one_line_four_thousand_times_over_is_read_in_time(line: bytes) -> None:
    began = time.perf_counter()
    everything(HEAD + b"OBX|1|NM|806-0^W^LN||5||||||F\r" + line * 4_000)
    assert time.perf_counter() - began < 5


def test_twenty_thousand_observations_are_read() -> None:
    found = many(20_000)
    assert len(observations(found.groups)) == 20_000
    assert found.problems == ()


@pytest.mark.proof
def test_a_million_observations_are_read_in_bounded_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(observations(many(1_000_000).groups)) == 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2 * 1024 * 1024  # kB


def many(count: int) -> Report:
    rows = b"".join(b"OBX|%d|NM|806-0^White cells^LN||%d|/uL|||||F\r" % (row, row) for row in range(count))
    return reading.read(HEAD + rows, zone=ZONE)


def test_a_message_longer_than_the_caller_allows_is_refused_whole() -> None:
    with pytest.raises(NotAMessage) as refused:
        reading.read(HEAD + b"NTE|1||x\r" * 100, zone=ZONE, most_segments=50)
    assert refused.value.code == "too_many_segments"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00", b"\r\n", b"MSH", b"MSH|", b"MSH|^~\\&", b"MSH|^~\\&|" + b"|" * 50_000, b"PID|1||1",
        bytes(range(256)) * 40, b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"<html><body>MSH|^~\\&|</body></html>",
        b"{\"resourceType\": 1}",
        ascites_oru().raw()[:100], ascites_oru().raw().replace(b"|", b"\x00"), csf_oru().raw() + ascites_oru().raw(),
        csf_oru().raw().decode().encode("utf-16")[:301], b"\xff\xfe" * 50, b"MSH|||||||||",
        "MSH|^~\\&|é".encode("latin-1"),
        b"MSH|MSH|MSH|\rMSH|", b"MSH^~|\\&^LIS", b"MSH\\\\\\\\\\\\|",
    ],
)  # fmt: skip
def test_what_is_sent_by_mistake_is_read_or_refused(raw: bytes) -> None:
    everything(raw)
    try:
        reading.read(raw, zone=ZONE)
    except NotAMessage as refused:
        assert refused.code in {"empty", "no_header", "header_broken"}
