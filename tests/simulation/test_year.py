"""A clinic's year, small: it runs through, it is the same twice, and what goes wrong with machines loses nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinic import clock
from clinic.errors import Conflict
from clinic.models import Absence
from followups.domain.kinds import Kind
from followups.engine import PassReport
from followups.models import FollowUp, Message
from followups.services import nightly
from followups.simulation import digest, fates, faults, hands, judge, year
from followups.simulation.closing import doubled
from followups.simulation.options import FAULTS, faults_of
from followups.simulation.passing import Passing
from followups.simulation.world import World
from procedures.models import InboundMessage, Patient, Procedure
from procedures.services import bookings


@pytest.fixture(autouse=True)
def simulated(settings: Any) -> None:
    settings.DEMO = True


def a_few(folder: Path, **more: Any) -> year.Year:
    return year.run(year.Wanted(**{"procedures": 6, "days": 12, "seed": 5, **more}), folder)


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_a_few_days_pass_with_laboratory_engine_and_people(tmp_path: Path) -> None:
    made = a_few(tmp_path)
    assert Procedure.objects.count() == 6
    assert Procedure.objects.filter(status="completed").exists()
    assert InboundMessage.objects.filter(state="done").exists()
    assert FollowUp.objects.filter(closed_because="kept").exists()
    assert Absence.objects.filter(accepted_at__isnull=False).exists()
    sent = set(Message.objects.filter(state="sent").values_list("key", flat=True))
    assert {row.key for row in made.accepted} == sent
    assert made.doubled == 0
    assert nightly.violations() == {}
    assert not FollowUp.objects.filter(kind="plan_failed").exists()


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_a_patient_whose_first_request_is_refused_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    request = bookings.request

    def sometimes(*, patient: Patient, **more: Any) -> Procedure:
        asked.append(patient.pk)
        if len(asked) % 2:
            raise Conflict("Nobody covers")
        return request(patient=patient, **more)

    monkeypatch.setattr(bookings, "request", sometimes)
    made = a_few(tmp_path, procedures=4, days=8, faults=frozenset())
    known = {patient.pk for patient in made.world.patients}
    assert known
    assert known == set(Patient.objects.values_list("pk", flat=True))
    assert len(known) < len(set(asked))
    assert [what for what in made.world.refused if "Nobody covers" in what] == ["story: Conflict: Nobody covers"]


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_a_promise_about_nothing_fails_the_year_and_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_for(*_: Any) -> None:
        raise Patient.DoesNotExist("not there")

    monkeypatch.setitem(hands.HANDS, Kind.REVIEW_RESULT, looked_for)
    made = a_few(tmp_path, procedures=4, faults=frozenset())
    assert set(made.world.baseless) == {"review_result: not there"}
    assert made.world.time.now >= made.wanted.begin + timedelta(days=12)
    assert not made.content


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_same_seed_makes_the_same_year_twice(tmp_path: Path) -> None:
    def made(seed: int, name: str) -> dict[str, str]:
        call_command("flush", interactive=False, reset_sequences=True, verbosity=0)
        folder = tmp_path / name
        folder.mkdir()
        a_few(folder, procedures=3, days=8, seed=seed)
        return digest.by_table()

    first = made(2, "first")
    assert made(2, "again") == first


@pytest.mark.first
@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_a_twentieth_of_a_year_with_every_fault_in_the_process(tmp_path: Path) -> None:
    faults = frozenset(FAULTS) - {"database_restarted"}
    made = a_few(tmp_path, procedures=500, days=14, look=timedelta(minutes=30), faults=faults)
    assert made.failed == []
    assert made.world.baseless == []
    assert {fault.name for fault in made.injected} == set(FAULTS) - {"database_restarted"}
    assert len(doubled(made)) <= sum(fault.figures.get("after", 0) for fault in made.injected)
    assert made.doubled == len(doubled(made))
    assert nightly.violations() == {}
    report = judge.judge(made, made.world.now)
    assert report.content, "\n".join(report.lines())


def test_the_same_seed_draws_the_same_fate_and_another_seed_another_one() -> None:
    def drawn(seed: int) -> list[fates.Fate]:
        return [fates.draw(World.rng_of(seed, "case", number)) for number in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_every_fault_has_its_injector() -> None:
    assert set(FAULTS) == set(faults.NAMES)
    assert faults_of("all") == set(FAULTS)
    assert faults_of("none") == frozenset()


def test_an_unknown_fault_is_named() -> None:
    with pytest.raises(CommandError, match="unknown: fire"):
        call_command("simulate", "--faults", "fire")


# --- time ----------------------------------------------------------------------------------------


def test_the_clock_is_held_in_a_block_and_only_in_a_demonstration(settings: Any) -> None:
    moment = datetime.fromisoformat("2025-03-09T06:59:00+00:00")
    with clock.held(lambda: moment):
        assert clock.now() == clock.real_now() == moment
    assert clock.real_now() > moment
    settings.DEMO = False
    with pytest.raises(RuntimeError), clock.held(lambda: moment):
        pass


@pytest.mark.django_db
def test_both_changes_of_the_clocks_lie_in_a_year_and_the_first_in_any_part_of_one() -> None:
    for days in (10, 40, 365):
        begin = year.Wanted(days=days).begin
        assert begin.date() < year.SPRING <= begin.date() + timedelta(days=days)
    begin = year.Wanted().begin
    assert begin.date() + timedelta(days=365) > date(2025, 11, 2)


@pytest.mark.django_db
def test_the_engine_looks_on_its_grid_through_the_hour_that_is_missing() -> None:
    begin = year.Wanted(days=10).begin
    passing = Passing(begin, begin + timedelta(days=10), look=year.LOOK)
    looks: list[datetime] = []

    def looked(now: datetime) -> PassReport:
        looks.append(now)
        return PassReport()

    passing.pass_by = looked

    def waits() -> Any:
        yield begin + timedelta(days=9)

    passing.add(waits())
    passing.run(lambda moment: None)
    assert len(looks) == (9 * 24 - 1) // 6  # nothing is due: no less than every six hours
    assert {(look - passing.begin) % year.LOOK for look in looks} == {timedelta(0)}
    assert passing.now == begin + timedelta(days=9)
