"""Whom messages do not reach, and which reminders did not get through: what the planner and the case page read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Max, Q, QuerySet

from clinic.roles import Role
from followups.domain.engine_facts import ClinicFacts, PersonFacts
from followups.domain.kinds import Kind, MessageState, Subject
from followups.models import FollowUp, Message
from followups.selectors.watch import STOPPED

#: Failed, and nobody has dealt with it. Of unknown fate is something else: the address may well be right.
FAILED = Q(state=str(MessageState.FAILED), dealt_at__isnull=True)
OWN = (str(Kind.DELIVERY_FAILED), str(Kind.EMPTY_ROLE))


def to_plan() -> tuple[frozenset[int], bool]:
    """People whose promise may have to be opened or closed, and whether the clinic has one. Two queries."""
    found = set(Message.objects.filter(FAILED, recipient__isnull=False).values_list("recipient", flat=True).distinct())
    rows = FollowUp.objects.filter(subject_kind__in=[str(Subject.PERSON), str(Subject.CLINIC)], kind__in=OWN)
    still = set(rows.filter(closed_at__isnull=True).values_list("subject_kind", "subject_id"))
    people = {pk for kind, pk in still if kind == Subject.PERSON}
    return frozenset(found | people), any(kind == Subject.CLINIC for kind, _ in still)


def of_person(pk: int, now: datetime) -> PersonFacts:
    """Four queries."""
    to_them = Message.objects.filter(recipient=pk)
    failed = _last(to_them.filter(FAILED), "channel", "settled_at")
    arrived = _last(to_them.filter(state=str(MessageState.SENT)), "channel", "settled_at")
    promises = FollowUp.objects.filter(subject_kind=str(Subject.PERSON), subject_id=pk, kind=str(Kind.DELIVERY_FAILED))
    alarms = _last(Message.objects.filter(follow_up__in=promises), "follow_up__about__channel", "created_at")
    return PersonFacts(
        at=now,
        undelivered=frozenset(channel for channel, at in failed.items() if not _later(arrived.get(channel), at)),
        open_since={row.about["channel"]: row.start_at for row in promises if row.is_open},
        alarmed_at={channel: at for channel, at in alarms.items() if at is not None},
    )


def of_clinic(empty_roles: Iterable[Role], now: datetime) -> ClinicFacts:
    """One query."""
    rows = FollowUp.objects.filter(subject_kind=str(Subject.CLINIC), kind=str(Kind.EMPTY_ROLE), closed_at__isnull=True)
    return ClinicFacts(
        at=now, empty_roles=tuple(empty_roles), open_since={row.about["role"]: row.start_at for row in rows}
    )


def _last(rows: object, by: str, column: str) -> dict[str, datetime | None]:
    grouped = rows.values_list(by).annotate(last=Max(column)).order_by()  # type: ignore[attr-defined]
    return dict(grouped)


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other


def part(case: Any) -> QuerySet[Message, tuple[int, int, str]]:
    """Messages that did not arrive, each with its promise and the promise's generation."""
    rows = Message.objects.filter(STOPPED, follow_up__procedure=case, follow_up__closed_at__isnull=True)
    return rows.values_list("follow_up", "follow_up__generation", "key")


def promises_in(rows: Iterable[tuple[int, int, str]]) -> frozenset[int]:
    """The promises of those messages that are about them as they stand now."""
    return frozenset(pk for pk, generation, key in rows if key.startswith(f"{pk}:{generation}:"))
