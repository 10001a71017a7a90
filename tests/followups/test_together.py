"""Facts that are written together are planned once, at the end; nothing else about planning is different."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from clinic.actor import Actor
from clinic.roles import Role
from followups.domain import planner
from followups.domain.kinds import Kind
from followups.models import FollowUp
from procedures import events
from procedures.models import Procedure
from procedures.services import bookings
from tests import make
from tests.pages import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Iterator[Counter[tuple[str, int, bool]]]:
    """What listeners hear: kind, key, strict; and how often."""
    heard: Counter[tuple[str, int, bool]] = Counter()

    def listen(subject_kind: str, subject_id: int, strict: bool, **_: Any) -> None:
        heard[subject_kind, subject_id, strict] += 1

    events.facts_changed.connect(listen)
    yield heard
    events.facts_changed.disconnect(listen)


def break_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> tuple:
        raise RuntimeError("no plan today")

    monkeypatch.setattr(planner, "plan", explode)


def is_planned(case: Procedure) -> bool:
    row = fresh(case)
    return row.planned_version == row.facts_version and FollowUp.objects.filter(procedure=case).exists()


def test_each_subject_is_planned_once_and_at_the_end(told: Counter[Any]) -> None:
    one, other = make.procedure(), make.procedure()
    with events.together():
        for case in (other, one, other):
            events.changed(case)
        assert not told and not is_planned(one)

    assert told == {("procedure", one.pk, False): 1, ("procedure", other.pk, False): 1}
    assert list(told) == sorted(told)  # in the order of their keys
    assert is_planned(one) and is_planned(other)
    assert fresh(other).facts_version == other.facts_version + 2


def test_without_a_block_everything_is_planned_at_once(told: Counter[Any]) -> None:
    case = make.procedure()
    events.changed(case)
    events.changed(case)
    assert told["procedure", case.pk, False] == 2


def test_a_block_inside_a_block_joins_it(told: Counter[Any]) -> None:
    case = make.procedure()
    with events.together():
        with events.together():
            events.changed(case)
        assert not told
        events.changed(case)
    assert told == {("procedure", case.pk, False): 1}


def test_a_series_is_planned_once_after_all_its_cases(told: Counter[Any]) -> None:
    series = make.series()
    cases = [series.taps.get(), make.procedure(series=series, series_place=2, patient=series.patient)]
    events.patient_changed(series.patient)
    assert list(told.items()) == [
        *((("procedure", case.pk, False), 1) for case in cases),
        (("series", series.pk, False), 1),
    ]


def test_a_block_that_raises_plans_nothing_and_undoes_everything(told: Counter[Any]) -> None:
    case = make.procedure()
    with pytest.raises(ValueError, match="half way"), events.together():
        events.changed(case)
        raise ValueError("half way")
    assert not told and fresh(case).facts_version == case.facts_version
    events.changed(case)  # and nothing waits any more
    assert told == {("procedure", case.pk, False): 1}


def test_what_an_inner_block_or_savepoint_took_back_is_not_planned(told: Counter[Any]) -> None:
    stands, inner, undone = (make.procedure() for _ in range(3))
    for case in (stands, inner, undone):
        events.changed(case)
    told.clear()
    with events.together():
        events.changed(stands)
        with pytest.raises(ValueError), events.together():
            events.changed(inner)
            raise ValueError
        with pytest.raises(ValueError), transaction.atomic():
            events.changed(undone)
            raise ValueError
    assert told == {("procedure", stands.pk, False): 1}


def test_a_case_whose_making_was_taken_back_is_no_failed_plan(told: Counter[Any]) -> None:
    with events.together():
        with pytest.raises(ValueError), transaction.atomic():
            events.changed(make.procedure())
            raise ValueError
        events.changed(stands := make.procedure())
    assert told == {("procedure", stands.pk, False): 1}


def test_one_strict_change_makes_the_plan_strict_and_a_failing_one_undoes_the_whole_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signed, other = make.procedure(), make.procedure()
    break_planner(monkeypatch)
    with pytest.raises(RuntimeError), events.together():
        Procedure.objects.filter(pk=other.pk).update(note="must not stand")
        events.changed(other)
        with events.together():
            events.changed(signed, strict=True)
        events.changed(signed)
    assert fresh(other).note == ""
    assert not FollowUp.objects.exists()


def test_a_plan_that_fails_otherwise_leaves_the_facts_and_somebody_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    case = make.procedure()
    with events.together():
        Procedure.objects.filter(pk=case.pk).update(note="a fact")
        events.changed(case)
        break_planner(monkeypatch)
    row = fresh(case)
    assert row.note == "a fact" and row.planned_version < row.facts_version
    assert FollowUp.objects.get(procedure=case).kind == Kind.PLAN_FAILED


def test_a_request_with_its_tests_is_planned_once(told: Counter[Any]) -> None:
    make.protocol_version("paracentesis")
    case = bookings.request(
        actor=Actor.person(make.user(Role.SCHEDULER)),
        patient=make.patient(),
        protocol="paracentesis",
        indication="malignancy",
        responsible=make.user(Role.PHYSICIAN),
    )
    assert case.tests.exists()
    assert told == {("procedure", case.pk, False): 1}
