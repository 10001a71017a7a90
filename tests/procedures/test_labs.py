"""Orders and tubes: each test has its own clock, and nothing that really happens is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.domain.states import LAB_TEST, TestStatus
from procedures.models import Laboratory, LabTest, Procedure, Specimen
from procedures.models.labs import LossCode, SpecimenLoss
from procedures.selectors import labs as selectors
from procedures.services import labs, results
from procedures.services.labs import Tube
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse() -> Actor:
    return make.actor(Role.NURSE)


def case(code: str = "paracentesis", **extra: object) -> Procedure:
    return make.procedure(code, status="completed", starts=clock.now() - timedelta(hours=3), **extra)


def ordered(procedure: Procedure, *codes: str) -> list[LabTest]:
    found = []
    for code in codes:
        labs.add_test(procedure=procedure, code=code, actor=Actor.system("tests"))
        found.append(procedure.tests.get(code=code))
    return found


def collected(procedure: Procedure, *codes: str, actor: Actor, hours_ago: float = 1) -> Specimen:
    tests = ordered(procedure, *codes)
    tube = Tube(container=tests[0].container, tests=tuple(t.pk for t in tests))
    at = clock.now() - timedelta(hours=hours_ago)
    return labs.collect(procedure=procedure, tubes=[tube], collected_at=at, actor=actor)[0]


def status(procedure: Procedure, code: str) -> str:
    return procedure.tests.get(code=code).status


# --- orders ---------------------------------------------------------------------------------


def test_the_indications_panel_is_ordered_with_the_partner_tests_it_needs(nurse: Actor) -> None:
    procedure = case()
    protocol = procedure.protocol_version.parsed
    created = labs.order_panel(procedure=procedure, actor=nurse)
    panel = protocol.panel(protocol.indication(procedure.indication).panel)
    assert set(panel.tests) <= {t.code for t in created}
    for test in created:
        data = protocol.test(test.code)
        assert set(data.needs) <= {t.code for t in created}
        assert (test.usual_hours, test.outer_hours, test.extended) == (
            data.usual_hours,
            data.outer_hours,
            data.extended,
        )


def test_ordering_twice_orders_once(nurse: Actor) -> None:
    procedure = case()
    first = labs.order_panel(procedure=procedure, actor=nurse)
    assert labs.order_panel(procedure=procedure, actor=nurse) == []
    assert procedure.tests.count() == len(first)


def test_a_test_brings_its_serum_partner(nurse: Actor) -> None:
    created = labs.add_test(procedure=case(), code="ascites_ldh", actor=nurse)
    assert {t.code for t in created} == {"ascites_ldh", "serum_ldh"}


def test_a_test_that_the_protocol_does_not_have_is_refused(nurse: Actor) -> None:
    with pytest.raises(Invalid):
        labs.add_test(procedure=case(), code="csf_protein", actor=nurse)


def test_a_cancelled_test_keeps_its_reason_and_may_be_ordered_anew(nurse: Actor) -> None:
    procedure = case()
    (test,) = ordered(procedure, "ascites_protein")
    with pytest.raises(Invalid):
        labs.cancel_test(test=test, reason="  ", actor=nurse)
    labs.cancel_test(test=test, reason="not needed", actor=nurse)
    test.refresh_from_db()
    assert (test.status, test.ended_reason) == ("cancelled", "not needed") and test.ended_at is not None
    assert [t.code for t in labs.add_test(procedure=procedure, code="ascites_protein", actor=nurse)] == [
        "ascites_protein"
    ]


def test_without_fluid_only_the_uncollected_tests_are_cancelled(nurse: Actor) -> None:
    procedure = case()
    collected(procedure, "ascites_cell_count", actor=nurse)
    ordered(procedure, "ascites_protein")
    gone = labs.cancel_uncollected(procedure=procedure, reason="no more fluid", actor=nurse)
    assert [t.code for t in gone] == ["ascites_protein"]
    assert status(procedure, "ascites_cell_count") == "collected"


# --- the clock ------------------------------------------------------------------------------


def test_the_clocks_run_from_collection_not_from_the_order(nurse: Actor) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_cell_count", "ascites_culture", actor=nurse, hours_ago=2)
    for test in procedure.tests.all():
        data = procedure.protocol_version.parsed.test(test.code)
        assert test.collected_at == specimen.collected_at
        assert test.due_at == specimen.collected_at + timedelta(hours=data.usual_hours)
        assert test.outer_at == specimen.collected_at + timedelta(hours=data.outer_hours)
    container = procedure.protocol_version.parsed.container(specimen.container)
    assert specimen.receipt_due_at == specimen.collected_at + timedelta(minutes=container.receipt_minutes)


@pytest.mark.parametrize(
    ("hours", "label"),
    [(0, "waiting"), (3.9, "waiting"), (4.1, "due"), (23.9, "due"), (24.1, "overdue"), (500, "overdue")],
)
def test_the_label_is_read_off_the_clock(nurse: Actor, hours: float, label: str) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_cell_count", actor=nurse)
    (row,) = selectors.tests_of(procedure, specimen.collected_at + timedelta(hours=hours))
    assert row.state == label


def test_a_long_test_waits_as_extended_and_a_preliminary_one_says_so(nurse: Actor) -> None:
    procedure = case()
    collected(procedure, "ascites_culture_anaerobic", "ascites_culture", actor=nurse)
    results.enter(
        test=procedure.tests.get(code="ascites_culture"), status="preliminary", actor=nurse,
        values={"growth": {"value": "no_growth_so_far"}},
    )  # fmt: skip
    states = {row.test.code: row.state for row in selectors.tests_of(procedure, clock.now())}
    assert states == {"ascites_culture_anaerobic": "extended", "ascites_culture": "preliminary"}
    late = clock.now() + timedelta(hours=400)
    assert {row.test.code: row.state for row in selectors.tests_of(procedure, late)}["ascites_culture"] == "overdue"


def test_the_tests_page_needs_the_same_queries_for_three_tests_and_for_twelve(
    nurse: Actor, django_assert_num_queries: object
) -> None:
    small, large = case(), case()
    collected(small, "ascites_cell_count", "ascites_culture", "ascites_protein", actor=nurse)
    codes = [t.code for t in large.protocol_version.parsed.tests if t.fluid == "ascites"][:12]
    collected(large, *codes, actor=nurse)
    for procedure in (small, large):
        procedure.protocol_version.parsed  # noqa: B018  (parsed once per process)
        with django_assert_num_queries(3):  # type: ignore[operator]
            rows = selectors.tests_of(procedure, clock.now())
            for row in selectors.specimens_of(procedure, rows, clock.now()):
                assert row.state and row.label and row.tests
            assert all(row.look for row in rows)


# --- collecting -----------------------------------------------------------------------------


def test_lumbar_tubes_carry_their_tests_as_the_laboratory_wants_them(nurse: Actor) -> None:
    procedure = case("lumbar_puncture")
    cells, culture = ordered(procedure, "csf_cell_count", "csf_culture")
    tubes = [
        Tube(container="csf_tube_1", tube_number=1, tests=(culture.pk,), volume_ml=Decimal("2.5"), label_checked=True),
        Tube(container="csf_tube_4", tube_number=4, tests=(cells.pk,), accession="A-17"),
    ]
    first, fourth = labs.collect(procedure=procedure, tubes=tubes, collected_at=clock.now(), actor=nurse)
    assert [t.code for t in first.tests.all()] == ["csf_culture"]  # not the usual tube 2
    assert (fourth.accession, fourth.label_checked, first.label_checked) == ("A-17", False, True)


def test_containers_are_suggested_from_the_tests_in_the_order_of_the_tubes(nurse: Actor) -> None:
    procedure = case("lumbar_puncture")
    ordered(procedure, "csf_cell_count", "csf_glucose", "csf_culture")
    rows = selectors.tests_of(procedure, clock.now())
    suggested = [c.code for c in selectors.suggested_tubes(procedure, rows, clock.now())]
    assert suggested == ["csf_tube_1", "csf_tube_2", "csf_tube_4", "serum_tube"]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_laboratory_number_is_on_one_tube_only(nurse: Actor, elsewhere: bool) -> None:
    procedure = case()
    tubes = [Tube(container="ascites_plain", tests=(), tube_number=n, accession="L-1") for n in (1, 2)]
    if elsewhere:
        labs.collect(procedure=case(), tubes=tubes[:1], collected_at=clock.now(), actor=nurse)
    with pytest.raises(labs.AccessionTaken, match="L-1") as refused:
        labs.collect(procedure=procedure, tubes=tubes, collected_at=clock.now(), actor=nurse)
    assert refused.value.row == (0 if elsewhere else 1)
    assert not procedure.specimens.exists()


def test_tubes_from_the_future_and_no_tube_at_all_are_refused(nurse: Actor) -> None:
    procedure = case()
    tube = Tube(container="ascites_plain", tests=())
    with pytest.raises(Invalid, match="future"):
        labs.collect(procedure=procedure, tubes=[tube], collected_at=clock.now() + timedelta(minutes=2), actor=nurse)
    with pytest.raises(Invalid):
        labs.collect(procedure=procedure, tubes=[], collected_at=clock.now(), actor=nurse)


def test_a_second_click_collects_nothing_twice(nurse: Actor) -> None:
    procedure = case()
    (test,) = ordered(procedure, "ascites_cell_count")
    at = clock.now()
    for tests in ((test.pk,), ()):
        tube = Tube(container="ascites_edta", tests=tests)
        labs.collect(procedure=procedure, tubes=[tube], collected_at=at, actor=nurse) if tests else None
        with pytest.raises(Conflict):
            labs.collect(procedure=procedure, tubes=[tube], collected_at=at, actor=nurse)
    assert procedure.specimens.count() == 1


def test_a_test_of_another_case_is_never_put_into_a_tube(nurse: Actor) -> None:
    (foreign,) = ordered(case(), "ascites_protein")
    procedure = case()
    with pytest.raises(Invalid):
        tube = Tube(container="ascites_plain", tests=(foreign.pk,))
        labs.collect(procedure=procedure, tubes=[tube], collected_at=clock.now(), actor=nurse)
    foreign.refresh_from_db()
    assert foreign.status == "ordered" and not procedure.specimens.exists()


def test_a_result_that_came_before_its_tube_was_recorded_keeps_its_state(nurse: Actor) -> None:
    procedure = case()
    (test,) = ordered(procedure, "ascites_protein")
    results.enter(test=test, status="final", actor=nurse, values={"protein": {"value": 2, "unit": "g/dL"}})
    tube = Tube(container="ascites_plain", tests=(test.pk,))
    (specimen,) = labs.collect(procedure=procedure, tubes=[tube], collected_at=clock.now(), actor=nurse)
    test.refresh_from_db()
    assert (test.status, test.specimen_id, test.collected_at) == ("final", specimen.pk, specimen.collected_at)


# --- on the way -----------------------------------------------------------------------------


def test_a_tube_is_handed_over_and_received_by_telephone(nurse: Actor) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_cell_count", actor=nurse)
    now = clock.now()
    labs.hand_over(procedure=procedure, specimens=[specimen.pk], to="Courier 7", at=now, actor=nurse)
    labs.receive(procedure=procedure, specimens=[specimen.pk], confirmed_by="Ms Ito", at=now, actor=nurse, counted=1)
    specimen.refresh_from_db()
    test = procedure.tests.get()
    assert (specimen.handed_over_to, specimen.received_note, specimen.received_at) == ("Courier 7", "Ms Ito", now)
    assert (test.status, test.received_at) == ("received", now)
    assert AuditEntry.objects.filter(action="specimen.received", patient_id=procedure.patient_id).count() == 1


def test_receipt_is_recorded_although_nobody_recorded_the_hand_over(nurse: Actor) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_cell_count", actor=nurse)
    labs.receive(procedure=procedure, specimens=[specimen.pk], confirmed_by="Ito", at=clock.now(), actor=nurse)
    assert status(procedure, "ascites_cell_count") == "received"


def test_the_laboratorys_count_must_be_the_number_of_tubes(nurse: Actor) -> None:
    procedure = case()
    tubes = [collected(procedure, code, actor=nurse).pk for code in ("ascites_cell_count", "ascites_culture")]
    with pytest.raises(Invalid, match="ticked 2, the laboratory counts 1"):
        labs.receive(procedure=procedure, specimens=tubes, confirmed_by="Ito", at=clock.now(), actor=nurse, counted=1)
    labs.receive(procedure=procedure, specimens=tubes[:1], confirmed_by="Ito", at=clock.now(), actor=nurse, counted=1)
    rows = selectors.specimens_of(procedure, selectors.tests_of(procedure, clock.now()), clock.now())
    count = selectors.reconciliation(rows)
    assert (count.collected, count.received, count.lost, count.open, count.unlabelled) == (2, 1, 0, 1, 2)


def test_a_tube_is_late_after_its_window_until_a_result_implies_receipt(nurse: Actor) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_protein", actor=nurse)
    late = specimen.receipt_due_at + timedelta(minutes=1)

    def row(now):  # type: ignore[no-untyped-def]
        return selectors.specimens_of(procedure, selectors.tests_of(procedure, now), now)[0]

    assert not row(specimen.receipt_due_at).late and row(late).late
    results.enter(
        test=procedure.tests.get(), status="final", actor=nurse, values={"protein": {"value": 2, "unit": "g/dL"}}
    )
    assert not row(late).late and row(late).state == "received"


@pytest.mark.parametrize(("loss", "expected"), [(SpecimenLoss.REJECTED, "rejected"), (SpecimenLoss.LOST, "lost")])
def test_a_loss_stops_its_tests_until_somebody_decides(nurse: Actor, loss: SpecimenLoss, expected: str) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_cell_count", actor=nurse)
    with pytest.raises(Invalid):
        labs.report_loss(specimen=specimen, loss=loss, reason="", actor=nurse)
    labs.report_loss(specimen=specimen, loss=loss, reason="clotted", actor=nurse)
    test = procedure.tests.get()
    assert (test.status, test.ended_reason) == (expected, "clotted") and test.ended_at is not None
    assert procedure.follow_ups.filter(kind="specimen_lost", closed_at__isnull=True).count() == 1


def test_a_recollected_test_starts_its_clock_again(nurse: Actor) -> None:
    procedure = case()
    old = collected(procedure, "ascites_cell_count", actor=nurse, hours_ago=2)
    labs.report_loss(specimen=old, loss=SpecimenLoss.REJECTED, reason="clotted", actor=nurse)
    test = procedure.tests.get()
    labs.decide_recollection(test=test, note="tap again today", actor=nurse)
    assert AuditEntry.objects.filter(action="test.recollection_decided").count() == 1
    tube = Tube(container=test.container, tests=(test.pk,))
    (new,) = labs.collect(procedure=procedure, tubes=[tube], collected_at=clock.now(), actor=nurse)
    test.refresh_from_db()
    assert (test.status, test.specimen_id, test.collected_at) == ("collected", new.pk, new.collected_at)
    assert test.ended_at is None and test.ended_reason == ""
    assert not procedure.follow_ups.filter(kind="specimen_lost", closed_at__isnull=True).exists()


def test_accepting_the_loss_cancels_the_test_with_a_reason(nurse: Actor) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_cell_count", actor=nurse)
    labs.report_loss(specimen=specimen, loss=SpecimenLoss.LOST, reason="not found", actor=nurse)
    labs.cancel_test(test=procedure.tests.get(), reason="patient declines another needle", actor=nurse)
    assert status(procedure, "ascites_cell_count") == "cancelled"
    with pytest.raises(Conflict):
        labs.decide_recollection(test=procedure.tests.get(), note="", actor=nurse)


def test_a_lost_tube_that_turns_up_is_received(nurse: Actor) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_cell_count", actor=nurse)
    labs.report_loss(specimen=specimen, loss=SpecimenLoss.LOST, reason="not found", actor=nurse)
    labs.receive(procedure=procedure, specimens=[specimen.pk], confirmed_by="Ito", at=clock.now(), actor=nurse)
    specimen.refresh_from_db()
    assert specimen.loss == "" and status(procedure, "ascites_cell_count") == "received"


def test_a_result_of_a_lost_tube_is_never_refused(nurse: Actor) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_protein", actor=nurse)
    labs.report_loss(specimen=specimen, loss=SpecimenLoss.LOST, reason="not found", actor=nurse)
    results.enter(
        test=procedure.tests.get(), status="final", actor=nurse, values={"protein": {"value": 2, "unit": "g/dL"}}
    )
    assert status(procedure, "ascites_protein") == "final"


def test_a_risk_that_is_accepted_is_kept_until_another_specimen_is_taken(nurse: Actor) -> None:
    procedure = case()
    specimen = collected(procedure, "ascites_protein", actor=nurse)
    labs.report_loss(specimen=specimen, loss=SpecimenLoss.REJECTED, code=LossCode.HAEMOLYSED, actor=nurse)
    test = labs.accept_flaw(test=procedure.tests.get(), note="no second needle", actor=nurse)
    assert (test.status, test.ended_at) == ("received", None)
    assert "haemolysed" in test.flaw_accepted and nurse.name in test.flaw_accepted
    kinds = set(procedure.follow_ups.filter(closed_at__isnull=True).values_list("kind", flat=True))
    assert "awaited_result" in kinds and not kinds & {"specimen_lost", "specimen_not_received"}
    with pytest.raises(Conflict):
        labs.accept_flaw(test=test, note="again", actor=nurse)


def test_a_withdrawn_result_does_not_show_that_the_tube_arrived(nurse: Actor) -> None:
    procedure = case()
    collected(procedure, "ascites_protein", actor=nurse)
    test = procedure.tests.get()
    results.enter(test=test, status="final", actor=nurse, values={"protein": {"value": 2, "unit": "g/dL"}})
    receipt = procedure.follow_ups.filter(kind="specimen_not_received", closed_at__isnull=True)
    assert not receipt.exists()
    results.withdraw(test=test, reason="wrong patient", actor=nurse)
    assert receipt.exists()


def laboratory(**extra: object) -> Laboratory:
    return Laboratory.objects.create(name="Central", zone="UTC", **extra)


def test_the_laboratory_of_the_room_sets_its_days_and_its_window(nurse: Actor) -> None:
    procedure = case()
    laboratory(is_default=True, sending_facility="A", receipt_minutes=45)
    own = Laboratory.objects.create(name="Near", zone="UTC", running_days=[0, 1, 2, 3, 4], receipt_minutes=300)
    own.rooms.add(procedure.room)
    specimen = collected(procedure, "ascites_protein", actor=nurse)
    assert specimen.receipt_due_at - specimen.collected_at == timedelta(minutes=300)
    test = procedure.tests.get()
    assert test.running_days == [0, 1, 2, 3, 4]
    waiting = procedure.follow_ups.get(kind="awaited_result", closed_at__isnull=True)
    assert waiting.due_at == test.outer_at


def test_only_one_laboratory_in_use_is_the_default(nurse: Actor) -> None:
    laboratory(is_default=True, sending_facility="A")
    with pytest.raises(IntegrityError), transaction.atomic():
        Laboratory.objects.create(name="Other", zone="UTC", is_default=True, sending_facility="B")


# --- the database agrees with the table -----------------------------------------------------


def test_the_database_allows_exactly_the_moves_of_the_table() -> None:
    procedure = case()
    (test,) = ordered(procedure, "ascites_protein")
    LabTest.objects.filter(pk=test.pk).update(collected_at=clock.now(), ended_reason="because")
    allowed = set(LAB_TEST.moves())
    wrong = []
    for old in TestStatus:
        for new in TestStatus:
            if old == new:
                continue
            with pgtrigger.ignore("procedures.LabTest:test_moves"):
                LabTest.objects.filter(pk=test.pk).update(status=old)
            try:
                with transaction.atomic():
                    LabTest.objects.filter(pk=test.pk).update(status=new)
                moved = True
            except DatabaseError:
                moved = False
            if moved != ((str(old), str(new)) in allowed):
                wrong.append((str(old), str(new), moved))
    assert wrong == []
