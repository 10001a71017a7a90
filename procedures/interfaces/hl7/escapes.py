"""Escape sequences of a field into plain text. Read once, from left to right; what results is never read again.

Known are the delimiters (``\\F\\ \\S\\ \\T\\ \\R\\ \\E\\ \\P\\``), bytes (``\\X0d0a\\``), and formatting of text
(``\\.br\\ \\.sp2\\ \\.ce\\ \\.sk3\\`` become line breaks and spaces; indents, highlights and fills become nothing).
Everything else stays as it was written: a local ``\\Zdd\\``, a switch of the character set (``\\C..\\``, ``\\M..\\``:
what follows is in another one, so nothing may pretend to have read it), a backslash alone.

HTML entities (``&#8805;``, ``&micro;``) are resolved when they stand for one ordinary character. Those of markup
(``&lt; &gt; &amp; &quot; &#39;``) stay text: so no markup can come into being here that was not in the message.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from procedures.interfaces.hl7 import charset
from procedures.interfaces.hl7.separators import Separators

#: So many line breaks or spaces one sequence makes at most.
MOST = 40
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_MARKUP = frozenset("<>&\"'`=" + charset.DAMAGED)
_BREAKS = {"br": 1, "sp": 0, "ce": 1}
_NOTHING = frozenset({"in", "ti", "fi", "nf"})


def unescaped(text: str, separators: Separators, codec: str = "utf_8") -> str:
    """``codec``: what the bytes of ``\\X..\\`` are in; the message's."""
    escape = separators.escape
    if escape in text:
        if separators.doubled:
            text = text.replace(escape + escape, escape)
        plain = {
            "F": separators.field, "S": separators.component, "T": separators.subcomponent,
            "R": separators.repetition, "E": escape, "P": "#", "H": "", "N": "",
        }  # fmt: skip
        text = _sequence(escape).sub(lambda found: _meaning(found, plain, codec), text)
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return text


@lru_cache(maxsize=32)
def _sequence(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(rf"{mark}(?:([FSTREPHN])|X([0-9A-Fa-f]{{2,}})|\.([A-Za-z]{{2}})([+-]?[0-9]{{0,4}})){mark}")


def _meaning(found: re.Match[str], plain: dict[str, str], codec: str) -> str:
    letter, digits, command, count = found.groups()
    if letter:
        return plain[letter]
    if digits:
        return _bytes(digits, codec) if len(digits) % 2 == 0 else found[0]
    name, times = command.lower(), min(abs(int(count)) if count.strip("+-") else 1, MOST)
    if name in _NOTHING:
        return ""
    if name == "sk":
        return " " * times
    if name in _BREAKS:
        return "\n" * (_BREAKS[name] or times)
    return found[0]


def _bytes(digits: str, codec: str) -> str:
    raw = bytes.fromhex(digits)
    name = "utf_8" if codec == "ascii" else codec
    try:
        text = raw.decode(name)
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return charset.plain(text.replace("\r\n", "\n").replace("\r", "\n"))


def _character(found: re.Match[str]) -> str:
    character = html.unescape(found[0])
    usual = len(character) == 1 and character not in _MARKUP and (character.isprintable() or character == "\xa0")
    return character if usual else found[0]
