"""A case's rows as the frozen facts that the planner reads: a fixed number of queries, however many tests."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from followups.domain import facts as f
from followups.domain import notices
from followups.domain.kinds import Closed, Kind, MessageState
from followups.domain.message_facts import MessageFacts
from followups.domain.notices import Notice
from followups.domain.reach import ways
from followups.domain.telling import unreachable
from followups.models import Action, Message, PatientContact, PatientLink, Review, SymptomCheck
from followups.models.contacts import TOLD
from followups.selectors import reach, symptom_facts
from procedures.domain import clearance as rules
from procedures.domain import slots
from procedures.domain import versions as versions_rule
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
    ResultStatus,
    TestStatus,
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
    ResultVersion,
    SafetyRun,
    Series,
    Specimen,
    TakenBack,
    Transfer,
)
from procedures.models.inbound import InboundState, ItemState
from procedures.selectors import checklists, clearance
from procedures.selectors import series as series_selector

#: States of a message that did not arrive, or of which nobody knows.
STOPPED = frozenset({MessageState.FAILED, MessageState.UNKNOWN})
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


def of(procedure: Procedure) -> f.ProcedureFacts:
    """The facts of one case. ``procedure`` must carry ``patient`` and ``protocol_version``."""
    data = procedure.protocol_version.parsed
    patient = procedure.patient
    there = parts_of(procedure)
    symptoms = symptom_facts.reports(procedure, data) if SymptomCheck in there else ()
    contacts = _contacts(procedure) if PatientContact in there else ()
    tests, specimens, taken_back = _laboratory(procedure, contacts, there)
    record = _record(procedure) if ProcedureRecord in there else None
    holds = list(Hold.objects.filter(procedure=procedure).order_by("pk")) if Hold in there else []
    flags = _flags(procedure, data, record, holds, there)
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
        actions=_actions(procedure) if Action in there else (),
        symptoms=symptoms,
        contacts=contacts,
        emergency_by_id=procedure.emergency_by_id,
        countersigned=_countersigned(procedure),
        discharged_at=patient.discharged_at,
        transfers=_transfers(procedure) if Transfer in there else (),
        later_decided=_later_decided(procedure, data) if LaterDecision in there else frozenset(),
        safety=_safety(procedure) if SafetyRun in there else f.SafetyFact(),
        taken_back=taken_back,
        **_messages(procedure, flags),
        **symptom_facts.links(procedure, contacts if PatientLink in there else None),
        booked_again_at=symptom_facts.booked_again_at(procedure) if any(s.rebook_at for s in symptoms) else None,
    )


def parts_of(procedure: Procedure) -> frozenset[type[Model]]:
    """Which of ``PARTS`` a case has rows of. To be asked after the case is locked, like everything here."""
    with connection.cursor() as cursor:
        cursor.execute(_parts_query(), {"case": procedure.pk})
        found = cursor.fetchone()
    return frozenset(part for part, is_there in zip(PARTS, found, strict=True) if is_there)


@cache
def _parts_query() -> str:
    name = connection.ops.quote_name
    return "SELECT " + ", ".join(
        f"EXISTS (SELECT 1 FROM {name(part._meta.db_table)} WHERE procedure_id = %(case)s)" for part in PARTS
    )


def _messages(procedure: Procedure, flags: frozenset[str]) -> dict[str, Any]:
    """What the patient is told by messages. Two queries, and one more for who may be written to."""
    to_patient = Message.objects.filter(patient__isnull=False, follow_up__procedure=procedure)
    columns = ("state", "dealt_at", "not_before", "follow_up__key", "follow_up__kind", "follow_up__closed_because")
    rows = list(to_patient.values_list(*columns))
    stopped = [row for row in rows if row[0] in STOPPED and row[1] is None]
    # what came back after it was sent is somebody's call, and not written once more to the same number
    written = [row for row in rows if row[0] == MessageState.SENT or row[1] is not None or row[5] == Closed.KEPT]
    return {
        "notices": _notices(procedure, flags),
        "written": frozenset(row[3] for row in written if row[4] == Kind.WRITE_TO_PATIENT),
        "unreached_since": min((row[2] for row in stopped), default=None),
    }


def _notices(procedure: Procedure, flags: frozenset[str]) -> tuple[Notice, ...]:
    patient, zone, times = procedure.patient, timezone.get_default_timezone(), notice_times()
    if not (patient.consent_email or patient.consent_sms) or not ways(reach.of(patient)):
        return ()
    if procedure.status == ProcedureStatus.SCHEDULED and procedure.stay and procedure.scheduled_at:
        slot_at, scheduled_at = procedure.stay.lower, procedure.scheduled_at
        return tuple(notices.before(slot_at=slot_at, scheduled_at=scheduled_at, times=times, zone=zone))
    if procedure.status == ProcedureStatus.COMPLETED and procedure.started_at:
        checks = procedure.protocol_version.parsed.symptom_checks
        if notices.quiet_week(flags, checks, times):
            return (notices.after(started_at=procedure.started_at, times=times, zone=zone),)
    return ()


@cache
def notice_times() -> notices.Times:
    """``notices.toml``, read once."""
    return notices.Times.of(tomllib.loads((Path(__file__).resolve().parent.parent / "notices.toml").read_text("utf-8")))


def _countersigned(procedure: Procedure) -> bool:
    # nobody but an emergency pays for the query
    if not procedure.emergency_start or procedure.started_at is None:
        return False
    return Countersignature.objects.filter(procedure=procedure, start_at=procedure.started_at).exists()


def _transfers(procedure: Procedure) -> tuple[f.TransferFact, ...]:
    rows = Transfer.objects.filter(procedure=procedure).order_by("pk")
    return tuple(
        f.TransferFact(
            id=t.pk,
            why=TransferWhy(t.why),
            to_id=t.to_user_id,
            offered_at=t.offered_at,
            answer=TransferAnswer(t.answer),
            answered_at=t.answered_at,
        )
        for t in rows
    )


def _later_decided(procedure: Procedure, data: Protocol) -> frozenset[str]:
    if not data.later_tests or procedure.started_at is None:
        return frozenset()
    return frozenset(LaterDecision.objects.filter(procedure=procedure).values_list("code", flat=True))


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
    runs = clearance.runs(procedure)
    if not runs:
        return f.SafetyFact()
    newest = runs[0].findings
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
    unseen = changed is not None and changed.changed and not hasattr(changed, "seen")
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


def _record(procedure: Procedure) -> ProcedureRecord | None:
    """The newest signed record: a draft of an amendment does not unsign what stands."""
    return ProcedureRecord.objects.filter(procedure=procedure, signed_at__isnull=False).order_by("-number").first()


def _flags(
    procedure: Procedure,
    data: Protocol,
    record: ProcedureRecord | None,
    holds: list[Hold],
    there: frozenset[type[Model]],
) -> frozenset[str]:
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
    if SymptomCheck in there:
        flags |= symptom_facts.flags(procedure)
    earlier = (
        Procedure.objects.filter(
            patient_id=procedure.patient_id,
            protocol_version__protocol_id=procedure.protocol_version.protocol_id,
            status=ProcedureStatus.COMPLETED,
            started_at__lt=procedure.started_at,
        ).exists()
        if procedure.started_at
        else False
    )
    flags.add("serial" if earlier else "first")
    return frozenset(flags | (_answered(procedure, data) if Checklist in there else set()))


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
    rows = PatientContact.objects.filter(procedure=procedure).order_by("at", "pk")
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
        for c in rows
    )


def _laboratory(
    procedure: Procedure, contacts: tuple[f.ContactFact, ...], there: frozenset[type[Model]]
) -> tuple[tuple[f.TestFact, ...], tuple[f.SpecimenFact, ...], tuple[f.TakenBackFact, ...]]:
    tests = list(LabTest.objects.filter(procedure=procedure).order_by("pk")) if LabTest in there else []
    versions: dict[int, list[ResultVersion]] = {t.pk: [] for t in tests}
    if tests:
        for version in ResultVersion.objects.filter(test__procedure=procedure).order_by("test_id", "number"):
            versions[version.test_id].append(version)
    reviews: dict[int, Review] = {}
    if Review in there:
        for review in Review.objects.filter(procedure=procedure, superseded_by__isnull=True).order_by("pk"):
            reviews[review.version_id] = review
    doers: dict[int, set[int]] = defaultdict(set)
    if Action in there:
        done = Action.objects.filter(procedure=procedure, done_by__isnull=False)
        for version_id, done_by in done.values_list("review__version_id", "done_by_id"):
            doers[version_id].add(done_by)
    tubes = Specimen.objects.filter(procedure=procedure).order_by("pk") if Specimen in there else ()
    facts = tuple(_test(t, versions[t.pk], reviews, contacts, doers) for t in tests)
    # what was withdrawn may have been somebody else's: it does not show that our tube arrived
    resulted = {t.specimen_id for t in tests if versions_rule.current(versions[t.pk]) is not None}
    specimens = tuple(
        f.SpecimenFact(
            id=s.pk,
            collected_at=s.collected_at,
            receipt_due_at=s.receipt_due_at,
            received=s.received_at is not None or s.pk in resulted,
            lost_at=s.loss_at if s.loss else None,
            handed_over=s.handed_over_at is not None,
        )
        for s in tubes
    )
    withdrawn = any(v.status == ResultStatus.WITHDRAWN for rows in versions.values() for v in rows)
    taken_back = _taken_back(procedure, versions, reviews, contacts, doers) if withdrawn else ()
    return facts, specimens, taken_back


def _taken_back(
    procedure: Procedure,
    versions: Mapping[int, list[ResultVersion]],
    reviews: Mapping[int, Review],
    contacts: tuple[f.ContactFact, ...],
    doers: Mapping[int, set[int]],
) -> tuple[f.TakenBackFact, ...]:
    rows = TakenBack.objects.filter(version__test__procedure=procedure, dealt_at__isnull=True)
    found = []
    for row in rows.select_related("version__test").order_by("pk"):
        gone = row.version
        before = {v.pk for v in versions[gone.test_id] if v.number < gone.number}
        involved = _involved(before, reviews, contacts, doers)
        found.append(
            f.TakenBackFact(version_id=gone.pk, test=gone.test.code, why=row.why, at=row.at, involved=involved)
        )
    return tuple(found)


def _test(
    test: LabTest,
    versions: list[ResultVersion],
    reviews: dict[int, Review],
    contacts: tuple[f.ContactFact, ...],
    doers: Mapping[int, set[int]],
) -> f.TestFact:
    # a result may arrive for a test that nobody recorded as collected: its clock then runs from the best known time
    base = test.collected_at or test.received_at or (versions[0].reported_at if versions else test.ordered_at)
    current = versions_rule.current(versions)
    earlier = {v.pk for v in versions if current is None or v.pk != current.pk}
    status = TestStatus(test.status)
    return f.TestFact(
        id=test.pk,
        code=test.code,
        status=status,
        specimen_id=test.specimen_id,
        collected_at=base,
        usual_at=test.after(base, test.usual_hours),
        outer_at=test.after(base, test.outer_hours),
        extended=test.extended,
        current=_version(current, reviews, contacts) if current else None,
        ended_at=test.ended_at,
        # also when all that was reported was withdrawn: whoever was told of it hears that it does not hold
        cancelled_after_collection=status is TestStatus.CANCELLED and test.collected_at is not None and current is None,
        recollect_at=test.recollect_decided_at if status in {TestStatus.REJECTED, TestStatus.LOST} else None,
        told_before=any(c.told and c.versions & earlier for c in contacts),
        reviewed_before=any(pk in reviews for pk in earlier),
        involved=_involved(earlier, reviews, contacts, doers),
    )


def _involved(
    earlier: set[int],
    reviews: Mapping[int, Review],
    contacts: Iterable[f.ContactFact],
    doers: Mapping[int, set[int]],
) -> frozenset[int]:
    """Who read these versions, told the patient of them, or did what was decided on them."""
    readers = {reviews[pk].reviewer_id for pk in earlier if pk in reviews}
    tellers = {c.by_id for c in contacts if c.by_id is not None and c.told and c.versions & earlier}
    return frozenset(readers | tellers).union(*(doers.get(pk, set()) for pk in earlier))


def _version(version: ResultVersion, reviews: dict[int, Review], contacts: tuple[f.ContactFact, ...]) -> f.VersionFact:
    review = reviews.get(version.pk)
    return f.VersionFact(
        id=version.pk,
        number=version.number,
        status=version.status,
        level=version.level,
        arrived_at=version.arrived_at,
        review=f.ReviewFact(at=review.at, interpretation=review.interpretation, plan=review.plan, tell=review.tell)
        if review
        else None,
        told_at=_told_at(version.pk, review, contacts),
    )


def _told_at(version_id: int, review: Review | None, contacts: Iterable[f.ContactFact]) -> datetime | None:
    """When the patient was reached about exactly this version, or the unreachable-patient protocol was completed."""
    told = [c.at for c in contacts if c.told and version_id in c.versions]
    if told:
        return min(told)
    return unreachable([c for c in contacts if c.purpose == "results"], review.at) if review else None


def _actions(procedure: Procedure) -> tuple[f.ActionFact, ...]:
    return tuple(
        f.ActionFact(
            id=a.pk,
            plan=a.plan,
            created_at=a.created_at,
            due_at=a.due_at,
            done=a.done_at is not None,
            responsible_id=a.responsible_id,
        )
        for a in Action.objects.filter(procedure=procedure).order_by("pk")
    )
