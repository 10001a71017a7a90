"""A number from one tap to the next: its points, and a drawing that shows them where they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from procedures.domain import trends
from procedures.domain.calculations import calculate_all
from procedures.domain.lab_content import Trend
from procedures.domain.measurement import Value
from procedures.domain.trends import Point, Tap
from tests.domain.protocol_files import protocol

PARA, LP = protocol("paracentesis"), protocol("lumbar_puncture")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def trend(code: str) -> Trend:
    return next(t for t in PARA.trends if t.code == code)


def tap(day: int, *, record: dict[str, float] | None = None, **values: Value) -> Tap:
    known = {name.replace("__", "."): value for name, value in values.items()}
    return Tap(
        code=f"P{day}",
        at=NOON + timedelta(days=day),
        values=known,
        calculated=calculate_all(PARA, known),
        record=record or {},
    )


def cells(number: float, share: float) -> dict[str, Value]:
    return {
        "ascites_cell_count__nucleated_cells": Value(number=number, unit="10*9/L"),
        "ascites_cell_count__pmn_percent": Value(number=share, unit="%"),
    }


def test_points_come_in_the_order_of_the_taps_and_in_one_unit() -> None:
    found = trends.points(PARA, trend("pmn"), [tap(28, **cells(0.4, 78)), tap(0, **cells(0.12, 10))])
    assert [(p.code, p.text) for p in found] == [("P0", "12 /uL"), ("P28", "312 /uL")]


def test_the_laboratorys_own_count_is_taken_where_nothing_can_be_computed() -> None:
    reported = {"ascites_cell_count__pmn_reported": Value(number=0.09, unit="10*9/L")}
    assert [p.number for p in trends.points(PARA, trend("pmn"), [tap(0, **reported)])] == [90]


def test_a_bound_keeps_its_sign_and_a_value_without_a_unit_is_left_out() -> None:
    low = {"ascites_protein__protein": Value(number=0.5, unit="g/dL", comparator="<")}
    none = {"ascites_protein__protein": Value(number=3.0, unit="")}
    found = trends.points(PARA, trend("protein"), [tap(0, **low), tap(7, **none)])
    assert [(p.text, p.bound) for p in found] == [("< 0.5 g/dL", True)]


def test_millilitres_of_the_record_are_shown_as_litres() -> None:
    found = trends.points(PARA, trend("litres"), [tap(0, record={"volume_removed_ml": 5200})])
    assert [p.text for p in found] == ["5.2 L"]


def test_a_preliminary_value_says_so() -> None:
    early = {name: replace(value, preliminary=True) for name, value in cells(0.4, 78).items()}
    assert [p.preliminary for p in trends.points(PARA, trend("pmn"), [tap(0, **early)])] == [True]


def test_one_tap_is_no_trend() -> None:
    assert trends.draw(trend("pmn"), trends.points(PARA, trend("pmn"), [tap(0, **cells(0.4, 78))])) is None


def point(day: int, number: float) -> Point:
    return Point(code=f"P{day}", at=NOON + timedelta(days=day), number=number, text=str(number))


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=2, max_size=12))
def test_every_mark_and_the_line_are_inside_the_drawing_and_higher_values_stand_higher(numbers: list[float]) -> None:
    found = trends.draw(trend("pmn"), [point(day, n) for day, n in enumerate(numbers)])
    assert found is not None
    assert found.line_y is not None
    assert all(found.left <= m.x <= found.right for m in found.marks)
    assert all(found.top <= y <= found.bottom for y in (*(m.y for m in found.marks), found.line_y))
    ordered = sorted(found.marks, key=lambda m: m.point.number)
    assert [m.y for m in ordered] == sorted((m.y for m in ordered), reverse=True)


def test_two_taps_of_the_same_moment_stand_beside_each_other() -> None:
    found = trends.draw(trend("saag"), [point(0, 1.2), replace(point(0, 1.4), code="Q")])
    assert found is not None
    assert found.marks[0].x < found.marks[1].x


def test_what_is_followed_names_values_that_exist_and_every_line_has_its_words() -> None:
    assert {t.code for t in PARA.trends} >= {"pmn", "saag", "protein", "litres"}
    assert {t.code for t in LP.trends} >= {"white_cells", "glucose_ratio"}
    assert all(t.line_label for t in (*PARA.trends, *LP.trends) if t.line is not None)
