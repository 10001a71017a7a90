"""Which case and which test: numbers first, then fluid and time; codes that lie are questions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from procedures.domain.matching import Case, CaseReason, Order, Tube, Where, case_of, ours
from procedures.domain.report import Coded, Group, Moment, Place, SpecimenRead, Standing
from procedures.domain.test_codes import LOINC, Clues, CodeReason, Mapped, Target, Which, which
from procedures.selectors import code_data
from tests.domain.cases import NOON, hours, protocol

LP, TAP = protocol("lumbar_puncture"), protocol("paracentesis")
FLUIDS = code_data.fluids()
CSF, ASCITES, BLOOD = (next(f for f in FLUIDS.rows if f.code == code) for code in ("csf", "ascites", "blood"))


def group(*numbers: str, placer: str = "", after: float | None = 0, day: bool = False) -> Group:
    at = None if after is None else NOON + hours(after)
    moment = None if at is None else Moment(written="", at=at, to_the_day=day)
    specimen = SpecimenRead(
        numbers=numbers, fluid_text="", source_text="", collected_at=moment, received_at=None, reject_reasons=()
    )
    return Group(
        place=Place(segment="OBR", number=1, line=1), placer_number=placer, filler_number="", service=Coded(),
        standing=Standing.FINAL, standing_written="F", order_control="RE", specimens=(specimen,), collected_at=moment,
        received_at=None, reported_at=None, ordered_by="", observations=(), notes=(),
    )  # fmt: skip


def a_case(id: int = 1, after: float = 0, number: str = "", **extra: Any) -> Case:
    tube = Tube(id=id, number=number, collected_at=NOON + hours(after), fluid="csf")
    order = Order(id=id, code="csf_protein", number=f"C{id}-01", tube_id=id, collected_at=None, open=True)
    values: dict[str, Any] = {
        "id": id, "code": f"C{id}", "protocol": LP, "in_error": False, "started_at": None, "tubes": (tube,),
        "orders": (order,), **extra,
    }  # fmt: skip
    return Case(**values)


def where(asked: Group, *cases: Case, fluid: Any = CSF, foreign: frozenset[str] = frozenset()) -> Where:
    return case_of(asked, fluid, cases, foreign=foreign)


def test_the_tubes_number_says_the_case_whatever_the_time() -> None:
    found = where(group("S1", after=500), a_case(1), a_case(2, number="S1"))
    assert found.case is not None
    assert (found.case.id, found.by_number, found.tube and found.tube.id) == (2, True, 2)


@pytest.mark.parametrize("placer", ["C2-01", "C2"])
def test_the_orders_number_says_it_too(placer: str) -> None:
    found = where(group(placer=placer, after=None), a_case(1), a_case(2))
    assert found.case is not None
    assert found.case.id == 2


@pytest.mark.parametrize("number", ["S2", "C2-01", "C2"])
def test_a_case_is_named_by_its_tubes_its_orders_and_its_own_code(number: str) -> None:
    case = a_case(2, number="S2")
    assert number in ours(case)
    assert where(group(number, placer=number), case).by_number
    assert "" not in ours(a_case(3))


def test_numbers_of_two_cases_are_a_question() -> None:
    assert where(group("S1", placer="C2-01"), a_case(1, number="S1"), a_case(2)).reason is CaseReason.NUMBERS_DISAGREE


def test_a_number_of_another_patient_is_a_question_even_when_the_time_fits() -> None:
    assert where(group("S9"), a_case(), foreign=frozenset({"S9"})).reason is CaseReason.ANOTHER_PATIENTS_SPECIMEN


def test_without_a_number_of_ours_fluid_and_time_must_leave_one_case() -> None:
    ascites = a_case(2, protocol=TAP)
    found = where(group("theirs", after=3), a_case(1), ascites)
    assert found.case is not None
    assert (found.case.id, found.by_number) == (1, False)
    assert where(group(after=3), a_case(1), a_case(3, after=10)).reason is CaseReason.SEVERAL_CASES
    assert where(group(after=3), ascites).reason is CaseReason.NO_CASE


@pytest.mark.parametrize(("after", "fits"), [(24, True), (24.01, False), (-24, True), (-24.01, False)])
def test_the_window_is_the_protocols(after: float, fits: bool) -> None:
    assert LP.match_hours == 24
    assert (where(group(after=after), a_case()).case is not None) is fits


def test_a_day_without_an_hour_is_near_all_of_that_day() -> None:
    assert where(group(after=-47, day=True), a_case()).case is not None
    assert where(group(after=-49, day=True), a_case()).case is None


def test_without_any_time_it_is_a_question() -> None:
    assert where(group(after=None), a_case()).reason is CaseReason.NO_TIME


def test_a_case_that_was_a_mistake_takes_nothing() -> None:
    assert where(group("S1"), a_case(number="S1", in_error=True)).reason is CaseReason.CASE_IN_ERROR
    assert where(group(), a_case(in_error=True)).reason is CaseReason.NO_CASE


def test_a_start_without_tubes_is_a_time_as_well() -> None:
    started = a_case(tubes=(), orders=(), started_at=NOON - timedelta(hours=2))
    assert where(group(), started).case is started


# --- codes --------------------------------------------------------------------------------------


def code(loinc: str = "", local: str = "", system: str = "") -> Coded:
    return Coded(loinc=loinc, local=local, local_system=system)


def ask(asked: Coded, *mapped: Mapped, protocol: Any = LP, **clues: Any) -> Which:
    return which(protocol, asked, mapped, FLUIDS, Clues(**{"fluid": CSF, **clues}))


GLUCOSE = Target("csf_glucose", "glucose")


def test_a_loinc_of_the_protocol_is_known_under_each_of_its_codes() -> None:
    assert ask(code("2342-4")).target == GLUCOSE
    assert ask(code("58470-6"), on_tube=frozenset({"csf_cell_count"})).target == Target("csf_cell_count", "white_cells")
    assert ask(code("11475-1")).target == Target("csf_culture", "growth")


def test_one_code_of_two_tests_is_told_apart_by_the_tube_the_service_or_the_order() -> None:
    assert ask(code("806-0")).reason is CodeReason.SEVERAL_TESTS
    first = Target("csf_cell_count_first", "white_cells")
    assert ask(code("806-0"), on_tube=frozenset({"csf_cell_count_first"})).target == first
    assert ask(code("806-0"), ordered=frozenset({"csf_cell_count_first"})).target == first
    panel = Coded(loinc="34563-7")
    assert ask(code("806-0"), service=panel).target == Target("csf_cell_count", "white_cells")


def test_a_code_for_blood_on_spinal_fluid_is_a_question() -> None:
    assert ask(code("2345-7")).reason is CodeReason.CODE_OF_ANOTHER_FLUID
    assert ask(code("2345-7"), fluid=BLOOD).target == Target("serum_glucose", "glucose")
    assert ask(code("6690-2")).reason is CodeReason.CODE_OF_ANOTHER_FLUID  # of no test of ours
    assert ask(code("6690-2"), fluid=None).reason is CodeReason.UNKNOWN_CODE


def test_a_specimen_of_another_fluid_is_a_question() -> None:
    assert ask(code("2342-4"), fluid=ASCITES).reason is CodeReason.CODE_OF_ANOTHER_FLUID
    assert ask(code("664-3"), fluid=ASCITES).reason is CodeReason.FLUID_DIFFERS
    assert ask(code("664-3"), fluid=ASCITES, protocol=TAP).target == Target("ascites_gram", "result")


def test_a_laboratorys_own_code_means_what_a_person_has_said() -> None:
    mapped = Mapped("99LAB", "CSFG", GLUCOSE)
    assert ask(code(local="csfg", system="99lab"), mapped).target == GLUCOSE
    assert ask(code(local="CSFG", system="L"), mapped).reason is CodeReason.UNKNOWN_CODE
    assert ask(code(local=" "), mapped).reason is CodeReason.NO_CODE


def test_a_loinc_and_a_mapping_that_disagree_are_a_question() -> None:
    mapped = Mapped("L", "X", GLUCOSE)
    assert ask(code("2880-3", "X", "L"), mapped).reason is CodeReason.CODES_DISAGREE
    assert ask(code("2342-4", "X", "L"), mapped).target == GLUCOSE


def test_a_mapping_of_the_lying_loinc_holds_only_where_the_specimen_says_its_fluid() -> None:
    mapped = Mapped(LOINC, "2345-7", GLUCOSE)
    assert ask(code("2345-7"), mapped).target == GLUCOSE
    assert ask(code("2345-7"), mapped, fluid=None).reason is CodeReason.CODE_OF_ANOTHER_FLUID
    assert ask(code("2345-7"), mapped, fluid=BLOOD).target is None


@pytest.mark.parametrize(
    ("text", "fluid"),
    [
        ("CSF", "csf"),
        ("Cerebrospinal fluid sample", "csf"),
        ("Glucose in Cerebral spinal fluid", "csf"),
        ("Peritoneal fluid /ascites", "ascites"),
        ("Ser/Plas", "blood"),
        ("Body fluid", None),
        ("CSF and serum", None),
        ("", None),
    ],
)
def test_a_fluid_is_known_by_its_words(text: str, fluid: str | None) -> None:
    found = FLUIDS.of_words(text)
    assert (found.code if found else None) == fluid


def test_no_code_names_two_fluids_and_none_contradicts_a_protocol() -> None:
    codes = [code for fluid in FLUIDS.rows for code in fluid.loinc]
    assert len(codes) == len(set(codes))
    for data in (LP, TAP):
        for loinc, targets in data.by_loinc.items():
            named = FLUIDS.of_loinc(loinc)
            for test, _component in targets:
                assert named is None or data.test(test).fluid in named.serves, (loinc, test)
