"""Make the stored promises of a subject equal to its plan: the only place that opens, changes or closes one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from clinic import clock, row_locks
from clinic.models import User
from clinic.ready_query import ReadyQuery
from clinic.roles import Role
from followups.domain import closing, planner
from followups.domain.kinds import Kind, Subject
from followups.domain.promise import Promise
from followups.models import FollowUp, TextMessage
from followups.selectors import facts as facts_selector
from followups.selectors import texts, undelivered
from followups.services import ladders
from procedures.models import InboundMessage, Procedure, Series
from procedures.selectors import series as series_selector

logger = logging.getLogger(__name__)
PLAN_FAILED = "plan_failed"
CLINIC_ID = 1
CLINIC_LOCK = 20_002
PLANNED = (
    "UPDATE procedures_procedure SET planned_version = facts_version, closed_at = %(closed_at)s WHERE id = %(case)s"
)

# asked at every change of a fact: written once
PROMISES: dict[Subject, ReadyQuery[FollowUp]] = {
    subject: ReadyQuery(partial(lambda kind, pk: FollowUp.objects.filter(subject_kind=kind, subject_id=pk), subject))
    for subject in Subject
}


def procedure(pk: int, row: Procedure | None = None) -> None:
    """Plan the case and make its rows equal. Twice equals once. Raises whatever the planner raises.

    ``row``: the case as ``outreach.heed`` has just read and locked it in this transaction.
    """
    with transaction.atomic():
        row = row or _locked(pk)
        facts = facts_selector.of(row)
        promises = planner.plan(facts)
        now = clock.now()
        make_equal(Of(Subject.PROCEDURE, pk, facts, row), promises, now)
        closed = planner.is_closed(facts, promises)
        closed_at = (row.closed_at or now) if closed else None
        if row.planned_version != row.facts_version or row.closed_at != closed_at:
            with connection.cursor() as cursor:
                cursor.execute(PLANNED, {"case": pk, "closed_at": closed_at})


def series(pk: int) -> None:
    """The same for a series. Its promise stands at its latest case, which says whose it is."""
    with transaction.atomic():
        row = _locked_series(pk)
        cases = list(row.taps.order_by("series_place"))
        facts = facts_selector.of_series(row, cases)
        at = _latest(cases)
        make_equal(Of(Subject.SERIES, pk, facts, at), planner.plan(facts, Subject.SERIES), clock.now())
        open_ones = FollowUp.objects.filter(subject_kind=Subject.SERIES, subject_id=pk, closed_at__isnull=True)
        open_ones.exclude(procedure=at).update(procedure=at)
        if row.planned_version != row.facts_version:
            Series.objects.filter(pk=pk).update(planned_version=F("facts_version"))


def message(pk: int) -> None:
    """The same for what waits of a laboratory's message."""
    with transaction.atomic():
        row = row_locks.lock(InboundMessage, pk, without=("raw",))
        facts = facts_selector.of_message(row)
        make_equal(Of(Subject.MESSAGE, pk, facts), planner.plan(facts, Subject.MESSAGE), clock.now())
        if row.planned_version != row.facts_version:
            InboundMessage.objects.filter(pk=pk).update(planned_version=F("facts_version"))


def or_promise_repair(pk: int, subject: Subject = Subject.PROCEDURE, *, row: Procedure | None = None) -> bool:
    """Plan, in a savepoint. If the planner raises, the facts stand and the responsible clinician gets a fixed promise.

    ``row`` as in ``procedure``. Returns whether the plan was made. ``planned_version`` stays behind, so the engine's
    sweep tries again.
    """
    try:
        if row is not None:
            procedure(pk, row)
        else:
            {Subject.SERIES: series, Subject.MESSAGE: message}.get(subject, procedure)(pk)
    except Exception:  # whatever went wrong, the fact must survive and a person must hear of it
        logger.exception("plan failed for %s %s", subject, pk)
        with transaction.atomic():
            repairs = {Subject.SERIES: series_plan_failed, Subject.MESSAGE: message_plan_failed}
            repairs.get(subject, plan_failed)(pk)
        return False
    return True


def text(pk: int) -> None:
    """Plan what is promised about a text that came in. Twice equals once."""
    with transaction.atomic():
        row = TextMessage.objects.select_for_update(of=("self",), no_key=True).select_related("procedure").get(pk=pk)
        facts = texts.facts_of(row)
        make_equal(Of(Subject.TEXT, pk, facts, row.procedure), planner.plan(facts, Subject.TEXT), clock.now())


def text_or_later(pk: int) -> None:
    """The words must survive a planner that raises; the engine's next pass plans what has no promise yet."""
    try:
        with transaction.atomic():
            text(pk)
    except Exception:
        logger.exception("plan failed for text %s", pk)


def person(pk: int, now: datetime) -> None:
    """Plan what is promised about somebody of the staff: do messages reach them? Twice equals once."""
    with transaction.atomic():
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)
        facts = undelivered.of_person(pk, now)
        make_equal(Of(Subject.PERSON, pk, facts), planner.plan(facts, Subject.PERSON), now)


