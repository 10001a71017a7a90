"""What the documents name exists: files, anchors, make targets, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "deploy" / "README.md"])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
TARGET = re.compile(r"(?:`|^)make ([a-z][a-z-]*)", re.MULTILINE)
COMMAND = re.compile(r"manage\.py ([a-z_]+)")
#: A path in backticks, as documents name files and folders of this repository.
PATH = re.compile(r"`((?:clinic|procedures|followups|templates|tests|docs|deploy|bench|scripts|static)/[\w./-]*)`")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as code hosts make them."""
    heads = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    lost = []
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(link)
    assert lost == []


@each_document
def test_every_path_that_is_named_exists(document: Path) -> None:
    named = PATH.findall(document.read_text(encoding="utf-8"))
    assert sorted({path for path in named if not (ROOT / path).exists()}) == []


@each_document
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    assert set(TARGET.findall(document.read_text(encoding="utf-8"))) <= targets()


@each_document
def test_every_command_that_is_named_exists(document: Path) -> None:
    assert set(COMMAND.findall(document.read_text(encoding="utf-8"))) <= set(get_commands())


def test_the_documents_are_looked_at() -> None:
    names = {path.name for path in DOCUMENTS}
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "operations.md", "hazard-log.md"} <= names
    assert {"run", "test", "check", "bench"} <= targets()
