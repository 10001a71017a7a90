"""Pieces of a result: what a later one adds, changes, repeats or leaves alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from procedures.domain import versions
from procedures.domain.merging import CHANGED_LATER, Piece, merged
from procedures.domain.states import ResultStatus
from tests.domain.cases import NOON, hours, protocol

COUNT = protocol("lumbar_puncture").test("csf_cell_count")
CULTURE = protocol("lumbar_puncture").test("csf_culture")
P, F, C = ResultStatus.PRELIMINARY, ResultStatus.FINAL, ResultStatus.CORRECTED


@dataclass
class Row:
    number: int
    status: str
    values: dict[str, Any]
    text: str
    reported_at: datetime
    laboratory_said: dict[str, Any] = field(default_factory=dict)


def piece(status: ResultStatus, after: float = 0, *, complete: bool = False, text: str = "", **values: Any) -> Piece:
    stored = {name: {"value": value, "unit": "", "text": str(value)} for name, value in values.items()}
    return Piece(status=status, values=stored, text=text, reported_at=NOON + hours(after), complete=complete)


def told(*pieces: Piece, test: Any = COUNT) -> list[Row]:
    """The versions that come of these, in the order of their arrival."""
    rows: list[Row] = []
    for one in pieces:
        found = merged(test, versions.current(rows), one)
        if found is not None:
            rows.append(Row(len(rows) + 1, str(found.status), found.values, found.text, found.reported_at, found.said))
    return rows


def now(rows: list[Row]) -> tuple[str, dict[str, Any]]:
    current = versions.current(rows)
    assert current is not None
    return current.status, {name: stored["value"] for name, stored in current.values.items()}


def test_a_later_piece_never_erases_an_earlier_one() -> None:
    rows = told(piece(F, white_cells=9), piece(F, 1, pmn_percent=40))
    assert now(rows) == ("final", {"white_cells": 9, "pmn_percent": 40})


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_pieces_may_come_in_any_order(order: tuple[int, ...]) -> None:
    pieces = [piece(F, 0, white_cells=9), piece(F, 1, red_cells=3), piece(F, 2, pmn_percent=40)]
    assert now(told(*(pieces[n] for n in order))) == ("final", {"white_cells": 9, "red_cells": 3, "pmn_percent": 40})


def test_the_whole_is_final_when_each_value_is_or_the_order_is() -> None:
    rows = told(piece(P, white_cells=9), piece(F, 1, pmn_percent=40))
    assert now(rows)[0] == "preliminary"
    assert now([*told(piece(P, white_cells=9), piece(F, 1, pmn_percent=40), piece(F, 2, white_cells=9))])[0] == "final"
    assert now(told(piece(P, white_cells=9), piece(F, 1, complete=True, pmn_percent=40)))[0] == "final"


def test_a_preliminary_piece_joins_a_final_and_is_named() -> None:
    rows = told(piece(F, white_cells=9), piece(P, 1, pmn_percent=40))
    assert now(rows) == ("final", {"white_cells": 9, "pmn_percent": 40})
    assert rows[-1].laboratory_said["standing"]["pmn_percent"] == "preliminary"


def test_a_late_preliminary_is_kept_and_changes_nothing() -> None:
    rows = told(piece(F, 2, white_cells=9), piece(P, 1, white_cells=7))
    assert len(rows) == 2
    assert now(rows) == ("final", {"white_cells": 9})


def test_a_later_final_that_differs_is_a_correction() -> None:
    found = merged(COUNT, told(piece(F, white_cells=9))[0], piece(F, 1, white_cells=90))
    assert found is not None
    assert (found.status, found.change_reason) == (C, CHANGED_LATER)


def test_an_older_final_changes_nothing() -> None:
    assert now(told(piece(F, 2, white_cells=9), piece(F, 1, white_cells=90))) == ("final", {"white_cells": 9})


def test_a_final_after_a_correction_counts_when_it_is_later() -> None:
    assert now(told(piece(C, 1, white_cells=9), piece(F, 2, white_cells=8))) == ("corrected", {"white_cells": 8})
    assert now(told(piece(C, 1, white_cells=9), piece(F, 0, white_cells=8))) == ("corrected", {"white_cells": 9})
    assert now(told(piece(C, 1, white_cells=9), piece(F, 2, pmn_percent=8)))[1] == {"white_cells": 9, "pmn_percent": 8}


def test_what_repeats_the_current_version_is_none_but_a_later_preliminary_is_news() -> None:
    assert len(told(piece(F, white_cells=9), piece(F, 1, white_cells=9))) == 1
    assert len(told(piece(P, white_cells=9), piece(P, 1, white_cells=9))) == 2
    assert len(told(piece(P, white_cells=9), piece(P, white_cells=9))) == 1


def test_words_belong_to_the_finding_they_were_said_with() -> None:
    grown = piece(P, growth="growth", organism="Gram negative rods")
    assert now(told(grown, piece(F, 1, complete=True, growth="no_growth"), test=CULTURE)) == (
        "final",
        {"growth": "no_growth"},
    )
    kept = told(grown, piece(F, 1, complete=True, growth="growth"), test=CULTURE)
    assert now(kept)[1] == {"growth": "growth", "organism": "Gram negative rods"}


def test_nothing_makes_no_version() -> None:
    assert told(piece(F)) == []


def test_flags_and_notes_stay_with_their_values() -> None:
    first = Piece(
        status=F, values={"white_cells": {"value": 9}}, text="", reported_at=NOON,
        said={"flags": {"white_cells": ["H"]}, "notes": ["one"]},
    )  # fmt: skip
    row = told(first)[0]
    second = merged(COUNT, row, piece(F, 1, pmn_percent=40))
    assert second is not None
    assert second.said["flags"] == {"white_cells": ["H"]}
    changed = merged(COUNT, row, piece(F, 1, white_cells=1))
    assert changed is not None
    assert "flags" not in changed.said
