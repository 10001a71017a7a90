"""Bytes into text: by what the message claims (MSH-18) and by what the bytes themselves show.

Bytes that are valid UTF-8 with a character beyond ASCII are UTF-8, whatever is claimed: by accident that hardly
happens, and ``8859/1`` over UTF-8 is common. Otherwise the claim counts; where it cannot be true, Windows-1252, which
has a character for nearly every byte. What is no character in the end becomes U+FFFD and is said to be damaged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

DAMAGED = "\N{REPLACEMENT CHARACTER}"
BOM = b"\xef\xbb\xbf"
#: HL7 table 0211 and the names people write, letters and digits alone, as Python knows them.
CODECS = {
    "ASCII": "ascii", "USASCII": "ascii", "ISOIR6": "ascii", "8859": "iso8859_1",
    "UNICODEUTF8": "utf_8", "UTF8": "utf_8", "UNICODE": "utf_8", "ISOIR192": "utf_8",
    "UNICODEUTF16": "utf_16", "UTF16": "utf_16",
    "LATIN1": "iso8859_1", "LATIN2": "iso8859_2", "LATIN9": "iso8859_15", "ISOIR100": "iso8859_1",
    "WINDOWS1250": "cp1250", "WINDOWS1251": "cp1251", "WINDOWS1252": "cp1252", "CP1250": "cp1250", "CP1251": "cp1251",
    "CP1252": "cp1252", "ANSI": "cp1252",
    "ISOIR87": "iso2022_jp_2", "ISOIR159": "iso2022_jp_2", "ISOIR14": "iso2022_jp_2", "GB180302000": "gb18030",
    "GB18030": "gb18030", "KSX1001": "euc_kr", "BIG5": "big5", "CNS116431992": "big5",
}  # fmt: skip
CODECS |= {f"{iso}8859{n}": f"iso8859_{n}" for iso in ("", "ISO") for n in range(1, 17) if n != 12}
#: The Windows relative of a part of ISO 8859: the same letters, and characters where that has control codes.
WINDOWS = {
    "ascii": "cp1252", "iso8859_1": "cp1252", "iso8859_15": "cp1252", "iso8859_2": "cp1250", "iso8859_5": "cp1251",
    "iso8859_7": "cp1253", "iso8859_9": "cp1254",
}  # fmt: skip
_HIGH_CONTROLS = re.compile(rb"[\x80-\x9f]")
_TWO_BYTES = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
#: What no text of a person holds, and what turns the direction of writing on a page: dropped or made visible.
_FOREIGN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """``remarks``: (code, words) of what is not as claimed. ``damaged``: a character was lost, here or before."""

    text: str
    charset: str
    remarks: tuple[tuple[str, str], ...] = ()
    damaged: bool = False


def wide(raw: bytes) -> str:
    """The codec when these bytes are UTF-16; empty when not."""
    head = raw[:8]
    if head.startswith(b"\xff\xfe") or head.startswith((b"M\x00S\x00H\x00", b"F\x00H\x00S\x00", b"B\x00H\x00S\x00")):
        return "utf_16_le"
    if head.startswith(b"\xfe\xff") or head.startswith((b"\x00M\x00S\x00H", b"\x00F\x00H\x00S", b"\x00B\x00H\x00S")):
        return "utf_16_be"
    return ""


def narrow(raw: bytes) -> bytes:
    """UTF-16 as UTF-8, everything else as it is."""
    codec = wide(raw)
    if not codec:
        return raw
    text = raw.decode(codec, "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    return text.encode("utf-8", "replace")


def codec(name: str) -> str:
    """Python's name of a character set as messages write it; empty when it is none that is known."""
    return CODECS.get(re.sub(r"[^A-Z0-9]", "", name.upper()), "")


def decode(raw: bytes, claimed: Sequence[str] = (), default: str = "") -> Decoded:
    """``claimed``: the repetitions of MSH-18. ``default``: the sender's character set where it names none."""
    raw = raw.removeprefix(BOM)
    known = [codec(name) for name in claimed if name.strip()]
    remarks = []
    if "" in known:
        remarks.append(("charset_unknown", "The character set that the message names (MSH-18) is not known."))
    said = next((name for name in known if name not in ("", "ascii")), next((name for name in known if name), ""))
    if said == "iso2022_jp_2" and b"\x1b" in raw:
        return _finished(raw.decode(said, "replace"), said, remarks, raw)
    if raw.isascii():
        return _finished(raw.decode("ascii"), "ascii", remarks, raw)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        chosen = _chosen(raw, said, codec(default))
        if said and chosen != said:
            remarks.append(("charset_claimed_wrongly", "The bytes are not in the character set that MSH-18 names."))
        elif not said and not default:
            remarks.append(("charset_guessed", "No character set is named (MSH-18); it was taken by the bytes."))
        return _finished(raw.decode(chosen, "replace"), chosen, remarks, raw)
    if said not in ("", "utf_8", "utf_16"):
        remarks.append(("charset_claimed_wrongly", "MSH-18 names another character set, but the bytes are UTF-8."))
    return _finished(text, "utf_8", remarks, raw)


def _chosen(raw: bytes, said: str, default: str) -> str:
    """For bytes that are not all UTF-8."""
    if said == "utf_16":  # claimed and not so
        said = ""
    name = said or default
    if name in ("", "utf_8"):
        return "utf_8" if _mostly_utf8(raw) else "cp1252"
    return WINDOWS[name] if name in WINDOWS and (name == "ascii" or _HIGH_CONTROLS.search(raw)) else name


def _mostly_utf8(raw: bytes) -> bool:
    """Whether more of the high bytes belong to whole characters of UTF-8 than stand alone."""
    whole = sum(len(found) for found in _TWO_BYTES.findall(raw))
    high = len(raw) - len(raw.translate(None, bytes(range(0x80, 0x100))))
    return whole * 2 > high


def _finished(text: str, name: str, remarks: list[tuple[str, str]], raw: bytes) -> Decoded:
    if b"\x00" in raw:
        remarks.append(("nul_bytes", "There are NUL bytes in the message; they were left out."))
    return Decoded(text=plain(text), charset=name, remarks=tuple(remarks), damaged=DAMAGED in text)


def plain(text: str) -> str:
    """Without NUL; other control codes become a space, codes that turn the direction of writing become visible."""
    return _FOREIGN.sub(_visible, text) if _FOREIGN.search(text) else text


def _visible(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\x00":
        return ""
    return " " if character < "\x80" else DAMAGED
