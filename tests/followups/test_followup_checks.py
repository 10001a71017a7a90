"""What is wrong with the ladders or the wiring is said at the start."""

from __future__ import annotations

import pytest

from followups import checks, receivers
from followups.domain.ladder import LadderError
from followups.services import ladders
from procedures.events import facts_changed


def test_the_product_as_it_stands_passes() -> None:
    assert checks.ladders_are_valid() == []
    assert checks.facts_are_heard() == []


def test_each_fault_of_the_ladders_is_its_own_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise LadderError("escalation.toml: a: wrong\nescalation.toml: b: wrong")

    monkeypatch.setattr(ladders, "load", broken)
    assert [error.msg for error in checks.ladders_are_valid()] == [
        "escalation.toml: a: wrong",
        "escalation.toml: b: wrong",
    ]


def test_a_receiver_that_is_missing_is_noticed() -> None:
    facts_changed.disconnect(dispatch_uid="followups.reconcile")
    try:
        assert [error.id for error in checks.facts_are_heard()] == ["followups.E002"]
    finally:
        facts_changed.connect(receivers.reconcile_on_change, dispatch_uid="followups.reconcile")
