"""Results by hand: immutable versions, graded at once, never lost and never guessed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.domain import versions
from procedures.models import LabTest, Procedure, ResultVersion
from procedures.selectors import results as selectors
from procedures.services import labs, results
from procedures.services.labs import Tube
from tests import make

pytestmark = pytest.mark.django_db

CELLS = {"nucleated_cells": {"value": 500, "unit": "/uL"}, "pmn_percent": {"value": 50, "unit": "%"}}
QUIET = {"nucleated_cells": {"value": 100, "unit": "/uL"}, "pmn_percent": {"value": 10, "unit": "%"}}


@pytest.fixture
def nurse() -> Actor:
    return make.actor(Role.NURSE)


def case(code: str = "paracentesis") -> Procedure:
    return make.procedure(code, status="completed", starts=clock.now() - timedelta(hours=5))


def taken(procedure: Procedure, code: str, *, hours_ago: float = 3) -> LabTest:
    """An ordered test whose specimen was taken."""
    actor = Actor.system("tests")
    labs.add_test(procedure=procedure, code=code, actor=actor)
    test = procedure.tests.get(code=code)
    tube = Tube(container=test.container, tests=(test.pk,))
    at = clock.now() - timedelta(hours=hours_ago)
    labs.collect(procedure=procedure, tubes=[tube], collected_at=at, actor=actor)
    return procedure.tests.select_related("procedure").get(pk=test.pk)


def ago(**span: float) -> datetime:
    return clock.now() - timedelta(**span)


def protein(test: LabTest, value: float, status: str = "final", **extra: Any) -> ResultVersion:
    return results.enter(test=test, status=status, values={"protein": {"value": value, "unit": "g/dL"}}, **extra)


def current(test: LabTest) -> ResultVersion | None:
    return versions.current(test.versions.all())


# --- versions -------------------------------------------------------------------------------


def test_versions_are_immutable_also_from_sql(nurse: Actor) -> None:
    version = protein(taken(case(), "ascites_protein"), 2.0, actor=nurse)
    for statement in (
        "UPDATE procedures_resultversion SET level = 'normal' WHERE id = %s",
        "DELETE FROM procedures_resultversion WHERE id = %s",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [version.pk])
    assert ResultVersion.objects.filter(pk=version.pk).exists()


def test_a_number_is_used_once(nurse: Actor) -> None:
    version = protein(taken(case(), "ascites_protein"), 2.0, actor=nurse)
    with pytest.raises(IntegrityError), transaction.atomic():
        ResultVersion.objects.create(
            test_id=version.test_id, number=1, status="final", level="normal",
            reported_at=clock.now(), arrived_at=clock.now(),
        )  # fmt: skip


def test_a_preliminary_a_final_and_a_correction_follow_each_other(nurse: Actor) -> None:
    test = taken(case(), "ascites_culture")
    steps = [("preliminary", "no_growth_so_far"), ("final", "no_growth")]
    for status, growth in steps:
        results.enter(test=test, status=status, values={"growth": {"value": growth}}, actor=nurse)
        test.refresh_from_db()
        assert test.status == status
    corrected = results.enter(
        test=test, status="corrected", values={"growth": {"value": "growth"}, "organism": {"value": "E. coli"}},
        change_reason="late growth", read_back={"value": "growth"}, actor=nurse,
    )  # fmt: skip
    test.refresh_from_db()
    assert (test.status, corrected.number, corrected.level) == ("corrected", 3, "critical")
    assert [v.number for v in test.versions.all()] == [1, 2, 3]


def test_a_correction_says_what_was_corrected(nurse: Actor) -> None:
    test = taken(case(), "ascites_protein")
    protein(test, 2.0, actor=nurse)
    with pytest.raises(results.Unreadable) as refused:
        protein(test, 3.0, "corrected", actor=nurse)
    assert [p.field for p in refused.value.problems] == ["change_reason"]
    assert test.versions.count() == 1


def test_a_correction_whose_final_was_never_recorded_is_not_refused(nurse: Actor) -> None:
    test = taken(case(), "ascites_protein")
    protein(test, 3.0, "corrected", change_reason="dilution", actor=nurse)
    test.refresh_from_db()
    assert test.status == "corrected"


def test_a_preliminary_that_arrives_after_the_final_is_kept_and_does_not_count(nurse: Actor) -> None:
    test = taken(case(), "ascites_protein")
    final = protein(test, 2.0, actor=nurse, reported_at=ago(hours=1))
    late = protein(test, 9.0, "preliminary", actor=nurse, reported_at=ago(minutes=5))
    test.refresh_from_db()
    assert late.number == 2 and current(test) == final and test.status == "final"


def test_of_two_finals_the_later_report_counts_whatever_arrived_first(nurse: Actor) -> None:
    test = taken(case(), "ascites_protein")
    newer = protein(test, 2.0, actor=nurse, reported_at=ago(hours=1))
    with pytest.raises(results.NeedsConfirmation) as asked:
        protein(test, 3.0, actor=nurse, reported_at=ago(hours=2))
    assert [d.code for d in asked.value.doubts] == [results.SECOND_FINAL]
    protein(test, 3.0, actor=nurse, reported_at=ago(hours=2), confirmed=[results.SECOND_FINAL])
    assert current(test) == newer


@pytest.mark.parametrize("state", ["ordered", "cancelled"])
def test_a_result_is_never_refused_because_an_earlier_step_was_not_recorded(nurse: Actor, state: str) -> None:
    procedure = case()
    labs.add_test(procedure=procedure, code="ascites_protein", actor=nurse)
    test = procedure.tests.get()
    if state == "cancelled":
        labs.cancel_test(test=test, reason="by mistake", actor=nurse)
    protein(test, 2.0, actor=nurse)
    test.refresh_from_db()
    assert test.status == "final" and test.received_at is not None


def test_the_second_click_makes_no_second_version_and_another_persons_result_is_a_conflict(nurse: Actor) -> None:
    test = taken(case(), "ascites_protein")
    first = protein(test, 2.0, actor=nurse, after=0)
    assert protein(test, 2.0, actor=nurse, after=0) == first
    with pytest.raises(Conflict):
        protein(test, 4.0, actor=make.actor(Role.NURSE), after=0)
    assert test.versions.count() == 1


# --- withdrawn ------------------------------------------------------------------------------


def test_a_withdrawn_result_leaves_the_chart_stays_in_the_database_and_is_awaited_again(nurse: Actor) -> None:
    procedure = case()
    test = taken(procedure, "ascites_protein")
    protein(test, 9.9, actor=nurse)
    results.withdraw(test=test, reason="another patient's report", actor=nurse)
    test.refresh_from_db()
    side = selectors.side_by_side(test)
    assert current(test) is None and test.status == "received"
    assert (
        side.columns == ()
        and side.rows == ()
        and [v.change_reason for v in side.withdrawn] == ["another patient's report"]
    )
    assert test.versions.count() == 2
    assert procedure.follow_ups.filter(kind="awaited_result", closed_at__isnull=True).exists()
    assert AuditEntry.objects.filter(action="result.withdrawn").count() == 1


@pytest.mark.parametrize("minutes", [-30, 0, 30])
def test_what_is_entered_after_a_withdrawal_counts_whenever_it_was_reported(nurse: Actor, minutes: int) -> None:
    test = taken(case(), "ascites_protein")
    wrong = ago(hours=1)
    protein(test, 9.9, actor=nurse, reported_at=wrong)
    results.withdraw(test=test, reason="wrong patient", actor=nurse)
    right = protein(test, 2.0, actor=nurse, reported_at=wrong + timedelta(minutes=minutes))
    test.refresh_from_db()
    assert current(test) == right and test.status == "final"
    (column,) = selectors.side_by_side(test).columns
    assert column.stated_reported_at == wrong + timedelta(minutes=minutes)


def test_a_result_without_a_recorded_tube_can_be_withdrawn(nurse: Actor) -> None:
    procedure = case()
    labs.add_test(procedure=procedure, code="ascites_protein", actor=nurse)
    test = procedure.tests.get()
    protein(test, 2.0, actor=nurse)
    results.withdraw(test=test, reason="deleted by the laboratory", actor=nurse)
    test.refresh_from_db()
    assert test.status == "received"


def test_withdrawing_needs_a_reason_and_a_result(nurse: Actor) -> None:
    test = taken(case(), "ascites_protein")
    with pytest.raises(Conflict):
        results.withdraw(test=test, reason="x", actor=nurse)
    protein(test, 2.0, actor=nurse)
    with pytest.raises(Invalid):
        results.withdraw(test=test, reason=" ", actor=nurse)
    first = results.withdraw(test=test, reason="x", actor=nurse)
    assert results.withdraw(test=test, reason="x", actor=nurse) == first


# --- grading --------------------------------------------------------------------------------


def test_250_neutrophils_computed_from_cells_and_share_are_critical_on_a_preliminary(nurse: Actor) -> None:
    test = taken(case(), "ascites_cell_count")
    with pytest.raises(results.NeedsReadBack) as asked:
        results.enter(test=test, status="preliminary", values=CELLS, actor=nurse)
    assert {rule.code for rule in asked.value.matched} == {"pmn_250"}
    assert [p.field for p in asked.value.problems] == ["read_back.value"]
    version = results.enter(test=test, status="preliminary", values=CELLS, read_back={"value": "500"}, actor=nurse)
    assert version.level == "critical"
    assert version.calculated["ascites_pmn"]["value"] == 250
    assert [rule["code"] for rule in version.rules] == ["pmn_250"]
    assert version.rules[0]["source"] and version.rules[0]["approved_by"] == ""


def test_249_neutrophils_are_not(nurse: Actor) -> None:
    cells = {"nucleated_cells": {"value": 498, "unit": "/uL"}, "pmn_percent": {"value": 50, "unit": "%"}}
    test = taken(case(), "ascites_cell_count")
    assert results.enter(test=test, status="final", values=cells, actor=nurse).level == "normal"


def test_the_same_count_in_another_unit_is_the_same_count(nurse: Actor) -> None:
    cells = {"nucleated_cells": {"value": 0.5, "unit": "×10⁹/L"}, "pmn_percent": {"value": 50, "unit": "%"}}
    test = taken(case(), "ascites_cell_count")
    version = results.enter(test=test, status="final", values=cells, read_back={"value": "0.5"}, actor=nurse)
    assert version.level == "critical"


def test_an_unknown_unit_is_confirmed_kept_and_never_normal(nurse: Actor) -> None:
    cells = {**QUIET, "nucleated_cells": {"value": 100, "unit": "per field"}}
    test = taken(case(), "ascites_cell_count")
    with pytest.raises(results.NeedsConfirmation) as asked:
        results.enter(test=test, status="final", values=cells, actor=nurse)
    assert [d.code for d in asked.value.doubts] == [results.UNKNOWN_UNIT]
    version = results.enter(test=test, status="final", values=cells, actor=nurse, confirmed=[results.UNKNOWN_UNIT])
    assert version.level == "unknown" and version.values["nucleated_cells"]["unit"] == "per field"


def test_a_report_in_words_alone_is_kept_and_never_normal(nurse: Actor) -> None:
    version = results.enter(
        test=taken(case(), "ascites_cell_count"), status="final", text="Clotted, not counted.", actor=nurse
    )
    assert version.level == "unknown"


def test_what_the_laboratory_phones_is_critical_and_needs_the_whole_read_back(nurse: Actor) -> None:
    test = taken(case(), "ascites_protein")
    with pytest.raises(results.NeedsReadBack) as asked:
        protein(test, 2.0, phoned_critical=True, actor=nurse)
    assert {p.field for p in asked.value.problems} == {f"read_back.{n}" for n in ("caller", "receiver", "at", "value")}
    read_back = {"caller": "Dr Ruiz", "receiver": "N. Brandt", "at": clock.now().isoformat(), "value": "2"}
    version = protein(test, 2.0, phoned_critical=True, read_back=read_back, actor=nurse)
    assert version.level == "critical" and version.read_back == read_back


def test_a_second_check_that_differs_is_refused(nurse: Actor) -> None:
    with pytest.raises(results.NeedsReadBack) as asked:
        results.enter(
            test=taken(case(), "ascites_cell_count"), status="final", values=CELLS, read_back={"value": "50.0001"},
            actor=nurse,
        )  # fmt: skip
    assert [p.field for p in asked.value.problems] == ["read_back.value"]


def test_a_partner_value_that_arrives_later_makes_its_own_version_critical(nurse: Actor) -> None:
    procedure = case("lumbar_puncture")
    csf, serum = taken(procedure, "csf_glucose"), None
    first = results.enter(test=csf, status="final", values={"glucose": {"value": 60, "unit": "mg/dL"}}, actor=nurse)
    assert first.level != "critical"
    serum = procedure.tests.get(code="serum_glucose")
    tube = Tube(container=serum.container, tests=(serum.pk,))
    labs.collect(procedure=procedure, tubes=[tube], collected_at=csf.collected_at, actor=nurse)
    version = results.enter(
        test=serum, status="final", values={"glucose": {"value": 200, "unit": "mg/dL"}}, read_back={"value": "200"},
        actor=nurse,
    )  # fmt: skip
    assert version.level == "critical"
    assert version.calculated["csf_serum_glucose_ratio"]["value"] == 0.3
    first.refresh_from_db()
    assert first.level != "critical"  # what was said then stays
    judgement = selectors.judged_now(csf)
    assert judgement is not None and judgement.level == "critical"


def test_calculations_are_made_when_read_and_say_why_they_are_not(nurse: Actor) -> None:
    procedure = case()
    fluid = taken(procedure, "ascites_albumin")

    def saag() -> selectors.ComputedRow:
        return next(row for row in selectors.computed(procedure) if row.code == "saag")

    assert saag().value is None and "Albumin" in saag().refused
    results.enter(test=fluid, status="final", values={"albumin": {"value": 11, "unit": "g/L"}}, actor=nurse)
    assert saag().value is None
    serum = procedure.tests.get(code="serum_albumin")
    tube = Tube(container=serum.container, tests=(serum.pk,))
    labs.collect(procedure=procedure, tubes=[tube], collected_at=ago(hours=2), actor=nurse)
    values = {"albumin": {"value": 3.1, "unit": "g/dL"}}
    results.enter(test=serum, status="preliminary", values=values, actor=nurse)
    assert saag().value is None and "preliminary" in saag().refused
    results.enter(test=serum, status="final", values=values, actor=nurse)
    assert (saag().value, saag().unit, saag().refused) == (2.0, "g/dL", "")


# --- what cannot be right -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"nucleated_cells": {"text": "many", "unit": "/uL"}}, "nucleated_cells"),
        ({"nucleated_cells": {"text": "1,200", "unit": "/uL"}}, "nucleated_cells"),
        ({"nucleated_cells": {"value": -1, "unit": "/uL"}}, "nucleated_cells"),
        ({"pmn_percent": {"value": 101, "unit": "%"}}, "pmn_percent"),
        ({"nucleated_cells": {"text": "9" * 400, "unit": "/uL"}}, "nucleated_cells"),
        ({"haemoglobin": {"value": 1}}, "haemoglobin"),
        ({}, "text"),
    ],
)
def test_impossible_values_are_refused_by_name_and_nothing_is_saved(
    nurse: Actor, values: dict[str, Any], field: str
) -> None:
    test = taken(case(), "ascites_cell_count")
    with pytest.raises(results.Unreadable) as refused:
        results.enter(test=test, status="final", values=values, actor=nurse)
    assert [p.field for p in refused.value.problems] == [field]
    assert not test.versions.exists()


def test_a_bound_is_kept_as_the_laboratory_gave_it(nurse: Actor) -> None:
    test = taken(case(), "ascites_cell_count")
    cells = {"nucleated_cells": {"text": "<5", "unit": "/uL"}, "pmn_percent": {"text": "0", "unit": "%"}}
    version = results.enter(test=test, status="final", values=cells, actor=nurse)
    assert version.values["nucleated_cells"] == {"value": 5, "unit": "/uL", "text": "<5", "comparator": "<"}
    assert version.level == "normal"


def test_a_report_from_the_future_is_refused_and_one_before_the_collection_is_confirmed(nurse: Actor) -> None:
    test = taken(case(), "ascites_protein", hours_ago=2)
    with pytest.raises(results.Unreadable) as refused:
        protein(test, 2.0, actor=nurse, reported_at=clock.now() + timedelta(minutes=2))
    assert [p.field for p in refused.value.problems] == ["reported_at"]
    with pytest.raises(results.NeedsConfirmation) as asked:
        protein(test, 2.0, actor=nurse, reported_at=ago(hours=3))
    assert [d.code for d in asked.value.doubts] == [results.BEFORE_COLLECTION]
    protein(test, 2.0, actor=nurse, reported_at=ago(hours=3), confirmed=[results.BEFORE_COLLECTION])
    assert test.versions.count() == 1


# --- side by side, and planned --------------------------------------------------------------


def test_versions_stand_side_by_side_with_what_changed(nurse: Actor) -> None:
    test = taken(case(), "ascites_cell_count")
    results.enter(test=test, status="preliminary", values=QUIET, actor=nurse)
    changed = {**QUIET, "nucleated_cells": {"value": 120, "unit": "/uL"}}
    results.enter(test=test, status="final", values=changed, actor=nurse)
    side = selectors.side_by_side(test)
    marks = {row.label: [cell.changed for cell in row.cells] for row in side.rows}
    assert [column.is_current for column in side.columns] == [False, True]
    assert [marks[row.label] for row in side.rows[:2]] == [[False, True], [False, False]]
    assert side.rows[0].cells[1].text == "120 /uL"


def test_a_result_asks_to_be_reviewed_and_survives_a_planner_that_fails(
    nurse: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from followups.domain import planner

    procedure = case()
    test = taken(procedure, "ascites_protein")
    protein(test, 2.0, actor=nurse)
    assert procedure.follow_ups.filter(kind="review_result", closed_at__isnull=True).count() == 1

    def broken(*_args: object) -> None:
        raise RuntimeError("no plan")

    monkeypatch.setattr(planner, "plan", broken)
    protein(test, 3.0, "corrected", change_reason="dilution", actor=nurse)
    assert test.versions.count() == 2
    assert procedure.follow_ups.filter(kind="plan_failed", closed_at__isnull=True).exists()
