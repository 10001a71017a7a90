"""What is wrong with the running parts, in words: for the health pages and for ``manage.py doctor``."""

from __future__ import annotations

from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from clinic import celery, clock, embedded
from clinic.models import Heartbeat

#: The name under which the worker reports a completed pass.
ENGINE = "engine"
BROKER_SECONDS = 1
QUEUE = celery.QUEUE


def database_problems() -> list[str]:
    """Empty when the database answers and has every migration."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        missing = unapplied()
    except DatabaseError:
        return ["the database does not answer"]
    return [f"{missing} migrations are not applied"] if missing else []


_complete = False


def unapplied() -> int:
    """How many migrations of this code the database lacks. Asked only until there are none: code cannot grow some."""
    global _complete
    if _complete:
        return 0
    executor = MigrationExecutor(connection)
    count = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _complete = count == 0
    return count


def broker_backlog() -> int:
    """Tasks that wait in the broker, in all queues. Raises redis.RedisError when it does not answer within a second."""
    with redis.Redis.from_url(
        embedded.client(settings.REDIS_URL), socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS
    ) as client:
        return sum(int(client.llen(name)) for name in celery.queue_names())


def oldest_seconds(data: dict[str, Any]) -> int:
    """For how long the longest-waiting step or message had waited at the end of the pass that wrote ``data``."""
    watch = data.get("watch") or {}
    waiting = [watch.get("steps") or {}, *(watch.get("channels") or {}).values()]
    return max(int(line.get("oldest", 0)) for line in waiting)


def engine_state() -> dict[str, Any]:
    """Seconds since the last completed pass, what it reported, waiting tasks, and the problems in words."""
    state: dict[str, Any] = {"problems": [], "heartbeat_seconds": None, "last_pass": None, "waiting_tasks": None}
    try:
        beat = Heartbeat.objects.filter(name=ENGINE).first()
    except DatabaseError:
        state["problems"].append("the database does not answer")
    else:
        _add_heartbeat(state, beat)
    try:
        state["waiting_tasks"] = broker_backlog()
    except redis.RedisError:
        state["problems"].append("the broker does not answer")
    return state


def _add_heartbeat(state: dict[str, Any], beat: Heartbeat | None) -> None:
    if beat is None:
        state["problems"].append("the engine has never reported a completed pass")
        return
    seconds = (clock.real_now() - beat.at).total_seconds()
    state["heartbeat_seconds"] = round(seconds)
    state["last_pass"] = beat.data
    if seconds > settings.ENGINE_LATE_SECONDS:
        state["problems"].append(f"the engine's last completed pass was {round(seconds)} s ago")
