"""What is remembered of a checklist is what would be read: until a fact changes, an answer expires or a day begins."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from procedures import events
from procedures.models import Answer, Procedure
from procedures.selectors import checklist_memory, checklists
from tests import checked, make
from tests.factories.work import DAY, HOUR, NOW

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def case() -> Procedure:
    found = make.procedure(status="scheduled", starts=NOW + DAY)
    checked.answer(found)
    return again(found)


def again(found: Procedure) -> Procedure:
    return Procedure.objects.select_related("protocol_version", "patient", "room").get(pk=found.pk)


def test_what_has_not_changed_costs_no_query() -> None:
    one, other = case(), make.procedure(status="scheduled", starts=NOW + DAY)
    first = checklist_memory.summary([one, again(other)], NOW)
    with CaptureQueriesContext(connection) as found:
        assert checklist_memory.summary([one, again(other)], NOW) == first == checklists.summary([one, other], NOW)
    assert len(found) == 1  # the case itself


def test_a_fact_that_changes_is_read() -> None:
    found = case()
    before = checklist_memory.summary([found], NOW)[found.pk]
    Answer.objects.filter(checklist__procedure=found).update(confirmed=False)
    assert checklist_memory.summary([again(found)], NOW)[found.pk] == before  # nobody has said that anything changed
    events.changed(found)
    fresh = again(found)
    after = checklist_memory.summary([fresh], NOW)[found.pk]
    assert after == checklists.summary([fresh], NOW)[found.pk] != before


def test_an_answer_expires_at_its_moment_and_not_before() -> None:
    found = case()
    until = NOW + 3 * HOUR
    Answer.objects.filter(checklist__procedure=found).update(valid_until=until)
    events.changed(found)
    fresh = again(found)
    for moment in (NOW, until - TICK, until, until + TICK, until + HOUR, NOW):
        said = checklist_memory.summary([fresh], moment)[found.pk]
        assert said == checklists.summary([fresh], moment)[found.pk], moment
    assert checklist_memory.summary([fresh], until)[found.pk].expired == 0
    assert checklist_memory.summary([fresh], until + TICK)[found.pk].expired > 0


def test_a_memory_forgets_the_oldest() -> None:
    memory = checklist_memory.Memory[int](2)
    for key in range(3):
        memory.keep(key, key)
    assert [memory.get(key) for key in range(3)] == [None, 1, 2]
