"""Any bytes into messages, each exactly as it was sent."""

from __future__ import annotations

import pytest

from procedures.interfaces.hl7.framing import Kind, Piece, missing, split
from procedures.interfaces.hl7.header import NotAMessage, header
from tests.factories.hl7 import ascites_oru, batch, csf_oru, framed
from tests.interfaces.hl7.messages import DATA, NAMES, sample

ONE, TWO = csf_oru(control_id="1").raw(), ascites_oru(control_id="2").raw()


def messages(raw: bytes) -> list[bytes]:
    return [piece.raw for piece in split(raw) if piece.is_message]


def ids(raw: bytes) -> list[str]:
    return [header(message).control_id for message in messages(raw)]


@pytest.mark.parametrize("name", NAMES)
def test_a_published_file_is_cut_without_losing_a_byte(name: str) -> None:
    raw = (DATA / f"{name}.hl7").read_bytes()
    pieces = split(raw)
    kept = b"".join(piece.raw for piece in pieces)
    assert kept.replace(b"\n", b"").replace(b"\r", b"") == raw.replace(b"\n", b"").replace(b"\r", b"")
    assert all(raw[piece.start : piece.start + len(piece.raw)] == piece.raw for piece in pieces)
    assert Kind.OTHER not in {piece.kind for piece in pieces}


