"""The checklist: answers, stages, signatures, rounds.

Saving is never refused because something is missing: what is not an answer yet stays in the draft. Of two people who
answer the same question at once one is first; the other gets a Conflict with both answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic import access, audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.ready_query import ReadyQuery
from clinic.roles import Role
from procedures import events
from procedures.domain import plausible_answers
from procedures.domain.answers import ROWS, AnswerState, Entry, Reading, read
from procedures.domain.checklist import OPEN, ChecklistState, StageState
from procedures.domain.checklist_round import AnswerRow
from procedures.domain.clearance import Moment
from procedures.domain.protocol import Question
from procedures.domain.states import ProcedureStatus
from procedures.models import AllergyEntry, Answer, Checklist, ChecklistDraft, MedicineEntry, Procedure, StageSignature
from procedures.selectors import checklists as selectors
from procedures.selectors import safety as live
from procedures.services import safety

NOT_EMPTIED = "An answer that was given cannot be taken back to nothing. Change it, or say that it is unknown."
NO_ROWS = "Add at least one line, or choose another answer."
HAS_ROWS = "There are lines below. Withdraw them first, or choose another answer."
NEWEST = ReadyQuery(lambda case: Checklist.objects.filter(procedure=case).order_by("-number")[:1])
OPENED = ReadyQuery(lambda pk: Checklist.objects.select_related("procedure").filter(pk=pk))
DRAFT = ReadyQuery(lambda case: ChecklistDraft.objects.filter(procedure=case))
ANSWER_ONCE = frozenset({"answer_first_once", "procedures_answer_supersedes_id_key"})


@dataclass(frozen=True, kw_only=True)
class Clash:
    """One question that somebody else answered first: what was typed, and what stands now."""

    question: str
    mine: Reading
    theirs: AnswerRow


@dataclass(frozen=True, kw_only=True)
class Given:
    """An answer that is to be written. ``base``: the id of the one it stands over; ``reported``: by the patient."""

    question: Question
    reading: Reading
    base: int | None
    reported: bool = False


@dataclass(kw_only=True)
class Saved:
    """What became of the entries: answers written, messages for what is not an answer yet, clashes."""

    written: list[str] = field(default_factory=list)
    incomplete: dict[str, Invalid] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)


class AnswerConflict(Conflict):
    """Somebody else answered this in the meantime. Nothing of yours was saved over it: choose which answer stands."""

    def __init__(self, saved: Saved) -> None:
        self.saved = saved
        super().__init__()


class Unsignable(Invalid):
    """This stage cannot be signed yet: something is still to be answered."""

    def __init__(self, missing: list[str], message: str = "", /, **params: Any) -> None:
        self.missing = missing
        super().__init__(message, **params)


def lock(procedure: Procedure) -> Procedure:
    """The case's row, locked: everything a checklist writes is in one order per case. Raises Conflict for an error."""
    locked = row_locks.lock(Procedure, procedure.pk, "patient", "room")  # the safety rules ask for both
    if locked.state is ProcedureStatus.ENTERED_IN_ERROR:
        raise Conflict("This case was entered in error. Nothing can be added to it.")
    locked.protocol_version = procedure.protocol_version
    return locked


def round_of(procedure: Procedure, *, actor: Actor, now: datetime) -> Checklist:
    """The newest round of a locked case; the first one is opened by the first thing that is written."""
    newest = NEWEST.first(procedure.pk)
    if newest is not None:
        return newest
    opened = Checklist.objects.create(procedure=procedure, opened_at=now, opened_by_id=actor.user_id)
    audit.record(action="checklist.opened", actor=actor, subject=opened, patient_id=procedure.patient_id)
    return opened


@transaction.atomic
def open_round(*, actor: Actor, procedure: Procedure) -> Checklist:
    """Begin the checklist; the round that is open already when there is one."""
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    opened = round_of(lock(procedure), actor=actor, now=clock.now())
    events.changed(procedure)
    return opened


def save_answers(*, actor: Actor, procedure: Procedure, entries: Mapping[str, Entry]) -> Saved:
    """Write one answer for each changed and complete entry (by question code); keep the rest in the draft.

    Raises AnswerConflict, after saving everything else, when somebody answered one of the questions since
    ``Entry.base``; it carries both answers. Unknown question codes are ignored.
    """
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    with transaction.atomic():
        saved = _save(actor=actor, procedure=lock(procedure), entries=entries, now=clock.now())
    if saved.clashes:
        raise AnswerConflict(saved)
    return saved


