"""All that is wrong with a protocol file, collected before anything is refused. Pure."""

from __future__ import annotations

import json
from typing import Any

from clinic.errors import DomainError

_LONGEST_VALUE = 60
#: Stands for "there is no value to show" (the key is missing).
NO_VALUE = object()


class ProtocolError(DomainError):
    """The protocol file has problems. Each line names the file, the key and the value."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Problems:
    """Collects lines such as ``file.toml: tests[4].outer_hours = 12: must be at least usual_hours (24)``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self._bad: set[str] = set()

    def add(self, path: str, value: Any, message: str, *, because: tuple[str, ...] = ()) -> None:
        """Note one problem, unless the value at ``path`` or at one of ``because`` is already known to be unusable."""
        if self._bad.intersection((path, *because)):
            return
        self.lines.append(f"{self.name}: {self._place(path, value)}: {message}")

    def add_unusable(self, path: str, value: Any, message: str) -> None:
        """Note a value that could not be read at all: later checks on the same path stay silent."""
        self.add(path, value, message)
        self._bad.add(path)

    def refuse_if_any(self) -> None:
        if self.lines:
            raise ProtocolError(tuple(self.lines))

    @staticmethod
    def _place(path: str, value: Any) -> str:
        if value is NO_VALUE:
            return path
        shown = json.dumps(value, ensure_ascii=False, default=str)
        if len(shown) > _LONGEST_VALUE:
            shown = shown[: _LONGEST_VALUE - 1] + "…"
        return f"{path} = {shown}"
