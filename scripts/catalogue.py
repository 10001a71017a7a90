"""A gettext catalogue: read from and written to a .po file, compiled to a .mo file. Standard library only.

No tools of gettext are needed on any machine; what is read here is what :func:`write` writes, and what translators'
programs write: entries with msgid, msgid_plural, msgstr, comments and flags.
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAGIC = 0x950412DE
LINE = re.compile(r'^(msgid_plural|msgid|msgstr(?:\[(\d+)\])?)\s+("(?:\\.|[^"\\])*")$')
MORE = re.compile(r'^("(?:\\.|[^"\\])*")$')
HEADER = {
    "es": (
        "Language: es\n"
        "MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=UTF-8\n"
        "Content-Transfer-Encoding: 8bit\n"
        "Plural-Forms: nplurals=2; plural=(n != 1);\n"
    )
}


@dataclass
class Entry:
    """One text. ``strings``: its translation; two where there is a plural."""

    msgid: str
    plural: str = ""
    strings: list[str] = field(default_factory=list)
    fuzzy: bool = False
    places: tuple[str, ...] = ()

    @property
    def forms(self) -> int:
        return 2 if self.plural else 1

    @property
    def is_translated(self) -> bool:
        return not self.fuzzy and len(self.strings) == self.forms and all(text.strip() for text in self.strings)


def read(path: Path) -> dict[str, Entry]:
    """The entries by msgid, without the header. Raises ValueError for a line that cannot be understood."""
    found: dict[str, Entry] = {}
    current: Entry | None = None
    fuzzy, last = False, ""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = line.strip()
        if text.startswith("#"):
            fuzzy = fuzzy or (text.startswith("#,") and "fuzzy" in text)
        elif key := LINE.match(text):
            last, value = key[1].partition("[")[0], ast.literal_eval(key[3])
            if last == "msgid":
                current, fuzzy = Entry(msgid=value, fuzzy=fuzzy), False
            elif current is not None and last == "msgid_plural":
                current.plural = value
            elif current is not None:
                current.strings.append(value)
                found[current.msgid] = current
        elif (more := MORE.match(text)) and current is not None:
            _append(found, current, last, ast.literal_eval(more[1]))
        elif text:
            raise ValueError(f"{path.name}:{number}: {text}")
    found.pop("", None)
    return found


def _append(found: dict[str, Entry], current: Entry, last: str, text: str) -> None:
    if last == "msgid":
        current.msgid += text
    elif last == "msgid_plural":
        current.plural += text
    else:
        current.strings[-1] += text
        found.pop("" if current.msgid else current.msgid, None)
        found[current.msgid] = current


def write(path: Path, entries: Iterable[Entry], language: str) -> None:
    """In the order given, each with the files in which it stands."""
    title = "# What a patient reads on our pages. Written by scripts/translations.py."
    blocks = [f'{title}\nmsgid ""\nmsgstr {_quoted(HEADER[language])}']
    for entry in entries:
        lines = [f"#: {place}" for place in entry.places]
        lines += ["#, fuzzy"] * entry.fuzzy
        lines.append(f"msgid {_quoted(entry.msgid)}")
        strings = (entry.strings + [""] * entry.forms)[: entry.forms]
        if entry.plural:
            lines.append(f"msgid_plural {_quoted(entry.plural)}")
            lines += [f"msgstr[{form}] {_quoted(text)}" for form, text in enumerate(strings)]
        else:
            lines.append(f"msgstr {_quoted(strings[0])}")
        blocks.append("\n".join(lines))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(blocks) + "\n", "utf-8")


def _quoted(text: str) -> str:
    def quote(part: str) -> str:
        return '"' + part.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    if "\n" not in text:
        return quote(text)
    return '""\n' + "\n".join(quote(part) for part in text.splitlines(keepends=True))


def compiled(entries: Mapping[str, Entry], language: str) -> bytes:
    """The .mo file: sorted originals and translations, as gettext reads them."""
    pairs = [(b"", HEADER[language].encode())]
    for entry in entries.values():
        if entry.is_translated:
            original = entry.msgid + (f"\0{entry.plural}" if entry.plural else "")
            pairs.append((original.encode(), "\0".join(entry.strings).encode()))
    pairs.sort()
    count = len(pairs)
    tables, data = [], b""
    offset = 28 + 16 * count
    for side in (0, 1):
        table = b""
        for pair in pairs:
            table += struct.pack("<II", len(pair[side]), offset + len(data))
            data += pair[side] + b"\0"
        tables.append(table)
    head = struct.pack("<7I", MAGIC, 0, count, 28, 28 + 8 * count, 0, 28 + 16 * count)
    return head + b"".join(tables) + data