def _save(*, actor: Actor, procedure: Procedure, entries: Mapping[str, Entry], now: datetime) -> Saved:
    saved, drafts, given = Saved(), {}, []
    found = selectors.rounds([procedure]).get(procedure.pk)
    current = found.answers if found else {}
    version = live.rule_set() if any(map(plausible_answers.concerns, entries)) else None
    for question in procedure.protocol_version.parsed.questions:
        entry = entries.get(question.code)
        if entry is None or (entry.is_empty and question.code not in current):
            continue
        try:
            reading = _complete(question, entry, bool(found and found.rows(question.kind)))
            changed = not _same(current.get(question.code), reading)
            if version is not None and changed:
                plausible_answers.check(question, reading, version.parsed, now)
        except Invalid as problem:
            saved.incomplete[question.code] = problem
            drafts[question.code] = entry
            continue
        if changed:
            given.append(Given(question=question, reading=reading, base=entry.base))
    if given:
        _write_down(round_of(procedure, actor=actor, now=now), given, saved, actor=actor, now=now)
    _keep_drafts(procedure, drafts, drop=[c for c in entries if c not in drafts], actor=actor, now=now)
    if saved.written:
        safety.look(actor=actor, procedure=procedure)
        _tell("checklist.answered", procedure, actor, {"questions": saved.written})
    return saved


def _complete(question: Question, entry: Entry, has_rows: bool) -> Reading:
    """A reading that may become an answer. Raises Invalid."""
    if entry.is_empty:
        raise Invalid(NOT_EMPTIED, field=question.code)
    reading = read(question, entry, zone=timezone.get_current_timezone())
    if question.kind in ROWS:
        if reading.state is AnswerState.NONE and has_rows:
            raise Invalid(HAS_ROWS, field=question.code)
        if reading.state is AnswerState.ANSWERED and not has_rows:
            raise Invalid(NO_ROWS, field=question.code)
    return reading


def _same(answer: AnswerRow | None, reading: Reading) -> bool:
    """Saying again what stands changes nothing; an old answer is renewed by confirming it, not by saving a page."""
    return answer is not None and (answer.state, answer.value, answer.note) == (
        reading.state,
        reading.value,
        reading.note,
    )


def write(
    opened: Checklist,
    question: Question,
    reading: Reading,
    *,
    base: int | None,
    actor: Actor,
    now: datetime,
    reported: bool = False,
) -> bool:
    """Add the answer over ``base``. False when something else already stands over it: the database decides.

    ``reported``: by the patient; not confirmed until somebody of the clinic has asked.
    """
    one = Given(question=question, reading=reading, base=base, reported=reported)
    return bool(write_all(opened, [one], actor=actor, now=now))


def write_all(opened: Checklist, given: Sequence[Given], *, actor: Actor, now: datetime) -> set[str]:
    """Add these answers, each over its base; the codes of those that stand now. The database decides which do."""
    bases = [g.base for g in given if g.base is not None]
    there = dict(opened.answers.filter(pk__in=bases).values_list("pk", "question")) if bases else {}
    fitting = [g for g in given if g.base is None or there.get(g.base) == g.question.code]
    try:
        with transaction.atomic():
            Answer.objects.bulk_create([_row(opened, g, actor, now) for g in fitting])
    except IntegrityError as error:
        if constraint(error) not in ANSWER_ONCE:
            raise
        if len(fitting) == 1:
            return set()
        # somebody was first with one of them: each by itself
        return set().union(*(write_all(opened, [g], actor=actor, now=now) for g in fitting))
    return {g.question.code for g in fitting}


def _row(opened: Checklist, given: Given, actor: Actor, now: datetime) -> Answer:
    question, reading = given.question, given.reading
    return Answer(
        checklist=opened,
        question=question.code,
        state=str(reading.state),
        value=reading.value,
        note=reading.note,
        reported_by_patient=given.reported,
        confirmed=not given.reported,
        answered_at=now,
        answered_by_id=actor.user_id,
        valid_until=now + timedelta(hours=question.valid_hours) if question.valid_hours else None,
        supersedes_id=given.base,
    )


