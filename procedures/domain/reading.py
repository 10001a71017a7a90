"""Plain data (TOML, or the JSON of a published version) into frozen dataclasses, strictly. Pure.

Keys carry the names of the fields; an unknown key is a problem, and so is a value of the wrong type. A ``source``
that an item does not name is lent by the nearest item around it, or by the section's entry in ``default_source``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from procedures.domain.items import Source
from procedures.domain.problems import NO_VALUE, Problems

DEFAULT_SOURCE = "default_source"
#: Required text that may be empty all the same: no tier means "no sign".
MAY_BE_EMPTY = ("tier",)
_PLACEHOLDERS: dict[Any, Any] = {str: "", int: 0, float: 0.0, bool: False}
_TYPE_NAMES: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def read(kind: type, data: Mapping[str, Any], problems: Problems) -> Any:
    """One ``kind`` from a whole file's ``data``. Adds to ``problems``; raises nothing."""
    content = {key: value for key, value in data.items() if key != DEFAULT_SOURCE}
    return Reader(problems, default_sources(kind, data, problems)).item(kind, content, path="", source=None)


def to_dict(item: Any) -> dict[str, Any]:
    """Plain data that :func:`read` turns into an equal item: every source written out."""
    plain: dict[str, Any] = _plain(asdict(item))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@cache
def _shape(kind: type) -> tuple[tuple[Field[Any], Any], ...]:
    hints = get_type_hints(kind)
    return tuple((f, hints[f.name]) for f in fields(kind))


def _optional(hint: Any) -> Any:
    """``X`` of ``X | None``, else the hint itself."""
    if get_origin(hint) is UnionType:
        return next(arg for arg in get_args(hint) if arg is not NoneType)
    return hint


def default_sources(kind: type, data: Mapping[str, Any], problems: Problems) -> dict[str, Source]:
    """What each section of ``kind`` lends to its items."""
    table = data.get(DEFAULT_SOURCE, {})
    if not isinstance(table, Mapping):
        problems.add(DEFAULT_SOURCE, table, "must be a table of section = source")
        return {}
    sections = {f.name for f, _ in _shape(kind)}
    reader = Reader(problems, {})
    found = {}
    for section, value in table.items():
        path = f"{DEFAULT_SOURCE}.{section}"
        if section not in sections:
            problems.add(path, value, "is not a section of this file")
        else:
            found[section] = reader.value(Source, value, path, None)
    return found


class Reader:
    """Turns plain values into the annotated types. What cannot be read becomes a placeholder and a problem."""

    def __init__(self, problems: Problems, default_sources: Mapping[str, Source]) -> None:
        self.problems = problems
        self.default_sources = default_sources

    def item(self, kind: type, raw: Mapping[str, Any], *, path: str, source: Source | None) -> Any:
        """One dataclass from one table."""
        prefix = f"{path}." if path else ""
        shape = _shape(kind)
        known = {f.name for f, _ in shape}
        for key, value in raw.items():
            if key not in known:
                self.problems.add(f"{prefix}{key}", value, "unknown key")
        own = source
        if kind is not Source and "source" in known and "source" in raw:
            own = self.value(Source, raw["source"], f"{prefix}source", None)
        values: dict[str, Any] = {}
        for f, hint in shape:
            inherited = own if path else self.default_sources.get(f.name)
            if f.name == "source" and hint in (Source, Source | None):
                values["source"] = self._source(own, hint, f"{prefix}source")
            elif f.name in raw:
                values[f.name] = self.value(hint, raw[f.name], f"{prefix}{f.name}", inherited)
                if raw[f.name] == "" and f.default is MISSING and f.name not in MAY_BE_EMPTY:
                    self.problems.add(f"{prefix}{f.name}", raw[f.name], "must not be empty")
            elif f.default is MISSING and f.default_factory is MISSING:
                self.problems.add_unusable(f"{prefix}{f.name}", NO_VALUE, "is missing")
                values[f.name] = self._placeholder(hint)
        return kind(**values)

    def value(self, hint: Any, raw: Any, path: str, source: Source | None) -> Any:
        """One value of the annotated type ``hint``."""
        hint = _optional(hint)
        origin = get_origin(hint)
        if origin is tuple:
            return self._items(get_args(hint)[0], raw, path, source)
        if origin is dict:
            return self._table(get_args(hint)[1], raw, path)
        if is_dataclass(hint):
            if isinstance(raw, Mapping):
                return self.item(hint, raw, path=path, source=source)  # type: ignore[arg-type]
            return self._unusable(hint, raw, path, "must be a table")
        return self._scalar(hint, raw, path)

    def _source(self, found: Source | None, hint: Any, path: str) -> Source | None:
        if found is None and hint is Source:
            self.problems.add_unusable(path, NO_VALUE, "is missing: every clinical statement names its source")
            return Source(source="")
        return found

    def _items(self, hint: Any, raw: Any, path: str, source: Source | None) -> tuple[Any, ...]:
        if not isinstance(raw, list | tuple):
            self.problems.add_unusable(path, raw, "must be a list")
            return ()
        return tuple(self.value(hint, item, f"{path}[{index}]", source) for index, item in enumerate(raw))

    def _table(self, hint: Any, raw: Any, path: str) -> dict[str, Any]:
        if not isinstance(raw, Mapping):
            self.problems.add_unusable(path, raw, "must be a table")
            return {}
        if hint is Any:
            return dict(raw)
        return {key: self._scalar(hint, value, f"{path}.{key}") for key, value in raw.items()}

    def _scalar(self, hint: Any, raw: Any, path: str) -> Any:
        if hint is float and type(raw) is int:
            return float(raw)
        if type(raw) is hint:
            return raw
        return self._unusable(hint, raw, path, f"must be {_TYPE_NAMES[hint]}")

    def _unusable(self, hint: Any, raw: Any, path: str, message: str) -> Any:
        self.problems.add_unusable(path, raw, message)
        return self._placeholder(hint)

    def _placeholder(self, hint: Any) -> Any:
        """Something of the right type, so that the rest of the file can be read and judged too."""
        hint = _optional(hint)
        if get_origin(hint) in (tuple, dict):
            return get_origin(hint)()
        if is_dataclass(hint):
            values = {
                f.name: self._placeholder(inner)
                for f, inner in _shape(hint)  # type: ignore[arg-type]
                if f.default is MISSING and f.default_factory is MISSING
            }
            return hint(**values)  # type: ignore[operator]
        return _PLACEHOLDERS[hint]
