"""The data beside the protocols that matching needs: words and codes of fluids, words of answers. Read once."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from procedures.domain.fluids import Fluids
from procedures.domain.said import Words

CODES = Path(__file__).resolve().parent.parent / "codes"


@cache
def fluids() -> Fluids:
    return Fluids.from_data(_read("fluids.toml"))


@cache
def words() -> Words:
    return Words.from_data(_read("words.toml"))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((CODES / name).read_text(encoding="utf-8"))
