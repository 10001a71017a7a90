"""A file or a block cut into messages."""

from __future__ import annotations

import re


def split(raw: bytes) -> tuple[bytes, ...]:
    parts = re.split(rb"(?m)(?:^|(?<=\r))(?=MSH[^A-Za-z0-9\r\n])", raw)
    found = tuple(part for part in parts if part.lstrip().startswith(b"MSH"))
    return found or ((raw,) if raw.strip() else ())
