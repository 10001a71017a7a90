"""A patient who may be written to gets a message at its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from clinic.roles import Role
from followups.domain import kinds as kinds_of
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Writes
from followups.domain.notices import Notice
from followups.domain.planner import plan
from tests.domain.cases import NOON, case

FORM = Notice(code="form", key="notice:form", start_at=NOON, due_at=NOON + timedelta(days=1))
SPEC = kinds_of.of(Kind.WRITE_TO_PATIENT)


def test_each_notice_is_promised_until_it_is_written() -> None:
    facts = replace(case(), notices=(FORM,))
    (promise,) = [p for p in plan(facts) if p.kind is Kind.WRITE_TO_PATIENT]
    assert (promise.key, promise.role, promise.start_at) == (FORM.key, Role.SCHEDULER, NOON)
    written = replace(facts, written=frozenset({FORM.key}))
    assert [p for p in plan(written) if p.kind is Kind.WRITE_TO_PATIENT] == []
    assert SPEC.kept(promise.about, written)
    assert not SPEC.kept(promise.about, facts)


def test_nothing_is_written_to_somebody_who_has_died() -> None:
    facts = replace(case(), notices=(FORM,), deceased=True)
    assert [p for p in plan(facts) if p.kind is Kind.WRITE_TO_PATIENT] == []


def test_the_form_carries_a_link_and_a_reminder_does_not() -> None:
    assert SPEC.writes is not None
    assert SPEC.writes({"notice": "form"}) == Writes("form", link="before")
    assert SPEC.writes({"notice": "appointment"}) == Writes("appointment")