def _write_down(opened: Checklist, given: Sequence[Given], saved: Saved, *, actor: Actor, now: datetime) -> None:
    stands = write_all(opened, given, actor=actor, now=now)
    for one in given:
        if one.question.code in stands:
            saved.written.append(one.question.code)
        else:
            theirs = _standing(opened, one.question)
            saved.clashes.append(Clash(question=one.question.code, mine=one.reading, theirs=theirs))


def constraint(error: IntegrityError) -> str:
    """The name of the constraint that refused."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return str(getattr(diagnosis, "constraint_name", "") or "")


def _standing(opened: Checklist, question: Question) -> AnswerRow:
    found = selectors.rounds([opened.procedure])[opened.procedure_id]
    return found.answers[question.code]


def _tell(action: str, procedure: Procedure, actor: Actor, data: dict[str, Any], *, strict: bool = False) -> None:
    audit.record(action=action, actor=actor, subject=procedure, patient_id=procedure.patient_id, data=data)
    events.changed(procedure, strict=strict)


@transaction.atomic
def save_draft(*, actor: Actor, procedure: Procedure, entries: Mapping[str, Entry]) -> None:
    """Keep what is being typed. No fact, no audit, no plan."""
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    known = {q.code for q in procedure.protocol_version.parsed.questions}
    kept = {code: entry for code, entry in entries.items() if code in known}
    _keep_drafts(lock(procedure), kept, drop=[], actor=actor, now=clock.now())


def _keep_drafts(
    procedure: Procedure, entries: Mapping[str, Entry], *, drop: Iterable[str], actor: Actor, now: datetime
) -> None:
    """Merge into the draft of a locked case: two people may type different questions at once."""
    draft = DRAFT.first(procedure.pk)
    data = dict(draft.data) if draft else {}
    before = dict(data)
    for code in drop:
        data.pop(code, None)
    for code, entry in entries.items():
        data[code] = {"pick": entry.pick, "value": entry.value, "note": entry.note, "by": actor.name}
    if data == before:
        return
    ChecklistDraft.objects.update_or_create(
        procedure=procedure, defaults={"data": data, "updated_at": now, "updated_by_id": actor.user_id}
    )


def confirm(*, actor: Actor, procedure: Procedure, bases: Mapping[str, int]) -> list[str]:
    """Say that answers still hold: the same answer again, now, by this person. ``bases``: answer ids by question.

    Medicine and allergy lines that came from an earlier round or from the patient are confirmed with their question.
    Raises AnswerConflict when somebody changed one of them in the meantime. Returns the confirmed codes.
    """
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    with transaction.atomic():
        saved = _confirm(actor=actor, procedure=lock(procedure), bases=bases, now=clock.now())
    if saved.clashes:
        raise AnswerConflict(saved)
    return saved.written


def _confirm(*, actor: Actor, procedure: Procedure, bases: Mapping[str, int], now: datetime) -> Saved:
    saved = Saved()
    found = selectors.rounds([procedure]).get(procedure.pk)
    if found is None:
        return saved
    opened = OPENED.get(found.id)
    given = []
    for question in procedure.protocol_version.parsed.questions:
        answer = found.answers.get(question.code)
        if answer is None or question.code not in bases:
            continue
        reading = Reading(state=answer.state, value=answer.value, note=answer.note)
        if answer.id == bases[question.code]:
            given.append(Given(question=question, reading=reading, base=answer.id))
        else:
            saved.clashes.append(Clash(question=question.code, mine=reading, theirs=_standing(opened, question)))
    _write_down(opened, given, saved, actor=actor, now=now)
    for kind in {one.question.kind for one in given if one.question.code in saved.written}:
        _confirm_rows(opened, kind, actor=actor, now=now)
    if saved.written:
        safety.look(actor=actor, procedure=procedure)
        _tell("checklist.confirmed", procedure, actor, {"questions": saved.written})
    return saved


def _confirm_rows(opened: Checklist, kind: str, *, actor: Actor, now: datetime) -> None:
    model: Any = {"medicines": MedicineEntry, "allergies": AllergyEntry}.get(kind)
    if model is None:
        return
    rows = model.objects.filter(checklist=opened, superseded_by__isnull=True, withdrawn=False, confirmed=False)
    for row in rows.order_by("pk"):
        copy_row(row, opened, supersedes=row, confirmed=True, recorded_at=now, recorded_by_id=actor.user_id)


def copy_row(row: Any, opened: Checklist, **changes: Any) -> Any:
    """A new row like ``row`` in ``opened``, with ``changes``; the old one stays as it is."""
    values = {
        f.attname: getattr(row, f.attname)
        for f in row._meta.concrete_fields
        if f.attname not in ("id", "checklist_id", "supersedes_id")
    }
    return type(row).objects.create(checklist=opened, **{**values, **changes})


@transaction.atomic
def sign(*, actor: Actor, procedure: Procedure, stage: str, seen: str = "") -> StageSignature:
    """Sign a stage over the answers that stand now; the signature that already stands when it is signed.

    ``seen``: digest of the answers the person had before their eyes. Raises NotPermitted for another role, Unsignable
    with the questions that are open, Conflict when the answers changed since they were seen.
    """
    locked, now = lock(procedure), clock.now()
    state = selectors.state_of(locked, now)
    found = _stage_or_invalid(state, stage)
    if not actor.has(*(Role(r) for r in found.stage.roles)):
        roles = ", ".join(found.stage.roles)
        raise NotPermitted("“%(stage)s” is signed by: %(roles)s.", stage=found.stage.label, roles=roles)
    if found.signed and found.signature is not None:
        return StageSignature.objects.get(pk=found.signature.id)
    if seen and seen != found.digest:
        raise Conflict("The answers have changed since you saw them. Look again, then sign.")
    _refuse_after_the_start(stage, locked)
    _refuse_if_open(state, found, locked)
    assert state.round is not None and actor.user_id is not None  # complete, and a role: a round and a person
    signature = StageSignature.objects.create(
        checklist_id=state.round.id, stage=stage, signed_at=now, signed_by_id=actor.user_id, digest=found.digest
    )
    safety.run(actor=actor, procedure=locked, moment=safety.SIGNED.get(stage, Moment.SIGNING))
    _tell("checklist.signed", locked, actor, {"stage": stage, "digest": found.digest}, strict=True)
    return signature


def _stage_or_invalid(state: ChecklistState, stage: str) -> StageState:
    try:
        return state.stage(stage)
    except KeyError:
        raise Invalid("This protocol has no such stage.") from None


def _refuse_after_the_start(stage: str, procedure: Procedure) -> None:
    """Time-out is what one stops for before the needle. What an emergency left out is signed afterwards, as such."""
    if stage == "time_out" and procedure.started_at is not None and not procedure.emergency_start:
        raise Conflict("The procedure has started: time-out comes before the needle.")


def _refuse_if_open(state: ChecklistState, found: StageState, procedure: Procedure) -> None:
    missing = [q.question.text for q in found.questions if q.status in OPEN]
    if missing or state.round is None:
        raise Unsignable(missing)
    # in an emergency the rest is done afterwards, in whatever order it can be
    earlier = None if procedure.emergency_start else state.waits_for(found.stage.code)
    if earlier is not None:
        raise Unsignable([], "“%(earlier)s” must be signed first.", earlier=earlier.stage.label)


@transaction.atomic
def reopen(*, actor: Actor, procedure: Procedure, reason: str, number: int) -> Checklist:
    """Begin the next round: everything that stood is shown *to confirm*, and every stage must be signed again.

    ``number``: the round the person saw. Raises Conflict when there is another one already, Invalid without a reason.
    """
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    locked, now = lock(procedure), clock.now()
    old = locked.checklists.order_by("-number").first()
    if old is None or old.number != number:
        raise Conflict("Somebody else has begun a new round in the meantime.")
    if not reason.strip():
        raise Invalid("Say why the checklist is asked again.", field="reason")
    opened = Checklist.objects.create(
        procedure=locked,
        number=number + 1,
        opened_at=now,
        opened_by_id=actor.user_id,
        reopen_reason=reason.strip(),
        report_id=old.report_id,
    )
    for model in (Answer, MedicineEntry, AllergyEntry):
        rows: Any = model.objects.filter(checklist=old, superseded_by__isnull=True)
        for row in rows.order_by("pk"):
            if not getattr(row, "withdrawn", False):
                copy_row(row, opened, confirmed=False)
    ChecklistDraft.objects.filter(procedure=locked).update(data={}, updated_at=now, updated_by_id=actor.user_id)
    audit.record(
        action="checklist.reopened", actor=actor, subject=opened, patient_id=locked.patient_id, reason=reason.strip(),
        data={"number": opened.number},
    )  # fmt: skip
    safety.look(actor=actor, procedure=locked)
    events.changed(locked)
    return opened
