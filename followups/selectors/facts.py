"""A case's rows as the frozen facts that the planner reads: a fixed number of queries, however many tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from clinic.ready_query import ReadyQuery
from followups.domain import facts as f
from followups.domain.message_facts import MessageFacts
from followups.models import Action, FollowUp, Message, PatientContact, PatientLink, Review, SymptomCheck
from followups.models.contacts import TOLD
from followups.selectors import lab_facts, notice_facts, symptom_facts
from procedures.domain import clearance as rules
from procedures.domain import slots
from procedures.domain.checklist import DAY_OF
from procedures.domain.clearance import Standing
from procedures.domain.findings import Finding, Severity
from procedures.domain.protocol import Protocol
from procedures.domain.series import Timing
from procedures.domain.states import (
    Disposition,
    EncounterClass,
    Level,
    Outcome,
    ProcedureStatus,
    Urgency,
)
from procedures.domain.transfers import TransferAnswer, TransferWhy
from procedures.models import (
    Checklist,
    Countersignature,
    Hold,
    InboundMessage,
    LabTest,
    LaterDecision,
    Procedure,
    ProcedureRecord,
    SafetyRun,
    Series,
    Specimen,
    Transfer,
)
from procedures.models.inbound import InboundState, ItemState
from procedures.selectors import checklists, clearance
from procedures.selectors import series as series_selector

#: Before anything was ever answered: nothing has expired.
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
#: What belongs to a case and many a case has none of: asked for in one query, and read only where there is any.
PARTS: tuple[type[Model], ...] = (
    Action,
    Checklist,
    Hold,
    LabTest,
    LaterDecision,
    PatientContact,
    PatientLink,
    ProcedureRecord,
    Review,
    SafetyRun,
    Specimen,
    SymptomCheck,
    Transfer,
)

# asked at every change of a fact: written once
HOLDS = ReadyQuery(lambda case: Hold.objects.filter(procedure=case).order_by("pk"))
TRANSFERS = ReadyQuery(lambda case: Transfer.objects.filter(procedure=case).order_by("pk"))
LATER = ReadyQuery(lambda case: LaterDecision.objects.filter(procedure=case).values_list("code", flat=True))
#: The newest signed record: a draft of an amendment does not unsign what stands.
SIGNED = ReadyQuery(
    lambda case: ProcedureRecord.objects.filter(procedure=case, signed_at__isnull=False).order_by("-number")[:1]
)
CARRIED_OUT = ReadyQuery(
    lambda patient, protocol: (
        Procedure.objects.filter(
            patient_id=patient, protocol_version__protocol_id=protocol, status=ProcedureStatus.COMPLETED
        )
        .order_by()
        .values_list("started_at", flat=True)
    )
)
CONTACTS = ReadyQuery(
    lambda case: (
        PatientContact.objects.filter(procedure=case)
        .order_by("at", "pk")
        .only("purpose", "outcome", "at", "channel", "told_versions", "by_id")
    )
)
ACTIONS: ReadyQuery[Any] = ReadyQuery(
    lambda case: (
        Action.objects.filter(procedure=case)
        .order_by("pk")
        .values_list(
            "pk",
            "plan",
            "created_at",
            "due_at",
            "done_at",
            "responsible_id",
            "done_by_id",
            "review__version_id",
            named=True,
        )
    )
)


def of(procedure: Procedure) -> f.ProcedureFacts:
    """The facts of one case. ``procedure`` must carry ``patient`` and ``protocol_version``."""
    data = procedure.protocol_version.parsed
    patient = procedure.patient
    there = parts_of(procedure)
    symptoms, signs = symptom_facts.reported(procedure, data) if SymptomCheck in there else ((), set())
    contacts = _contacts(procedure) if PatientContact in there else ()
    actions = ACTIONS.rows(procedure.pk) if Action in there else []
    tests, specimens, taken_back = lab_facts.laboratory(procedure, contacts, actions, there)
    record = SIGNED.first(procedure.pk) if ProcedureRecord in there else None
    holds = HOLDS.rows(procedure.pk) if Hold in there else []
    answered = _answered(procedure, data) if Checklist in there else set()
    flags = frozenset(_flags(procedure, data, record, holds) | signs | answered)
    reachable = symptom_facts.may_be_written_to(patient)
    return f.ProcedureFacts(
        id=procedure.pk,
        protocol=data,
        status=ProcedureStatus(procedure.status),
        urgency=Urgency(procedure.urgency),
        requested_at=procedure.requested_at,
        slot_at=procedure.stay.lower if procedure.stay else None,
        slot_ends_at=_stay_ends(procedure, data),
        arrived_at=procedure.arrived_at,
        started_at=procedure.started_at,
        completed_at=procedure.completed_at,
        ended_at=procedure.ended_at,
        outcome=Outcome(procedure.outcome) if procedure.outcome else None,
        disposition=Disposition(procedure.disposition) if procedure.disposition else None,
        encounter_class=EncounterClass(patient.encounter_class),
        deceased=patient.deceased_at is not None,
        responsible_id=procedure.responsible_id,
        operator_id=procedure.operator_id,
        emergency_start=procedure.emergency_start,
        unsigned_stages=_unsigned(procedure),
        **_before_the_needle(procedure),
        record_signed_at=record.signed_at if record else None,
        flags=flags,
        tests=tests,
        specimens=specimens,
        holds=tuple(_hold(h) for h in holds),
        actions=tuple(_action(a) for a in actions),
        symptoms=symptoms,
        contacts=contacts,
        emergency_by_id=procedure.emergency_by_id,
        countersigned=_countersigned(procedure),
        discharged_at=patient.discharged_at,
        transfers=_transfers(procedure) if Transfer in there else (),
        later_decided=_later_decided(procedure, data) if LaterDecision in there else frozenset(),
        safety=_safety(procedure) if SafetyRun in there else f.SafetyFact(),
        taken_back=taken_back,
        **notice_facts.messages(procedure, flags, reachable, there),
        by_message=reachable,
        morning_after=symptom_facts.morning_after,
        locked=symptom_facts.locked(procedure, contacts) if PatientLink in there else (),
        booked_again_at=symptom_facts.booked_again_at(procedure) if any(s.rebook_at for s in symptoms) else None,
    )


def parts_of(procedure: Procedure) -> frozenset[type[Model]]:
    """Which of ``PARTS`` a case has rows of, and whether any message to its patient.

    To be asked after the case is locked, like everything here.
    """
    with connection.cursor() as cursor:
        cursor.execute(_parts_query(), {"case": procedure.pk})
        found = cursor.fetchone()
    asked: tuple[type[Model], ...] = (*PARTS, Message)
    return frozenset(part for part, is_there in zip(asked, found, strict=True) if is_there)


@cache
def _parts_query() -> str:
    name = connection.ops.quote_name
    exists = [f"EXISTS (SELECT 1 FROM {name(part._meta.db_table)} WHERE procedure_id = %(case)s)" for part in PARTS]
    message, promise = name(Message._meta.db_table), name(FollowUp._meta.db_table)
    exists.append(
        f"EXISTS (SELECT 1 FROM {message} m JOIN {promise} f ON f.id = m.follow_up_id"
        " WHERE f.procedure_id = %(case)s AND m.patient_id IS NOT NULL)"
    )
    return "SELECT " + ", ".join(exists)


def _countersigned(procedure: Procedure) -> bool:
    # nobody but an emergency pays for the query
    if not procedure.emergency_start or procedure.started_at is None:
        return False
    return Countersignature.objects.filter(procedure=procedure, start_at=procedure.started_at).exists()


def _transfers(procedure: Procedure) -> tuple[f.TransferFact, ...]:
    return tuple(
        f.TransferFact(
            id=t.pk,
            why=TransferWhy(t.why),
            to_id=t.to_user_id,
            offered_at=t.offered_at,
            answer=TransferAnswer(t.answer),
            answered_at=t.answered_at,
        )
        for t in TRANSFERS.rows(procedure.pk)
    )


def _later_decided(procedure: Procedure, data: Protocol) -> frozenset[str]:
    if not data.later_tests or procedure.started_at is None:
        return frozenset()
    return frozenset(LATER.rows(procedure.pk))


def of_series(series: Series, cases: Iterable[Procedure]) -> f.SeriesFacts:
    """The facts of one series; ``cases`` are all that belong to it."""
    protocol = series_selector.newest(series).parsed
    zone = timezone.get_default_timezone()
    return f.SeriesFacts(
        id=series.pk,
        code=series.code,
        protocol=protocol,
        active=series.is_active,
        deceased=series.patient.deceased_at is not None,
        course=series_selector.course(series, cases),
        timing=Timing.of(protocol),
        begin_of=lambda day: slots.moment(day, time(0), zone),
    )


def of_message(message: InboundMessage) -> MessageFacts:
    """The facts of one message. One query."""
    levels = list(message.items.filter(state=ItemState.WAITING).values_list("level", flat=True))
    critical, abnormal = str(Level.CRITICAL) in levels, str(Level.ABNORMAL) in levels
    return MessageFacts(
        id=message.pk,
        received_at=message.received_at,
        waiting=len(levels),
        level="critical" if critical else "abnormal" if abnormal else "normal",
        unreadable=message.state == InboundState.UNREADABLE,
    )


def _hold(row: Hold) -> f.HoldFact:
    rule: dict[str, Any] = row.restart_rule or {}
    planned = row.planned_last_dose_at
    return f.HoldFact(
        id=row.pk,
        decided_at=row.decided_at,
        restart_due_at=row.restart_due_at,
        decided=bool(row.restart) or row.withdrawn_at is not None,
        planned_last_dose_at=timezone.localtime(planned) if planned else None,
        told=row.told_patient_at is not None,
        ruled=row.restart_rule is not None,
        restart_hours=rule.get("hours"),
        traumatic_hours=rule.get("traumatic_hours"),
    )


def _safety(procedure: Procedure) -> f.SafetyFact:
    """From the stored runs alone: that time passes must not change a plan."""
    if procedure.state not in clearance.BEFORE:
        return f.SafetyFact()
    runs = clearance.RUN_HEADS.rows(procedure.pk)
    newest = clearance.NEWEST_FINDINGS.first(procedure.pk)
    if newest is None:
        return f.SafetyFact()
    decided = {d.id: d for d in clearance.decided(procedure)}
    stood = rules.stand(
        [Finding.from_data(row) for row in newest],
        list(decided.values()),
        fluoroscopic=clearance.is_fluoroscopic(procedure),
        looked_again=clearance.looked_again(runs),
    )
    waiting = {s.finding.key: s.finding for s in stood if s.standing is Standing.OPEN}
    since = [datetime.fromisoformat(row["since"]) for row in newest if row["key"] in waiting]
    stops = sum(finding.severity is Severity.STOP for finding in waiting.values())
    unsigned = sorted({s.decided.id for s in stood if s.standing is Standing.TO_SIGN and s.decided})
    changed = next((r for r in runs if r.moment in rules.PROMISED), None)
    unseen = changed is not None and changed.changed and changed.seen is None
    return f.SafetyFact(
        stops=stops,
        cautions=len(waiting) - stops,
        since=min(since, default=None),
        to_sign=tuple(f.UnsignedFact(decision=pk, at=decided[pk].at) for pk in unsigned),
        changed_run=changed.pk if changed is not None and unseen else None,
        changed_at=changed.ran_at if changed is not None and unseen else None,
    )


def _stay_ends(procedure: Procedure, data: Protocol) -> datetime | None:
    if procedure.started_at is None:
        return procedure.stay.upper if procedure.stay else None
    ends: datetime = procedure.started_at + timedelta(minutes=data.variant(procedure.variant).stay_minutes)
    return ends


def _unsigned(procedure: Procedure) -> tuple[str, ...]:
    # only an emergency start leaves stages behind; nobody else pays for the queries
    return tuple(checklists.unsigned_stage_codes(procedure)) if procedure.emergency_start else ()


def _before_the_needle(procedure: Procedure) -> dict[str, Any]:
    """What the checklist still owes before the day itself, and how long its answers are good.

    Judged at no moment: that time passes must not change a plan, so nothing counts as expired here.
    """
    if procedure.state not in {ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED} or procedure.stay is None:
        return {}
    state = checklists.state_of(procedure, LONG_AGO)
    stages = [s for s in state.stages if s.stage.blocks_start and s.stage.code not in DAY_OF]
    limited = {
        q.question.code: f.AnswerFact(
            question=q.question.code,
            valid_until=q.answer.valid_until,
            valid_for=q.answer.valid_until - q.answer.answered_at,
        )
        for s in stages
        for q in s.questions
        if q.answer is not None and q.answer.valid_until is not None
    }
    return {
        "stages_owed": tuple(s.stage.code for s in stages if not s.signed),
        "answers": tuple(limited[code] for code in sorted(limited)),
    }


def _flags(
    procedure: Procedure,
    data: Protocol,
    record: ProcedureRecord | None,
    holds: list[Hold],
) -> set[str]:
    """What makes extra symptom checks due; the protocol's ``only_if`` names them."""
    flags = set()
    fields: dict[str, Any] = record.fields if record else {}
    for rule in data.record_rules:
        value = fields.get(rule.field)
        if isinstance(value, int | float) and value > rule.above:
            flags.add("large_volume")
    if record and record.complications:
        flags.add("complicated")
    if fields.get("traumatic_tap") in {"yes", True}:
        flags.add("traumatic")
    if holds:
        flags.add("held")
    flags.add("serial" if _has_had_one(procedure) else "first")
    return flags


