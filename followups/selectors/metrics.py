"""The engine's figures for a monitoring system (Prometheus). No personal data: numbers, channels, names of alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import redis
from django.db import connection
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from clinic import health
from followups.domain.watch import ALARMS
from followups.selectors import engine, loop, texts

#: Every figure and what it is. docs/runbook.md names each.
FIGURES: dict[str, str] = {
    "clinic_alarm": "1 while this alarm is on, by name",
    "clinic_engine_age_seconds": "Since the last completed pass of the engine; missing when there was none",
    "clinic_engine_pass_seconds": "How long the last pass took",
    "clinic_engine_set_aside": "Cases and promises that the last pass could not take",
    "clinic_steps_due": "Steps of ladders that are due and not taken",
    "clinic_steps_oldest_seconds": "For how long the oldest of them has waited",
    "clinic_messages_due": "Messages that wait to be sent now, by channel",
    "clinic_messages_retrying": "Messages that were tried and will be again, by channel",
    "clinic_messages_oldest_seconds": "How long the oldest message has waited since it was due at first, by channel",
    "clinic_messages_sending": "Messages that a worker has claimed",
    "clinic_messages_failed": "Messages that did not arrive and that nobody has dealt with",
    "clinic_messages_unknown": "Messages of unknown fate that nobody has dealt with",
    "clinic_messages_patients_unreached": "Messages to patients that did not arrive and that nobody has called about",
    "clinic_messages_texts_unread": "Texts from patients that nobody has read",
    "clinic_empty_roles": "Roles that a ladder asks and that nobody answers for",
    "clinic_plan_failed": "Cases whose plan could not be made",
    "clinic_nightly_age_seconds": "Since the last nightly check; missing when there was none",
    "clinic_nightly_faults": "What the last nightly check found wrong",
    "clinic_audit_days_unsealed": "Finished days of the audit trail without a seal",
    "clinic_audit_seal_broken": "1 when the audit trail does not match a seal",
    "clinic_inbound_age_seconds": "Since the laboratory connection last said that it runs; missing when it never did",
    "clinic_inbound_connections": "Open connections of laboratories",
    "clinic_inbound_stored": "Messages of laboratories that were kept since the listener was started",
    "clinic_inbound_again": "Messages that were here already and were acknowledged once more",
    "clinic_inbound_acknowledged": "Answers that were sent to laboratories",
    "clinic_inbound_refused": "Connections and messages that were refused since the listener was started, by reason",
    "clinic_inbound_silent_seconds": "Since the last message of any laboratory; missing when there was none",
    "clinic_inbound_unread": "Messages of laboratories that are stored and not read yet",
    "clinic_inbound_unread_oldest_seconds": "For how long the oldest of them has waited",
    "clinic_promises": "Promises, by figure of the loop board",
    "clinic_broker_up": "1 when the broker answers",
    "clinic_broker_tasks": "Tasks that wait in the broker; missing when it does not answer",
    "clinic_database_bytes": "Size of the database",
}


def text(now: datetime) -> bytes:
    """Prometheus' text format. Twelve queries at most, and one question to the broker."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reading(now))
    return generate_latest(registry)


class _Reading(Collector):
    def __init__(self, now: datetime) -> None:
        self.now = now

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()  # else registering would read everything once more

    def collect(self) -> Iterable[GaugeMetricFamily]:
        labels = {"clinic_alarm": "name", "clinic_promises": "figure", "clinic_inbound_refused": "why"}
        for name, value in values(self.now).items():
            if value is None:
                continue
            if isinstance(value, Mapping):
                family = GaugeMetricFamily(name, FIGURES[name], labels=[labels.get(name, "channel")])
                for label, number in value.items():
                    family.add_metric([label], number)
            else:
                family = GaugeMetricFamily(name, FIGURES[name], value=value)
            yield family


Value = float | Mapping[str, float] | None


def values(now: datetime) -> dict[str, Value]:
    """Every figure of ``FIGURES``; None for one that nobody knows now."""
    state = engine.state(now)
    readings, beats = state.readings, state.beats
    tasks = _tasks()
    return {
        "clinic_alarm": {name: float(name in state.alarms) for name in ALARMS},
        "clinic_engine_age_seconds": beats.engine_seconds,
        "clinic_engine_pass_seconds": state.last_pass.get("seconds"),
        "clinic_engine_set_aside": state.set_aside,
        "clinic_steps_due": readings.steps.due,
        "clinic_steps_oldest_seconds": readings.steps.oldest,
        "clinic_messages_due": {name: waiting.due for name, waiting in readings.channels.items()},
        "clinic_messages_retrying": {name: waiting.retrying for name, waiting in readings.channels.items()},
        "clinic_messages_oldest_seconds": {name: waiting.oldest for name, waiting in readings.channels.items()},
        "clinic_messages_sending": readings.sending,
        "clinic_messages_failed": readings.failed,
        "clinic_messages_unknown": readings.unknown,
        "clinic_messages_patients_unreached": readings.unreached.due,
        "clinic_messages_texts_unread": texts.unread().count(),
        "clinic_empty_roles": len(beats.empty_roles),
        "clinic_plan_failed": readings.plan_failed,
        "clinic_nightly_age_seconds": beats.nightly_seconds,
        "clinic_nightly_faults": beats.nightly_faults,
        "clinic_audit_days_unsealed": beats.seal_behind,
        "clinic_audit_seal_broken": float(beats.seal_broken),
        **_inbound(state),
        "clinic_promises": dict(loop.counts(now)),
        "clinic_broker_up": float(tasks is not None),
        "clinic_broker_tasks": tasks,
        "clinic_database_bytes": _database_bytes(),
    }


def _inbound(state: engine.EngineState) -> dict[str, Value]:
    said = state.inbound.data if state.inbound else {}
    return {
        "clinic_inbound_age_seconds": state.beats.inbound_seconds,
        "clinic_inbound_connections": said.get("open"),
        "clinic_inbound_stored": said.get("stored"),
        "clinic_inbound_again": said.get("again"),
        "clinic_inbound_acknowledged": said.get("acknowledged"),
        "clinic_inbound_refused": said.get("refused"),
        "clinic_inbound_silent_seconds": state.beats.silent_seconds,
        "clinic_inbound_unread": state.readings.unread.due,
        "clinic_inbound_unread_oldest_seconds": state.readings.unread.oldest,
    }


def _tasks() -> int | None:
    try:
        return health.broker_backlog()
    except redis.RedisError:
        return None


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
