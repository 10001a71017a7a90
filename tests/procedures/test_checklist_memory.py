"""What is remembered of a checklist is what would be read: until a fact changes, an answer expires or a day begins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.memory import Memory
from procedures import events
from procedures.domain.checklist import Status
from procedures.models import Answer, Procedure
from procedures.selectors import checklist_memory, checklists
from tests import checked, make
from tests.factories.work import DAY, HOUR, NOW

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def case() -> Procedure:
    """Booked, with the first few questions answered."""
    found = make.procedure(status="scheduled", starts=NOW + DAY)
    checked.answer(found, minimum=True)
    return again(found)


def again(found: Procedure) -> Procedure:
    return Procedure.objects.select_related("protocol_version", "patient", "room").get(pk=found.pk)


def answer(found: Procedure, **more: Any) -> None:
    """The next open question, straight to the database: the case is not told."""
    question = next(q for q in checklists.state_of(found, NOW).questions if q.status is Status.MISSING)
    newest = found.checklists.order_by("-number")[0]
    Answer.objects.create(
        checklist=newest, question=question.question.code, state="unknown", answered_at=NOW - HOUR, **more
    )


def test_what_has_not_changed_costs_no_query() -> None:
    cases = [case(), again(make.procedure(status="scheduled", starts=NOW + DAY))]
    expected = checklists.summary(cases, NOW)
    assert checklist_memory.summary(cases, NOW) == expected
    with CaptureQueriesContext(connection) as found:
        assert checklist_memory.summary(cases, NOW) == expected
    assert len(found) == 0


def test_a_fact_that_changes_is_read() -> None:
    found = case()
    before = checklist_memory.summary([found], NOW)[found.pk]
    answer(found)
    assert checklist_memory.summary([again(found)], NOW)[found.pk] == before  # nobody has said that anything changed
    events.changed(found)
    after = checklist_memory.summary([again(found)], NOW)[found.pk]
    assert after == checklists.summary([found], NOW)[found.pk]
    assert after.unanswered == before.unanswered - 1


def test_an_answer_expires_at_its_moment_and_not_before() -> None:
    found, until = case(), NOW + 3 * HOUR
    answer(found, valid_until=until)
    answer(found, valid_until=until + HOUR)
    for moment in (NOW, until - TICK, until, until + TICK, until + 2 * HOUR, NOW):
        said = checklist_memory.summary([found], moment)[found.pk]
        assert said == checklists.summary([found], moment)[found.pk], moment
    assert [checklist_memory.summary([found], until + n * TICK)[found.pk].expired for n in (0, 1)] == [0, 1]


def test_a_memory_forgets_the_oldest() -> None:
    memory = Memory[int](2)
    for key in range(3):
        memory.keep(key, key)
    assert [memory.get(key) for key in range(3)] == [None, 1, 2]


def test_a_case_that_is_put_out_while_another_is_read_is_not_taken_for_one_that_nobody_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The memory is full: what is read for one case of a list puts out what is remembered of its neighbour."""
    begun, other = case(), case()
    monkeypatch.setattr(checklist_memory, "_READ", Memory(1))
    assert set(checklist_memory.rounds([begun])) == {begun.pk}
    assert set(checklist_memory.rounds([begun, other])) == {begun.pk, other.pk}
