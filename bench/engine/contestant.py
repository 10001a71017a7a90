"""What a contestant must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bench.engine.stand import Child, Stand

#: A promise: its number and the moment it is due, in seconds since 1970.
Item = tuple[int, float]
#: Rows for one statement, where several can be written by one.
ROWS = 2000
#: As many processes as a worker of the product has.
CONCURRENCY = 6


class Contestant:
    name: ClassVar[str]
    #: Does it need the broker?
    broker: ClassVar[bool] = False
    #: Seconds without any effect after which nothing more is to be hoped for in the window.
    patience: ClassVar[float] = 15

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.worker: Child | None = None

    def prepare(self) -> None:
        """Once: tables and whatever every promise stands on."""

    def fresh(self) -> None:
        """No promise of an earlier phase is left."""
        raise NotImplementedError

    def schedule(self, items: Sequence[Item]) -> None:
        """As fast as its own interface allows."""
        raise NotImplementedError

    def start(self, *, keep: bool = False) -> None:
        """Its processes, as its documentation has them. ``keep``: each effect also leaves the engine's rows."""
        raise NotImplementedError

    def poke(self) -> None:
        """Called some times a second while a backlog is drained."""

    def absorbed(self) -> bool:
        """Has the worker taken into its hands whatever it takes before it is due?"""
        return True

    def in_hand(self) -> int:
        """Claimed or started, and not settled: what may yet be done a second time."""
        return 0

    def kept(self) -> int:
        """Promises in its store that are still to be done, whenever that may be."""
        raise NotImplementedError
