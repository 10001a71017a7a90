"""Every line of the hazard log names a test, and every test it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "docs" / "hazard-log.md"
NAME = re.compile(r"`(test_\w+)`")


@cache
def suite() -> frozenset[str]:
    """The names of all test functions of the suite."""
    return frozenset(
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def lines() -> list[list[str]]:
    """The rows of the log's tables, without their heads."""
    rows = [line for line in LOG.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if not row.startswith("| hazard")]


def test_every_hazard_names_who_is_harmed_its_control_and_a_test() -> None:
    assert len(lines()) > 20
    wrong = [row[0] for row in lines() if len(row) != 4 or not all(row) or not NAME.search(row[3])]
    assert wrong == []


def test_every_test_that_the_log_names_exists() -> None:
    named = set(NAME.findall(LOG.read_text(encoding="utf-8")))
    assert sorted(named - suite()) == []
