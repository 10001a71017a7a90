"""Two people who sign as the second person at the same moment: one signs, the other is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict
from clinic.roles import Role
from procedures.domain.clearance import Decision
from procedures.models import ClearanceDecision, ClearanceSignature, Procedure
from procedures.selectors import clearance as selector
from procedures.services import checklist_rows, clearance, rulesets
from procedures.services.clearance import Wish
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


def decided() -> ClearanceDecision:
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    case = make.procedure("lumbar_puncture", status="scheduled")
    checklist_rows.add_medicine(actor=make.actor(), procedure=case, name="Apixaban", status="ongoing")
    found = selector.of(case, clock.now())
    assert found is not None
    wish = Wish(
        decision=Decision.PROCEED,
        keys=[stood.finding.key for stood in found.uncleared],
        seen=found.digest,
        reason="Cannot wait",
    )
    return clearance.decide(actor=make.actor(Role.PHYSICIAN), procedure=case, wish=wish)


def sign_at_once(row: ClearanceDecision) -> list[str]:
    """What became of each of the two attempts."""
    people = [make.actor(Role.PHYSICIAN), make.actor(Role.DIRECTOR)]
    start = Barrier(2, timeout=10)

    def sign(actor: Actor) -> str:
        try:
            start.wait()
            clearance.sign(actor=actor, decision=ClearanceDecision.objects.get(pk=row.pk))
        except (Conflict, IntegrityError) as refused:
            return type(refused).__name__
        finally:
            connection.close()
        return "signed"

    with ThreadPoolExecutor(2) as pool:
        return sorted(attempt.result(timeout=30) for attempt in [pool.submit(sign, person) for person in people])


def test_one_signs_and_the_other_is_told() -> None:
    assert sign_at_once(decided()) == ["Conflict", "signed"]
    assert ClearanceSignature.objects.count() == 1


def test_without_the_lock_only_the_database_refuses_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same race when both have looked before either signs: if nothing is refused here, the race proves nothing."""
    both_have_looked = Barrier(2, timeout=10)

    def only_look(procedure: Procedure) -> Procedure:
        return Procedure.objects.get(pk=procedure.pk)

    def owed(*_: Any) -> bool:
        both_have_looked.wait()
        return True

    row = decided()
    monkeypatch.setattr(clearance.slots, "lock_case", only_look)
    monkeypatch.setattr(clearance, "is_owed", owed)
    assert sign_at_once(row) == ["IntegrityError", "signed"]
    assert ClearanceSignature.objects.count() == 1
