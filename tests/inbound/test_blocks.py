"""Blocks cut out of a stream, however it is cut into pieces on its way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procedures.interfaces.hl7.mllp import Block, Blocks, Broken, CutOff, Event, TooLong

ONE = b"MSH|^~\\&|A\rPID|1\r"


def cut(*pieces: bytes, limit: int = 1000, quiet: bool = False) -> list[Event]:
    blocks = Blocks(limit)
    found = [event for piece in pieces for event in blocks.feed(piece)]
    last = blocks.quiet() if quiet else blocks.close()
    return found + ([last] if last else [])


def test_a_block_needs_its_whole_end() -> None:
    assert cut(b"\x0b" + ONE + b"\x1c\r") == [Block(ONE)]
    assert cut(b"\x0b" + ONE) == [CutOff(len(ONE))]
    assert cut(b"\x0b" + ONE, quiet=True) == []
    assert cut(b"\x0b" + ONE + b"\x1c", quiet=True) == [Block(ONE)]


def test_a_separator_within_a_block_is_no_end() -> None:
    assert cut(b"\x0ba\x1cb\x0bc\x1c\r") == [Block(b"a\x1cb\x0bc")]


def test_the_next_block_ends_one_that_has_no_end_and_it_is_no_whole() -> None:
    assert cut(b"\x0b" + ONE + b"\x0b" + ONE + b"\x1c\r") == [Broken(ONE), Block(ONE)]


def test_what_stands_between_blocks_means_nothing() -> None:
    assert cut(b"\r\n\0 \x0b" + ONE + b"\x1c\r\r\n\x1c\r\x0b" + ONE + b"\x1c\r\n") == [Block(ONE)] * 2


def test_without_a_frame_a_whole_last_line_is_a_whole_and_half_a_line_is_not() -> None:
    assert cut(ONE) == [Block(ONE, bare=True)]
    assert cut(ONE[:-1]) == [Broken(ONE[:-1])]
    assert cut(ONE, quiet=True) == [Block(ONE, bare=True)]
    assert cut(ONE + b"\x0b" + ONE + b"\x1c\r") == [Block(ONE, bare=True), Block(ONE)]


def test_what_is_too_long_is_said_once_and_the_next_block_is_read() -> None:
    long = b"\x0b" + b"x" * 50
    assert cut(long, b"y" * 90, b"\x1c\r\x0b" + ONE + b"\x1c\r", limit=40) == [TooLong(b"x" * 50), Block(ONE)]
    assert cut(long + b"\x1c\r\x0b" + ONE + b"\x1c\r", limit=40) == [TooLong(b"x" * 50), Block(ONE)]


def test_a_long_stream_is_not_held() -> None:
    blocks = Blocks(1000)
    list(blocks.feed(b"\x0b"))
    for _ in range(100):
        list(blocks.feed(b"z" * 5000))
        assert blocks.size <= 1000
    assert blocks.passed > 490_000


@given(st.lists(st.sampled_from([b"\x0b", b"\x1c\r", b"\x1c", b"\r", b"MSH|", b"a", ONE]), max_size=14), st.data())
def test_how_the_stream_is_cut_changes_nothing(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
    assert cut(*pieces) == cut(stream) == cut(*[bytes([byte]) for byte in stream])


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_bytes_are_given_twice_and_none_make_it_fail(stream: bytes, limit: int) -> None:
    found = cut(*[stream[at : at + 7] for at in range(0, len(stream), 7)], limit=limit)
    whole = [event.raw for event in found if isinstance(event, Block | Broken)]
    assert sum(map(len, whole)) <= len(stream)
    assert all(len(raw) <= limit for raw in whole)
