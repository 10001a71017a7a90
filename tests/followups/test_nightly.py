"""The daily check: once a day, what it finds, what it repairs, and what it says of it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clinic import clock
from clinic.models import AuditEntry, Heartbeat, PeriodicRun
from followups import reconcile, tasks
from followups.models import FollowUp
from followups.services import nightly
from procedures.models import Procedure
from tests import make
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def planned_case(**extra: Any) -> Procedure:
    """A requested case with the plan that reconcile makes of it."""
    row = make.procedure(**extra)
    reconcile.procedure(row.pk)
    return row


def run() -> nightly.NightlyReport:
    report = nightly.check(replan=reconcile.procedure)
    assert report.left_over == 0
    return report


def test_a_sound_clinic_has_nothing_to_report() -> None:
    planned_case()
    planned_case(status="scheduled")
    report = run()
    assert (report.checked, report.replanned, report.violations, report.open_faults) == (2, 2, {}, 0)
    assert not AuditEntry.objects.filter(action="invariant.violated").exists()


def test_it_runs_once_a_day_however_often_it_is_asked() -> None:
    planned_case()
    now = clock.now()
    assert nightly.run(now=now, replan=reconcile.procedure) is not None
    assert nightly.run(now=now, replan=reconcile.procedure) is None
    assert nightly.run(now=now + DAY, replan=reconcile.procedure) is not None
    assert Heartbeat.objects.get(name="nightly").data["checked"] == 1


def test_the_day_is_the_clinics(settings: Any) -> None:
    settings.CLINIC_ZONE = "America/New_York"
    assert nightly.claim(datetime(2026, 11, 21, 4, tzinfo=UTC)) is not None
    assert PeriodicRun.objects.get().slot == "2026-11-20"


def test_a_run_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()

    def broken(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(nightly, "check", broken)
    with pytest.raises(RuntimeError):
        nightly.run(now=now, replan=reconcile.procedure)
    monkeypatch.undo()
    assert nightly.run(now=now, replan=reconcile.procedure) is not None


def break_closed_with_promise(row: Procedure) -> None:
    Procedure.objects.filter(pk=row.pk).update(closed_at=clock.now())


def break_open_without_promise(row: Procedure) -> None:
    FollowUp.objects.filter(procedure=row).update(closed_at=clock.now(), closed_because="kept", next_action_at=None)


def break_plan_behind_facts(row: Procedure) -> None:
    Procedure.objects.filter(pk=row.pk).update(planned_version=0)


def break_plan_drifted(row: Procedure) -> None:
    FollowUp.objects.filter(procedure=row).update(due_at=clock.now() + 99 * DAY)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (break_closed_with_promise, ["closed_with_promise", "closed_before_its_end"]),
        (break_open_without_promise, ["open_without_promise"]),
        (break_plan_behind_facts, ["plan_behind_facts"]),
        (break_plan_drifted, ["plan_drifted"]),
    ],
)
def test_each_fault_is_found_repaired_and_reported(
    damage: Any, what: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    sound, broken = planned_case(), planned_case()
    before = nightly._fingerprint(broken.pk)
    damage(broken)
    with caplog.at_level(logging.ERROR):
        report = run()
    entry = AuditEntry.objects.get(action="invariant.violated")
    assert report.violations == dict.fromkeys(what, 1)
    assert report.open_faults == 0
    assert nightly._fingerprint(broken.pk) == before
    assert (entry.subject_id, entry.patient_id) == (broken.pk, broken.patient_id)
    assert entry.data == {"what": what, "repaired": True}
    assert f"procedure {broken.pk}" in caplog.text
    assert f"procedure {sound.pk}" not in caplog.text
    assert run().violations == {}


def test_what_cannot_be_repaired_is_said_as_well() -> None:
    broken = planned_case()
    break_open_without_promise(broken)

    def cannot(_pk: int) -> None:
        raise ZeroDivisionError

    report = nightly.check(replan=cannot)
    assert (report.set_aside, report.open_faults) == (1, 1)
    assert AuditEntry.objects.get(action="invariant.violated").data["repaired"] is False


def test_facts_that_change_meanwhile_are_no_fault() -> None:
    row = planned_case()
    before = nightly._fingerprint(row.pk)

    def replan(pk: int) -> None:
        Procedure.objects.filter(pk=pk).update(status="cancelled", ended_at=clock.now(), facts_version=2)
        reconcile.procedure(pk)

    assert nightly.check(replan=replan).violations == {}
    assert nightly._fingerprint(row.pk) != before


def test_a_closed_case_is_not_planned_again() -> None:
    row = factory.case(status="cancelled", ended_at=clock.now(), closed_at=clock.now())
    assert row.closed_at is not None
    assert run().replanned == 0


def test_the_task_does_the_daily_check() -> None:
    planned_case()
    tasks.nightly()
    assert Heartbeat.objects.get(name="nightly").data["replanned"] == 1


def test_the_other_task_does_one_pass() -> None:
    tasks.tick()
    assert Heartbeat.objects.filter(name="engine").exists()
