"""What the engine's page shows: is it alive, what waits, what did not arrive. No charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from clinic import audit_seal, clock
from clinic.models import Heartbeat, User
from followups import wording
from followups.domain import watch as domain
from followups.domain.kinds import MessageState, Subject
from followups.domain.picture import Urgency
from followups.domain.watch import Beats, Limits, Readings
from followups.models import FollowUp, Message
from followups.selectors import undelivered, watch
from followups.selectors.case import ORDER, urgency_of
from followups.services import ladders

ENGINE = "engine"
NIGHTLY = "nightly"
INBOUND = "inbound"  # written by the listener (procedures.interfaces.hl7.service)
#: For how long a mail that was sent can be marked as come back on the page.
LATELY = timedelta(days=7)
SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class EngineState:
    """``seconds``: since the last completed pass; None when there was none. ``alarms``: by name, the worst first.
    ``set_aside``, ``empty_roles``: of the last pass.
    """

    beats: Beats
    readings: Readings
    alarms: list[str]
    last_pass: dict[str, Any] = field(default_factory=dict)
    nightly: Heartbeat | None = None
    inbound: Heartbeat | None = None
    late_channels: list[str] = field(default_factory=list)

    @property
    def sending(self) -> int:
        return self.readings.sending

    @property
    def seconds(self) -> int | None:
        return self.beats.engine_seconds

    @property
    def late(self) -> bool:
        return domain.ENGINE_LATE in self.alarms

    @property
    def inbound_down(self) -> bool:
        return domain.INBOUND_DOWN in self.alarms

    @property
    def last_message(self) -> datetime | None:
        """When a laboratory sent something for the last time."""
        last = self.inbound.data.get("last_message_at") if self.inbound else None
        return datetime.fromisoformat(last) if last else None

    @property
    def steps_waiting(self) -> int:
        return self.readings.steps.due

    @property
    def queued(self) -> int:
        return sum(waiting.due for waiting in self.readings.channels.values())

    @property
    def retrying(self) -> int:
        return sum(waiting.retrying for waiting in self.readings.channels.values())

    @property
    def stopped(self) -> int:
        return self.readings.failed + self.readings.unknown + self.readings.unreached.due

    @property
    def empty_roles(self) -> list[str]:
        return list(self.beats.empty_roles)

    @property
    def set_aside(self) -> int:
        return int(self.last_pass.get("set_aside", 0))


@dataclass(frozen=True)
class OwnPromise:
    """A promise about somebody of the staff, or about the clinic. ``person``: whom messages do not reach."""

    follow_up: FollowUp
    title: str
    person: User | None
    state: Urgency
    next_step: str


def own_promises(now: datetime) -> list[OwnPromise]:
    """What the engine asks administrators and the director to see to, the most urgent first. Two queries."""
    rows = FollowUp.objects.filter(
        subject_kind__in=[str(Subject.PERSON), str(Subject.CLINIC)], kind__in=undelivered.OWN, closed_at__isnull=True
    ).select_related("taken_by", "responsible", "procedure")
    promises = sorted(rows, key=lambda row: (ORDER[urgency_of(row, now)], row.due_at, row.pk))
    people = User.objects.in_bulk([row.subject_id for row in promises if row.subject_kind == Subject.PERSON])
    return [
        OwnPromise(
            follow_up=row,
            title=wording.title(row, None),
            person=people.get(row.subject_id) if row.subject_kind == Subject.PERSON else None,
            state=urgency_of(row, now),
            next_step=ladders.next_step(row, now),
        )
        for row in promises
    ]


@dataclass(frozen=True)
class Glance:
    """What the loop board says of the engine. ``others``: what else the last pass found wrong."""

    seconds: int | None
    late: bool
    stopped: int
    others: int

    @property
    def alarms(self) -> bool:
        return self.late or bool(self.stopped or self.others)


#: Alarms that a glance says in words of their own.
OWN_WORDS = frozenset({domain.ENGINE_LATE, domain.DEAD_LETTERS, domain.UNKNOWN_FATE})


def glance() -> Glance:
    """Two queries: the heartbeat carries the alarms of the last pass."""
    beat = Heartbeat.objects.filter(name=ENGINE).first()
    seconds = _ago(beat)
    return Glance(
        seconds=seconds,
        late=seconds is None or seconds > settings.ENGINE_LATE_SECONDS,
        stopped=Message.objects.filter(watch.STOPPED).count(),
        others=len(set(beat.data.get("alarms", ())) - OWN_WORDS) if beat else 0,
    )


def alarms(*, readings: Readings, empty_roles: list[str]) -> list[str]:
    """What a pass that ends now has found wrong. Three queries."""
    rows = Heartbeat.objects.in_bulk([NIGHTLY, INBOUND])
    rows[ENGINE] = Heartbeat(name=ENGINE, at=clock.real_now(), data={"empty_roles": empty_roles})
    return domain.alarms(readings, _beats(rows, audit_seal.state(clock.real_now())), _limits())


def _limits() -> Limits:
    return Limits(
        engine=settings.ENGINE_LATE_SECONDS,
        backlog=settings.BACKLOG_LATE_SECONDS,
        silence=settings.INBOUND_SILENT_HOURS * 3600,
    )


def state(now: datetime) -> EngineState:
    """Five queries."""
    rows = Heartbeat.objects.in_bulk([ENGINE, NIGHTLY, INBOUND])
    seal = audit_seal.state(clock.real_now())
    readings = watch.readings(now)
    beats = _beats(rows, seal)
    limits = _limits()
    return EngineState(
        beats=beats,
        readings=readings,
        alarms=domain.alarms(readings, beats, limits),
        last_pass=rows[ENGINE].data if ENGINE in rows else {},
        nightly=rows.get(NIGHTLY),
        inbound=rows.get(INBOUND),
        late_channels=readings.late_channels(limits.backlog),
    )


def _beats(rows: Mapping[str, Heartbeat], seal: audit_seal.SealState) -> Beats:
    engine, nightly, inbound = rows.get(ENGINE), rows.get(NIGHTLY), rows.get(INBOUND)
    return Beats(
        engine_seconds=_ago(engine),
        empty_roles=tuple(engine.data.get("empty_roles", ())) if engine else (),
        nightly_seconds=_ago(nightly),
        nightly_faults=_faults(nightly.data) if nightly else 0,
        seal_behind=seal.behind,
        seal_broken=bool(seal.broken),
        inbound_seconds=_ago(inbound),
        silent_seconds=_silent(inbound),
    )


def _silent(inbound: Heartbeat | None) -> int | None:
    last = inbound.data.get("last_message_at") if inbound else None
    return int((clock.real_now() - datetime.fromisoformat(last)).total_seconds()) if last else None


def _faults(data: dict[str, Any]) -> int:
    """What the nightly check found wrong, repaired or not, and what it could not look at."""
    found = sum(int(number) for number in (data.get("violations") or {}).values())
    return max(found, int(data.get("open_faults", 0))) + int(data.get("set_aside", 0)) + int(data.get("left_over", 0))


def _ago(beat: Heartbeat | None) -> int | None:
    return round((clock.real_now() - beat.at).total_seconds()) if beat else None


def stopped() -> QuerySet[Message]:
    """Messages that did not arrive, or of which nobody knows, and that nobody has dealt with; the newest first."""
    return (
        Message.objects.filter(watch.STOPPED)
        .select_related("recipient", "follow_up__procedure")
        .order_by("-settled_at", "-pk")
    )


def sent_lately() -> QuerySet[Message]:
    """What a mail that lies undelivered in the clinic's mailbox may be; the newest first."""
    since = clock.real_now() - LATELY
    return (
        Message.objects.filter(state=MessageState.SENT, settled_at__gte=since)
        .select_related("recipient", "follow_up__procedure")
        .order_by("-settled_at", "-pk")[:SHOWN]
    )