def _has_had_one(procedure: Procedure) -> bool:
    """An earlier case of this patient and this kind was carried out."""
    begun = procedure.started_at
    if begun is None:
        return False
    earlier = CARRIED_OUT.rows(procedure.patient_id, procedure.protocol_version.protocol_id)
    return any(started is not None and started < begun for started in earlier)


def _answered(procedure: Procedure, data: Protocol) -> set[str]:
    """Those conditions of the protocol's later tests that the newest round of the checklist fulfils."""
    conditions = {condition for item in data.later_tests for condition in item.if_answer}
    if not conditions or procedure.started_at is None:
        return set()
    given = checklists.answers_to(procedure, {condition.partition("=")[0] for condition in conditions})

    def holds(condition: str) -> bool:
        question, _, wanted = condition.partition("=")
        return question in given and given[question] in wanted.split("|")

    return {condition for condition in conditions if holds(condition)}


def _contacts(procedure: Procedure) -> tuple[f.ContactFact, ...]:
    return tuple(
        f.ContactFact(
            purpose=c.purpose,
            told=c.outcome in TOLD,
            outcome=c.outcome,
            at=c.at,
            channel=c.channel,
            versions=frozenset(c.told_versions),
            by_id=c.by_id,
        )
        for c in CONTACTS.rows(procedure.pk)
    )


def _action(row: Any) -> f.ActionFact:
    return f.ActionFact(
        id=row.pk,
        plan=row.plan,
        created_at=row.created_at,
        due_at=row.due_at,
        done=row.done_at is not None,
        responsible_id=row.responsible_id,
    )
