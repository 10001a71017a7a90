"""docs/operations.md and the settings name the same variables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CALL = re.compile(r"""env_(str|bool|int|list|secret)\(\s*"([A-Z0-9_]+)\"""")
ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)


def in_settings() -> dict[str, str]:
    text = (ROOT / "clinic" / "settings.py").read_text(encoding="utf-8")
    return {name: kind for kind, name in CALL.findall(text)}


def in_document() -> dict[str, str]:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.split("## Every variable")[1].split("\n## ")[0]
    return {name: meaning for name, _default, meaning in ROW.findall(table)}


def test_every_variable_of_the_settings_is_documented_and_no_other() -> None:
    assert set(in_document()) == set(in_settings())


def test_what_may_come_from_a_file_is_called_secret() -> None:
    secret = {name for name, kind in in_settings().items() if kind == "secret"}
    assert {name for name, meaning in in_document().items() if "*secret*" in meaning} == secret


def test_nothing_else_reads_a_variable_that_nobody_documents() -> None:
    documented = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    read = re.compile(r"""os\.environ(?:\.get\(|\[)\s*"([A-Z0-9_]+)\"""")
    ours = {"DJANGO_SETTINGS_MODULE"}
    for folder in ("clinic", "procedures", "followups", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in set(read.findall(path.read_text(encoding="utf-8"))) - ours:
                assert f"`{name}`" in documented, f"{path.name} reads {name}"
