"""What a process remembers of what it has worked out, up to a number of things."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Memory(Generic[Kept]):
    """The last so many that were kept. A key must name everything that the value depends on."""

    def __init__(self, size: int) -> None:
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._size = size

    def get(self, key: Hashable) -> Kept | None:
        return self._kept.get(key)

    def keep(self, key: Hashable, value: Kept) -> Kept:
        self._kept[key] = value
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return value

    def clear(self) -> None:
        self._kept.clear()
