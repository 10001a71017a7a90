"""The protocol files, read once, for tests that need no database."""

from __future__ import annotations

import copy
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from procedures.domain import load, translations
from procedures.domain.protocol import Protocol

ROOT = Path(__file__).resolve().parents[2]
CLINICAL = ROOT / "procedures" / "protocols"
EXTRA = ROOT / "tests" / "data" / "protocols"


@cache
def _data(name: str) -> dict[str, Any]:
    path = next(folder / f"{name}.toml" for folder in (CLINICAL, EXTRA) if (folder / f"{name}.toml").exists())
    return tomllib.loads(path.read_text("utf-8"))


def data(name: str) -> dict[str, Any]:
    """A fresh copy of the file's data, to be changed at will."""
    return copy.deepcopy(_data(name))


def translated(name: str) -> dict[str, Any]:
    """As :func:`data`, with the translation of each language."""
    folder = next(folder for folder in (CLINICAL, EXTRA) if (folder / f"{name}.toml").exists())
    trees = {code: tomllib.loads((folder / code / f"{name}.toml").read_text("utf-8")) for code in translations.OTHERS}
    return data(name) | {"translations": trees}


@cache
def whole(name: str) -> Protocol:
    """The protocol as it is published, with its translations."""
    return load.parse(translated(name), name=f"{name}.toml")


@cache
def protocol(name: str) -> Protocol:
    return load.parse(_data(name), name=f"{name}.toml")
