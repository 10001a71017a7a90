"""What the header of a message says of it, without reading the rest."""

from __future__ import annotations

from dataclasses import dataclass


class NotAMessage(Exception):
    """``code`` is stable, ``words`` are for people; neither has anything of the content."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(frozen=True, kw_only=True)
class Header:
    sender_application: str
    sender_facility: str
    control_id: str
    message_type: str


def header(raw: bytes) -> Header:
    text = raw.removeprefix(b"\xef\xbb\xbf").lstrip().replace(b"\n", b"\r")
    line = text.split(b"\r", 1)[0].decode("utf-8", "replace")
    if not line.startswith("MSH") or len(line) < 8:
        raise NotAMessage("no_msh", "It does not begin with a header (MSH).")
    fields = line.split(line[3])
    fields += [""] * (20 - len(fields))
    return Header(
        sender_application=fields[2].split("^")[0],
        sender_facility=fields[3].split("^")[0],
        control_id=fields[9],
        message_type=fields[8],
    )
