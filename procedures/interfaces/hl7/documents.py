"""Embedded documents (ED): decoded, and named by what the bytes are, never by what the message calls them.

A document is only ever offered as a download. Its type comes from a short list, by its first bytes; everything else,
HTML and SVG among it, is ``application/octet-stream``. Plain text must be called text and hold no markup.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from procedures.domain.report import Document

OTHER = "application/octet-stream"
_MAGIC = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
          (b"{\\rtf", "application/rtf"))  # fmt: skip
#: How a whole document of the kind ends; the last bytes are looked at.
_ENDS = {"application/pdf": b"%%EOF", "image/png": b"IEND", "image/jpeg": b"\xff\xd9", "application/rtf": b"}"}
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]|<[A-Za-z!?/]")
_TAIL = 1024
ENCODINGS = ("base64", "hex", "a")


def from_parts(parts: Sequence[str], plain: str) -> tuple[Document | None, str]:
    """From the components of an ED; ``plain``: the last one with its escapes read, for what is not encoded.

    The second part is a code of what is wrong; empty when nothing is.
    """
    at = next((n for n in range(len(parts) - 2, 0, -1) if parts[n].strip().lower() in ENCODINGS), None)
    if at is None:
        return (None, "document_unreadable") if len(parts) < 5 else (_named(parts[4].encode(), parts, cut=True), "")
    encoding, data = parts[at].strip().lower(), parts[at + 1]
    if not data.strip():
        return None, "document_empty"
    if encoding == "a":
        return _named(plain.encode("utf-8", "replace"), parts, cut=False), ""
    content, whole = (_from_base64 if encoding == "base64" else _from_hex)(data)
    if not content:
        return Document(
            media_type=OTHER, content=data.encode("utf-8", "replace"), truncated=True
        ), "document_unreadable"
    return _named(content, parts, cut=not whole), ""


def from_text(text: str) -> Document | None:
    """A PDF that somebody put into a text value."""
    if not text.startswith("JVBERi0") or len(text) < 100:
        return None
    content, whole = _from_base64(text)
    return _named(content, ("", "", "", "", ""), cut=not whole) if content.startswith(b"%PDF-") else None


def _from_base64(data: str) -> tuple[bytes, bool]:
    """As much as can be decoded, and whether that is all."""
    text = re.sub(r"\\X0[dDaA](?:0[aA])?\\|\\\.br\\|\s+", "", data).replace("-", "+").replace("_", "/")
    found = re.match(r"[A-Za-z0-9+/]*={0,2}", text)
    valid = found[0] if found else ""
    bare = valid.rstrip("=")
    usable = bare if len(bare) % 4 != 1 else bare[:-1]
    try:
        content = base64.b64decode(usable + "=" * (-len(usable) % 4))
    except (binascii.Error, ValueError):
        return b"", False
    return content, len(valid) == len(text) and len(valid) % 4 == 0


def _from_hex(data: str) -> tuple[bytes, bool]:
    text = re.sub(r"\s+", "", data)
    found = re.match(r"(?:[0-9A-Fa-f]{2})*", text)
    valid = found[0] if found else ""
    return bytes.fromhex(valid), len(valid) == len(text)


def _named(content: bytes, parts: Sequence[str], *, cut: bool) -> Document:
    media = next((media for start, media in _MAGIC if content.lstrip(b"\r\n\t \xef\xbb\xbf").startswith(start)), "")
    if not media:
        media = "text/plain" if _is_text(content, parts) else OTHER
    end = _ENDS.get(media)
    ends_early = (end is not None and end not in content[-_TAIL:]) or _is_cut_html(content)
    return Document(media_type=media, content=content, truncated=cut or ends_early)


def _is_text(content: bytes, parts: Sequence[str]) -> bool:
    names = {part.strip().lower() for part in parts[1:3]}
    if not names & {"text", "tx", "txt", "plain", "ft"} or names & {"html", "xml", "htm", "xhtml", "svg"}:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not _NOT_TEXT.search(content)


def _is_cut_html(content: bytes) -> bool:
    return b"<html" in content[:_TAIL].lower() and b"</html" not in content[-_TAIL:].lower()
