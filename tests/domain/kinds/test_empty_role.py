from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clinic.roles import Role
from followups.domain import closing, planner
from followups.domain.engine_facts import ClinicFacts
from followups.domain.kinds import Closed, Kind, Subject

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


def test_a_clinic_in_which_somebody_answers_for_every_role_owes_nothing() -> None:
    assert planner.plan(ClinicFacts(at=NOW), Subject.CLINIC) == ()


def test_each_empty_role_is_a_critical_promise_of_the_administrators() -> None:
    director, nurse = planner.plan(ClinicFacts(at=NOW, empty_roles=(Role.NURSE, Role.DIRECTOR)), Subject.CLINIC)
    assert [director.key, nurse.key] == ["empty_role:director", "empty_role:nurse"]
    assert (nurse.level, nurse.role, nurse.start_at) == ("critical", Role.ADMINISTRATOR, NOW)


def test_a_role_that_stays_empty_keeps_its_promise_as_it_is() -> None:
    first = planner.plan(ClinicFacts(at=NOW, empty_roles=(Role.NURSE,)), Subject.CLINIC)
    later = ClinicFacts(at=NOW + timedelta(days=2), empty_roles=(Role.NURSE,), open_since={"nurse": NOW})
    assert planner.plan(later, Subject.CLINIC) == first


def test_it_ends_kept_when_somebody_answers() -> None:
    assert closing.because(Kind.EMPTY_ROLE, {"role": "nurse"}, ClinicFacts(at=NOW)) is Closed.KEPT