def clinic(empty_roles: Iterable[Role], now: datetime) -> None:
    """Plan what is promised about the clinic as a whole: does somebody answer for every role?"""
    with transaction.atomic():
        with connection.cursor() as cursor:  # there is no row of the clinic's to lock
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLINIC_LOCK])
        facts = undelivered.of_clinic(empty_roles, now)
        make_equal(Of(Subject.CLINIC, CLINIC_ID, facts), planner.plan(facts, Subject.CLINIC), now)


def plan_failed(pk: int) -> None:
    """The promise that needs no planner: look at this case by hand."""
    row = _locked(pk)
    _promise_repair(Of(Subject.PROCEDURE, pk, None, row), row.responsible_id)
    if row.closed_at is not None:
        Procedure.objects.filter(pk=pk).update(closed_at=None)


def series_plan_failed(pk: int) -> None:
    """The same for a series: it stands at its latest case."""
    row = _locked_series(pk)
    at = _latest(list(row.taps.order_by("series_place")))
    _promise_repair(Of(Subject.SERIES, pk, None, at), row.responsible_id)


def message_plan_failed(pk: int) -> None:
    """The same for a message."""
    _promise_repair(Of(Subject.MESSAGE, pk, None), None)


def _promise_repair(of: Of, responsible_id: int | None) -> None:
    now = clock.now()
    promise = Promise(
        kind=Kind.PLAN_FAILED,
        key=PLAN_FAILED,
        start_at=now,
        due_at=now,
        role=Role.PHYSICIAN,
        responsible_id=responsible_id,
        level="critical",
    )
    existing = FollowUp.objects.filter(subject_kind=of.subject, subject_id=of.id, key=PLAN_FAILED).first()
    if existing is None:
        _new(of, promise, now).save(force_insert=True)
    elif not existing.is_open:
        _update(existing, promise, now)


@dataclass(frozen=True)
class Of:
    """Whose promises are made equal: a case, a series, a person, the clinic. ``facts`` tell why one ended."""

    subject: Subject
    id: int
    facts: Any
    procedure: Procedure | None = None


def make_equal(of: Of, promises: tuple[Promise, ...], now: datetime) -> None:
    """Insert, update, re-open and close by key, under the subject's lock."""
    stored = {f.key: f for f in PROMISES[of.subject].rows(of.id)}
    wanted = {p.key: p for p in promises}
    new = [_new(of, promise, now) for key, promise in wanted.items() if key not in stored]
    if new:
        FollowUp.objects.bulk_create(new)
    for key, promise in wanted.items():
        if key in stored and _differs(stored[key], promise):
            _update(stored[key], promise, now)
    for key, follow_up in stored.items():
        if follow_up.is_open and key not in wanted:
            _close(follow_up, of.facts, now)


def _locked(pk: int) -> Procedure:
    # the protocol's data is large, and parsed once per process
    related = ("patient", "protocol_version__protocol")
    return row_locks.lock(Procedure, pk, *related, without=("protocol_version__data",))


def _locked_series(pk: int) -> Series:
    return row_locks.lock(Series, pk, "patient", "protocol")


def _latest(cases: list[Procedure]) -> Procedure | None:
    """The last one that stands, or simply the last."""
    standing = [case for case in cases if series_selector.tap(case).stands]
    return next(reversed(standing or cases), None)


def _new(of: Of, promise: Promise, now: datetime) -> FollowUp:
    return FollowUp(
        subject_kind=str(of.subject),
        subject_id=of.id,
        procedure=of.procedure,
        key=promise.key,
        opened_at=now,
        next_action_at=_first_action(promise),
        **_columns(promise),
    )


def _columns(promise: Promise) -> dict[str, object]:
    return {
        "kind": str(promise.kind),
        "about": promise.about,
        "level": promise.level,
        "start_at": promise.start_at,
        "due_at": promise.due_at,
        "role": str(promise.role),
        "responsible_id": promise.responsible_id,
    }


def _first_action(promise: Promise) -> datetime:
    ladder = ladders.ladder(promise.kind, promise.level)
    return ladder.action_at(rung=0, repeat=0, start_at=promise.start_at, due_at=promise.due_at)


def _differs(stored: FollowUp, promise: Promise) -> bool:
    return not stored.is_open or any(getattr(stored, name) != value for name, value in _columns(promise).items())


def _update(stored: FollowUp, promise: Promise, now: datetime) -> None:
    """Reconcile's columns. Re-opening, or another start, due or level, begins the ladder anew (generation)."""
    changes = _columns(promise)
    anew = (
        not stored.is_open
        or stored.start_at != promise.start_at
        or stored.due_at != promise.due_at
        or stored.level != promise.level
    )
    if anew:
        changes.update(
            generation=stored.generation + 1,
            rung=0,
            repeat=0,
            next_action_at=_first_action(promise),
            escalated_role="",
            snoozed_until=None,
        )
    if not stored.is_open:
        changes.update(closed_at=None, closed_because="", opened_at=now, taken_by=None, taken_at=None)
    FollowUp.objects.filter(pk=stored.pk).update(**changes)


def _close(stored: FollowUp, facts: Any, now: datetime) -> None:
    why = closing.because(Kind(stored.kind), stored.about, facts)
    FollowUp.objects.filter(pk=stored.pk).update(closed_at=now, closed_because=str(why), next_action_at=None)
