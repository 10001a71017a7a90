"""A file for a spreadsheet is UTF-8 that says so, comes line by line, and carries no formula."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest

from clinic import spreadsheets


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "  =1+1", '=HYPERLINK("http://x")'])
def test_a_cell_that_could_be_a_formula_is_text(text: str) -> None:
    assert spreadsheets.cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"), [(None, ""), (-3, -3), (2.5, 2.5), ("a=b", "a=b"), ("Zoë", "Zoë"), ("", "")]
)
def test_what_cannot_be_one_stays_as_it_is(value: object, cell: object) -> None:
    assert spreadsheets.cell(value) == cell


def test_a_file_says_that_it_is_utf8_and_quotes_what_it_must() -> None:
    lines = list(spreadsheets.lines(["Who", "Why"], [["Zoë", 'said "wait", then\nleft']]))
    assert lines[0] == "\ufeffWho,Why\r\n"
    assert next(csv.reader([lines[1]])) == ["Zoë", 'said "wait", then\nleft']


def test_rows_are_read_while_they_are_sent() -> None:
    read = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            read.append(number)
            yield [number]

    found = spreadsheets.lines(["n"], rows())
    next(found), next(found)
    assert read == [0]


def test_the_file_is_a_download() -> None:
    response = spreadsheets.download("figures", ["n"], [[1]])
    assert response["Content-Disposition"] == 'attachment; filename="figures.csv"'
    assert b"".join(response.streaming_content).decode() == "\ufeffn\r\n1\r\n"  # type: ignore[arg-type]
