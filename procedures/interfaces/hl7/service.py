"""The listener as a process: what it says of itself, how it wakes the worker, how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection, connections

from clinic import clock
from clinic.models import Heartbeat
from clinic.nudge import nudge
from procedures.interfaces.hl7.listener import Counts, Limits, Listener, Network
from procedures.interfaces.hl7.waiting import READ

logger = logging.getLogger(__name__)

HEARTBEAT = "inbound"
BEAT_SECONDS = 5.0
#: The worker is woken no oftener than this; a message that comes meanwhile wakes it afterwards.
NUDGE_SECONDS = 0.25


def limits() -> Limits:
    return Limits(
        most_bytes=settings.INBOUND_MAX_BYTES,
        connections=settings.INBOUND_MAX_CONNECTIONS,
        idle=settings.INBOUND_IDLE_SECONDS,
        block=settings.INBOUND_MESSAGE_SECONDS,
    )


class Service:
    """Run it with ``asyncio.run(service.run(…))``; SIGTERM and SIGINT end it after what is in the works."""

    def __init__(self, allowed: list[Network], bounds: Limits | None = None) -> None:
        self._news = asyncio.Event()
        self.listener = Listener(bounds or limits(), allowed, stored=self._news.set)
        self.ended = asyncio.Event()
        self._nudger = ThreadPoolExecutor(1, thread_name_prefix="inbound-nudge")

    async def run(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Raises OSError when the port cannot be had."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):  # before anybody hears that we listen and may end us
            loop.add_signal_handler(sign, self.ended.set)
        port = await self.listener.start(host, port, tls)
        logger.info("inbound listening host=%s port=%s tls=%s", host, port, int(tls is not None))
        sides = [asyncio.create_task(self._beat()), asyncio.create_task(self._wake())]
        try:
            await self.ended.wait()
        finally:
            logger.info("inbound stopping")
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
            await self.listener.stop()
            await loop.run_in_executor(self._nudger, connections.close_all)
            self._nudger.shutdown()

    async def _beat(self) -> None:
        while True:
            try:
                await self.listener.storer.call(partial(beat, self.listener.counts))
            except DatabaseTrouble as error:
                logger.error("inbound heartbeat not written error=%s", type(error).__name__)
            await asyncio.sleep(BEAT_SECONDS)

    async def _wake(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await loop.run_in_executor(self._nudger, nudge, READ)
            except DatabaseTrouble as error:  # the engine's tick asks as well
                logger.error("inbound nudge not sent error=%s", type(error).__name__)
            await asyncio.sleep(NUDGE_SECONDS)


def beat(counts: Counts) -> None:
    """A connection that broke is let go: the next beat makes a new one."""
    try:
        say(counts)
    except DatabaseTrouble:
        connection.close()
        raise


def say(counts: Counts) -> None:
    """The heartbeat: figures since the start. When the last message came survives a restart."""
    data: dict[str, Any] = {**asdict(counts), "refused": dict(counts.refused), "process": os.getpid()}
    last = counts.last_message_at or _last_message_at()
    data["last_message_at"] = last.isoformat() if last else None
    Heartbeat.objects.update_or_create(name=HEARTBEAT, defaults={"at": clock.real_now(), "data": data})


def _last_message_at() -> datetime | None:
    beat = Heartbeat.objects.filter(name=HEARTBEAT).first()
    written = beat.data.get("last_message_at") if beat else None
    return datetime.fromisoformat(written) if written else None
