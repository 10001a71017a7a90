"""Tables as a file for a spreadsheet: streamed row by row, and never a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

#: A spreadsheet takes a cell that begins with one of these for a formula, or lets it hide one.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Excel reads UTF-8 only when the file begins with it.
BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """A file that hands each line back."""

    def write(self, line: str) -> str:
        return line


def cell(value: Any) -> Any:
    """The value as a cell: nothing as an empty one, text that could be a formula behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def lines(head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The file, line by line."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow([cell(value) for value in head])
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def download(name: str, head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """The file ``name.csv``, sent while the rows are read."""
    response = StreamingHttpResponse(lines(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