def test_the_published_batch_holds_two_messages_and_four_lines_around_them() -> None:
    pieces = split(sample("batch_message"))
    assert [piece.kind for piece in pieces] == [
        Kind.ENVELOPE, Kind.ENVELOPE, Kind.MESSAGE, Kind.MESSAGE, Kind.ENVELOPE, Kind.ENVELOPE,
    ]  # fmt: skip
    assert ids(sample("batch_message")) == ["371784", "612092"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_line_end_will_do(end: str) -> None:
    raw = csf_oru(control_id="1").raw(end=end) + ascites_oru(control_id="2").raw(end=end)
    assert ids(raw) == ["1", "2"]


@pytest.mark.parametrize(
    "raw",
    [
        ONE + TWO,
        ONE.replace(b"\r", b"\n") + TWO,
        ONE.replace(b"\r", b"\r\n") + TWO.replace(b"\r", b"\n"),
        b"\xef\xbb\xbf" + ONE + b"\xef\xbb\xbf" + TWO,
        b"\r\n\r\n " + ONE + b"\n\n" + TWO + b"\x1a",
        framed(ONE) + framed(TWO),
        b"\x00" + framed(ONE) + b"\x00\x00" + framed(TWO),
        batch(ONE, TWO),
        batch(ONE, TWO, end=b"\n"),
        ONE.rstrip(b"\r") + TWO,  # joined without a line end
        ONE.rstrip(b"\r") + TWO.replace(b"^~\\&", b"^~\\&#"),
        (ONE + TWO).decode().encode("utf-16"),
        (ONE + TWO).decode().encode("utf-16-be"),
    ],
)
def test_two_messages_are_found_however_they_are_put_together(raw: bytes) -> None:
    assert ids(raw) == ["1", "2"]
    assert [piece for piece in split(raw) if piece.kind is Kind.OTHER] == []


def test_the_bytes_of_a_message_are_those_that_were_sent() -> None:
    assert messages(framed(ONE) + framed(TWO)) == [ONE, TWO]
    assert messages(ONE + TWO) == [ONE, TWO]


def test_what_is_no_message_is_kept_beside_those_that_are() -> None:
    pieces = split(b"garbage\x80\r" + ONE + b"BTS|1\rand more\r" + TWO)
    assert [(piece.kind, piece.code) for piece in pieces] == [
        (Kind.OTHER, "not_a_message"), (Kind.MESSAGE, ""), (Kind.ENVELOPE, ""), (Kind.OTHER, "not_a_message"),
        (Kind.MESSAGE, ""),
    ]  # fmt: skip
    assert pieces[0].raw.startswith(b"garbage")
    assert b"and more" in pieces[3].raw


def test_a_batch_that_lost_messages_on_its_way_says_how_many() -> None:
    assert missing(split(sample("batch_message"))) == 0
    assert missing(split(batch(ONE, TWO))) == 0
    assert missing(split(batch(ONE, TWO).replace(TWO, b""))) == 1
    assert missing(split(b"BHS|^~\\&|A\rBTS|3\rBHS|^~\\&|A\r" + ONE + b"BTS|1\rBTS|many\rBTS\r")) == 3
    assert missing(split(ONE + TWO)) == 0


def test_a_message_with_other_separators_is_found_at_a_line() -> None:
    other = b"MSH,^~\\&,A,B,,,2026,,ORU^R01,%d,P,2.5\rPID,1\r"
    assert ids(other % 10 + other % 11) == ["10", "11"]


@pytest.mark.parametrize(
    "line", [b"NTE|1|L|MSH is the header\r", b"NTE|1|L|x MSH|y\r", b"OBX|1|TX|1||see FHS|and\r", b"MSHA|no\r"]
)
def test_the_letters_msh_in_a_text_begin_no_message(line: bytes) -> None:
    assert len(messages(ONE + line + TWO)) == 2


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", bytes(40), b"\x0b\x1c\r", b"\xef\xbb\xbf", b"\x1a"])
def test_nothing_is_nothing(raw: bytes) -> None:
    assert split(raw) == ()


@pytest.mark.parametrize(
    "raw", [b"hello", b"MSH", b"MSHxyz", b"PID|1\rOBX|1\r", b"\x89PNG\r\n\x1a\n" + bytes(range(256))]
)
def test_bytes_without_a_header_are_one_piece_that_says_so(raw: bytes) -> None:
    (piece,) = split(raw)
    assert piece == Piece(raw=piece.raw, start=piece.start, kind=Kind.OTHER, code="not_a_message")


def test_a_file_of_too_many_messages_is_cut_off_and_says_so() -> None:
    pieces = split(b"MSH|^~\\&|A\r" * 50, most=10)
    assert [piece.code for piece in pieces if piece.kind is Kind.OTHER] == ["too_many_messages"]
    assert sum(len(piece.raw) for piece in pieces) == 550


@pytest.mark.parametrize(
    "raw",
    [b"MSH|" * 100_000, b"\rMSH|" * 100_000, b" MSH|" * 50_000, b"\x1c\rA" * 50_000, b"BTS|\r" * 50_000, bytes(10**6)],
)
def test_bytes_made_to_be_slow_are_not(raw: bytes) -> None:
    assert sum(len(piece.raw) for piece in split(raw)) <= len(raw)


# --- headers -------------------------------------------------------------------------------------


def test_a_header_says_who_sent_what() -> None:
    found = header(sample("realm-cj"))
    assert str(found.sender) == "Lab1|Joe's Lab"
    assert (found.control_id, found.message_type, found.version, found.processing) == (
        "1234567890",
        "ORU^R01",
        "2.5.1",
        "P",
    )
    assert (found.accept_acknowledgement, found.application_acknowledgement) == ("NE", "NE")


def test_the_first_part_that_says_something_is_the_name() -> None:
    assert header(sample("realm-hep")).sender_facility == "1234"


@pytest.mark.parametrize("marks", ["^~\\&", "^~\\&#", "^~\\\\&", "^\N{SMALL TILDE}\\&", "^~", "", "^~\\&amp;"])
def test_the_marks_of_msh_2_are_read_as_they_are_meant(marks: str) -> None:
    raw = csf_oru(marks=marks, sender=("LIS^1.2.3^ISO", "LAB")).raw()
    found = header(raw)
    assert (found.sender_application, found.separators.component, found.separators.subcomponent) == ("LIS", "^", "&")
    assert found.separators.escape == "\\"


def test_other_separators_are_the_message_s_own() -> None:
    found = header(b"MSH$%*!@$LIS%X$LAB$$$2026$$ORU%R01$7$P$2.3\r")
    assert (str(found.sender), found.message_type, found.control_id) == ("LIS|LAB", "ORU^R01", "7")


def test_a_header_in_latin_letters_is_read() -> None:
    raw = csf_oru(sender=("LIS", "Klinikum Süd"), charset="8859/1").raw(encoding="latin-1")
    assert header(raw).sender_facility == "Klinikum Süd"
    assert header(csf_oru(sender=("LIS", "Süd"), charset="").raw()).sender_facility == "Süd"


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"", "empty"), (b" \r\n\x00", "empty"), (b"PID|1", "no_header"), (b"MSH", "header_broken"), (b"MSHX",
     "header_broken"),
     (b"MSH\xff^", "header_broken"), (b"FHS|^~\\&", "no_header")],
)  # fmt: skip
def test_what_has_no_header_says_why_and_nothing_of_the_content(raw: bytes, code: str) -> None:
    with pytest.raises(NotAMessage) as refused:
        header(raw)
    assert refused.value.code == code
    assert "PID" not in refused.value.words


def test_a_header_alone_is_a_header() -> None:
    assert header(b"MSH|").control_id == ""
    assert header(b"MSH|^~\\&|A|B").sender_application == "A"


def test_a_header_is_read_without_the_rest() -> None:
    assert header(ONE + b"OBX|1\r" * 500_000).control_id == "1"
    assert header(b"MSH|^~\\&|A|" + b"x" * 10_000_000).sender_application == "A"
