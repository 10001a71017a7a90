"""The runbook has a part for each alarm, and names each figure of /metrics and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from followups import alarm_words
from followups.domain.watch import ALARMS
from followups.selectors.metrics import FIGURES

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^## [^\n]*`([a-z_]+)`\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
#: What no pass can see: the broker that would carry it, the database that would store it.
FROM_OUTSIDE = ("broker_lost", "database_full")


@pytest.mark.parametrize("name", [*ALARMS, *FROM_OUTSIDE])
def test_each_alarm_says_what_it_means_what_to_do_and_when_it_is_over(name: str) -> None:
    part = PARTS[name]
    for word in ("**Means**:", "**Do**:", "**Over when**:"):
        assert word in part


def test_the_runbook_speaks_of_no_alarm_that_does_not_exist() -> None:
    assert set(PARTS) == {*ALARMS, *FROM_OUTSIDE}
    assert set(alarm_words.ALARMS) == set(ALARMS)


def test_each_figure_is_named_and_no_other() -> None:
    assert set(re.findall(r"\bclinic_[a-z_]+\b", TEXT)) == set(FIGURES)
