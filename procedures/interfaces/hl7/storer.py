"""The listener's only way to the database: one thread, which keeps whatever waits in one transaction.

While one commit waits for the disk, what other connections bring gathers for the next. The queue is short: a
connection whose message does not fit waits, and its sender with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

from clinic import clock
from procedures.services import inbound_store
from procedures.services.inbound_store import Arrival, Kept

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_WAITING = 256
MOST_MESSAGES = 64
MOST_BYTES = 4_000_000


class NotKept(Exception):
    """It is not on the disk: nobody may acknowledge it."""


@dataclass(frozen=True)
class _Job:
    arrivals: Sequence[Arrival]
    done: asyncio.Future[list[Kept]]

    @property
    def size(self) -> int:
        return sum(len(arrival.raw) for arrival in self.arrivals)


class Storer:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[_Job] = asyncio.Queue(MOST_WAITING)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbound-store")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Call when nobody waits any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.call(connections.close_all)
        self._thread.shutdown()

    async def keep(self, given: Sequence[Arrival]) -> list[Kept]:
        """Returns when all of them are on the disk; raises ``NotKept`` when they are not."""
        job = _Job(given, asyncio.get_running_loop().create_future())
        await self._queue.put(job)
        return await job.done

    async def call(self, work: Callable[[], T]) -> T:
        """Something else for the thread that has the connection."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _run(self) -> None:
        while True:
            jobs = [await self._queue.get()]
            count, size = len(jobs[0].arrivals), jobs[0].size
            while count < MOST_MESSAGES and size < MOST_BYTES and not self._queue.empty():
                jobs.append(self._queue.get_nowait())
                count, size = count + len(jobs[-1].arrivals), size + jobs[-1].size
            await self._keep(jobs)

    async def _keep(self, jobs: list[_Job]) -> None:
        """All jobs in one transaction; one by one when that fails, so that no job is lost for another."""
        try:
            kept = await self.call(partial(_store, [arrival for job in jobs for arrival in job.arrivals]))
        except Exception as error:
            if len(jobs) == 1 or isinstance(error, OperationalError | InterfaceError):
                logger.error("inbound not stored messages=%s error=%s", len(jobs), type(error).__name__)
                for job in jobs:
                    _settle(job, NotKept(type(error).__name__))
            else:
                for job in jobs:
                    await self._keep([job])
            return
        for job in jobs:
            own, kept = kept[: len(job.arrivals)], kept[len(job.arrivals) :]
            _settle(job, own)


def _settle(job: _Job, outcome: list[Kept] | NotKept) -> None:
    if job.done.done():  # whoever waited has gone
        return
    if isinstance(outcome, NotKept):
        job.done.set_exception(outcome)
    else:
        job.done.set_result(outcome)


def _store(given: list[Arrival]) -> list[Kept]:
    """A connection that broke meanwhile (a server that was restarted) is made anew, once. Storing twice is once."""
    try:
        return inbound_store.store_all(given, now=clock.now())
    except (OperationalError, InterfaceError):
        connection.close()
        return inbound_store.store_all(given, now=clock.now())
