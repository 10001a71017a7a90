"""The checker finds what is broken on purpose: each planted fault lives through a week, and is complained about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from followups.simulation import judge, reports, year
from tests.checker import week
from tests.checker.disturbed import DISTURBED
from tests.checker.mutations import MUTATIONS, Mutation

#: In the suite one of each kind: the planner, the engine, the sender. The others take as long each.
QUICK = {"corrections_forgotten", "repeat_stands", "sent_twice"}
#: A laboratory in sixty cases does wrong what otherwise takes some hundreds.
TROUBLE = {**reports.HOWS, "ordinary": 400, "parts": 200, "another_number": 150}


def _marked(mutation: Mutation) -> object:
    marks = () if mutation.name in QUICK else (pytest.mark.proof,)
    return pytest.param(mutation, id=mutation.name, marks=marks)


@pytest.mark.django_db
@pytest.mark.parametrize("mutation", [_marked(mutation) for mutation in MUTATIONS])
def test_a_planted_fault_is_complained_about(mutation: Mutation) -> None:
    with mutation.planted(), week.told(mutation.part):
        report = week.check()
    assert mutation.codes & report.codes, f"{mutation.breaks}: only {sorted(report.codes)}"


@pytest.mark.proof
@pytest.mark.django_db(transaction=True, reset_sequences=True)
@pytest.mark.parametrize("mutation", [m for m in MUTATIONS if not m.week_alone], ids=lambda mutation: mutation.name)
def test_a_planted_fault_is_complained_about_in_a_simulated_clinic(
    mutation: Mutation, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each month's end and at the last moment: what was wrong in between may be over by then."""
    settings.DEMO = True
    monkeypatch.setattr(reports, "HOWS", TROUBLE)
    monkeypatch.setattr(reports, "CORRECTED", 0.3)
    with mutation.planted():
        lived = year.run(year.Wanted(procedures=60, days=40, seed=7), tmp_path, check=judge.judge)
    found = {code for report in lived.reports for code in report.codes}
    assert mutation.codes & found, f"{mutation.breaks}: only {sorted(found)}"


def test_the_document_names_every_planted_fault_and_every_complaint() -> None:
    text = Path("docs/proof.md").read_text("utf-8")
    for mutation in MUTATIONS:
        codes = ", ".join(f"`{code}`" for code in sorted(mutation.codes))
        assert f"| `{mutation.name}` | {mutation.breaks} | {codes} |" in text
        assert (f"`{mutation.name}`: {mutation.week_alone}" in text) == bool(mutation.week_alone)
    assert set(DISTURBED) <= set(re.findall(r"`([a-z]+\.[a-z_]+)`", text))
