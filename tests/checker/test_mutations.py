"""The checker finds what is broken on purpose: each planted fault lives through a week, and is complained about."""

from __future__ import annotations

import pytest

from tests.checker import week
from tests.checker.mutations import MUTATIONS, Mutation

#: In the suite one of each kind: the planner, the engine, the sender. The others take as long each.
QUICK = {"corrections_forgotten", "repeat_stands", "sent_twice"}

pytestmark = pytest.mark.django_db


def _marked(mutation: Mutation) -> object:
    marks = () if mutation.name in QUICK else (pytest.mark.proof,)
    return pytest.param(mutation, id=mutation.name, marks=marks)


@pytest.mark.parametrize("mutation", [_marked(mutation) for mutation in MUTATIONS])
def test_a_planted_fault_is_complained_about(mutation: Mutation) -> None:
    with mutation.planted(), week.told(mutation.part):
        report = week.check()
    assert mutation.codes & report.codes, f"{mutation.breaks}: only {sorted(report.codes)}"
