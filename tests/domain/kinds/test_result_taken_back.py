"""A result that a laboratory took back."""

from __future__ import annotations

import pytest

from followups.domain import closing, kinds
from followups.domain import facts as f
from followups.domain.kinds import Closed, Kind
from tests.domain.cases import NOON, case, hours, only
from tests.domain.cases import kinds as kinds_of


def back(why: str, *involved: int) -> f.ProcedureFacts:
    gone = f.TakenBackFact(version_id=5, test="csf_glucose", why=why, at=NOON + hours(9), involved=frozenset(involved))
    return case(taken_back=(gone,))


def test_another_patients_result_is_critical_even_if_nobody_acted_on_it() -> None:
    promise = only(back("wrong_patient"))
    assert (promise.kind, promise.level, promise.responsible_id) == (Kind.RESULT_TAKEN_BACK, "critical", 7)
    assert promise.due_at == NOON + hours(9) + hours(case().protocol.review_hours["critical"])


@pytest.mark.parametrize("why", ["deleted", "misplaced"])
def test_one_that_was_deleted_asks_only_when_somebody_had_acted_on_it(why: str) -> None:
    assert kinds_of(back(why)) == []
    promise = only(back(why, 8, 7))
    assert (promise.level, promise.about["involved"]) == ("abnormal", [7, 8])


def test_it_is_kept_when_somebody_says_what_was_done() -> None:
    about = only(back("wrong_patient")).about
    assert closing.because(Kind.RESULT_TAKEN_BACK, about, case()) is Closed.KEPT
    assert closing.because(Kind.RESULT_TAKEN_BACK, about, back("wrong_patient")) is Closed.NO_LONGER_NEEDED


def test_each_reason_has_its_own_sentence() -> None:
    spec = kinds.of(Kind.RESULT_TAKEN_BACK)
    assert len({str(spec.line_of({"why": why}, "")) for why in ("wrong_patient", "deleted", "misplaced")}) == 3
