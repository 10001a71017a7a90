"""Checklists as they stand now: read from the rows in a constant number of queries, judged by the pure rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from clinic import clock
from clinic.models.users import names_alone
from clinic.ready_query import ReadyQuery
from procedures.domain import checklist, reported
from procedures.domain.answers import AnswerState
from procedures.domain.checklist import ChecklistState, Summary
from procedures.domain.checklist_round import AllergyRow, AnswerRow, MedicineRow, Round, SignatureRow
from procedures.domain.protocol import Protocol
from procedures.domain.reported import Report
from procedures.domain.states import ProcedureStatus
from procedures.models import (
    AllergyEntry,
    Answer,
    Checklist,
    MedicineEntry,
    PatientReport,
    Procedure,
    ProtocolVersion,
    StageSignature,
)

#: The patient is here, or was: sign-in and time-out are waited for.
ON_THE_DAY = frozenset({ProcedureStatus.ARRIVED, ProcedureStatus.IN_PROGRESS, ProcedureStatus.COMPLETED})
STARTED = frozenset({ProcedureStatus.IN_PROGRESS, ProcedureStatus.COMPLETED})
#: What is read of an answer.
ANSWER = (
    "pk",
    "checklist_id",
    "question",
    "state",
    "value",
    "note",
    "confirmed",
    "reported_by_patient",
    "answered_at",
    "valid_until",
    "answered_by__full_name",
    "answered_by__credentials",
)


def state_of(procedure: Procedure, now: datetime) -> ChecklistState:
    """Where the checklist of one case stands at ``now`` (at most five queries; ``protocol_version`` should be there).

    Once the needle is in, expiry is judged at the moment it went in: nothing expires afterwards.
    """
    found = rounds([procedure]).get(procedure.pk)
    return _judge(procedure, procedure.protocol_version.parsed, found, now)


def summary(
    procedures: Sequence[Procedure], now: datetime | None = None, *, found: dict[int, Round] | None = None
) -> dict[int, Summary]:
    """Each case's checklist in a word and its counts, by primary key: five queries however many cases.

    One more where the cases came without their ``protocol_version``. ``found``: their rounds, where they were read.
    """
    now = now or clock.now()
    pinned = Procedure._meta.get_field("protocol_version")
    bare = {p.protocol_version_id for p in procedures if not pinned.is_cached(p)}
    versions = ProtocolVersion.objects.defer("data").in_bulk(bare) if bare else {}
    found = rounds(procedures) if found is None else found
    return {
        p.pk: checklist.summarise(
            _judge(p, (versions.get(p.protocol_version_id) or p.protocol_version).parsed, found.get(p.pk), now),
            on_the_day=p.state in ON_THE_DAY,
        )
        for p in procedures
    }


def unsigned_blocking_stages(procedure: Procedure, now: datetime | None = None) -> list[str]:
    """Labels of the stages that start waits for: not signed, signed over other answers, incomplete or expired."""
    state = state_of(procedure, now or clock.now())
    return [s.stage.label for s in state.unsigned_blocking]


def unsigned_stage_codes(procedure: Procedure, now: datetime | None = None) -> list[str]:
    """Codes of the same stages: what an emergency start still owes."""
    state = state_of(procedure, now or clock.now())
    return [s.stage.code for s in state.unsigned_blocking]


def unanswered_minimum(procedure: Procedure, now: datetime | None = None) -> list[str]:
    """Texts of the questions that even an emergency start needs and that have no answer which counts now.

    *Unknown* is an answer: nobody waits for what nobody can know.
    """
    state = state_of(procedure, now or clock.now())
    return [q.question.text for q in state.questions if q.question.minimum and q.status in checklist.OPEN]


def refusals(procedure: Procedure, now: datetime | None = None) -> list[str]:
    """Current answers that forbid the start by themselves, in words: consent refused."""
    state = state_of(procedure, now or clock.now())
    found = []
    for shown in state.questions:
        value = shown.answer.value if shown.answer is not None else None
        found += [
            f"{shown.question.text}: {choice.label}"
            for choice in shown.question.choices
            if choice.blocks_start and choice.code == value
        ]
    return found


def answers_to(procedure: Procedure, questions: Iterable[str]) -> dict[str, Any]:
    """The value of what was answered to these questions in the newest round; one query."""
    return dict(_answered(frozenset(questions)).rows(procedure.pk))


@cache  # the questions that a protocol names
def _answered(questions: frozenset[str]) -> ReadyQuery[tuple[str, Any]]:
    def write(case: int) -> QuerySet[Answer, tuple[str, Any]]:
        newest = Checklist.objects.filter(procedure=case).order_by("-number").values("pk")[:1]
        rows = Answer.objects.filter(checklist=newest, question__in=sorted(questions), superseded_by__isnull=True)
        rows = rows.exclude(reported_by_patient=True, confirmed=False)
        return rows.filter(state=str(AnswerState.ANSWERED)).values_list("question", "value")

    return ReadyQuery(write)


def rounds(procedures: Iterable[Procedure]) -> dict[int, Round]:
    """The newest round of each case, with everything that is current in it: five queries, for one case at most."""
    newest = {row.pk: row for row in NEWEST.of_all([p.pk for p in procedures])}
    if not newest:
        return {}
    answers: defaultdict[int, dict[str, AnswerRow]] = defaultdict(dict)
    # a list asks as often whatever is on it; a single case, of which there are many, only for what it has
    alone = len(newest) == 1
    lines = [pk for pk, row in newest.items() if row.has_lines or not alone]
    signed = [pk for pk, row in newest.items() if row.is_signed or not alone]
    # a board reads thousands of answers: plain values, no rows
    for answer in ANSWERS.of_all(newest):
        answers[answer.checklist_id][answer.question] = _answer(answer)
    medicines: defaultdict[int, list[MedicineRow]] = defaultdict(list)
    for medicine in MEDICINES.of_all(lines):
        medicines[medicine.checklist_id].append(_medicine(medicine))
    allergies: defaultdict[int, list[AllergyRow]] = defaultdict(list)
    for allergy in ALLERGIES.of_all(lines):
        allergies[allergy.checklist_id].append(_allergy(allergy))
    signatures: defaultdict[int, list[SignatureRow]] = defaultdict(list)
    for signature in SIGNATURES.of_all(signed):
        signatures[signature.checklist_id].append(_signature(signature))
    return {
        row.procedure_id: Round(
            id=row.pk,
            number=row.number,
            opened_at=row.opened_at,
            answers=answers[row.pk],
            medicines=tuple(medicines[row.pk]),
            allergies=tuple(allergies[row.pk]),
            signatures=tuple(signatures[row.pk]),
            report=_report(row.report),
        )
        for row in newest.values()
    }


def _judge(procedure: Procedure, protocol: Protocol, found: Round | None, now: datetime) -> ChecklistState:
    moment = procedure.started_at if procedure.started_at and procedure.state in STARTED else now
    here = procedure.arrived_at if procedure.state in ON_THE_DAY else None
    midnight = timezone.localtime(here or moment).replace(hour=0, minute=0, second=0, microsecond=0)
    return checklist.evaluate(protocol, found, now=moment, day_began=midnight)


def _current(model: Any, checklists: Iterable[int]) -> Any:
    return model.objects.filter(checklist__in=checklists, superseded_by__isnull=True).order_by("pk")


# one case is asked for at every step, a board of many once; most have no lines
NEWEST: ReadyQuery[Any] = ReadyQuery(
    lambda *cases: (
        Checklist.objects.filter(procedure__in=cases)
        .select_related("report")
        .annotate(
            has_lines=Exists(MedicineEntry.objects.filter(checklist=OuterRef("pk")))
            | Exists(AllergyEntry.objects.filter(checklist=OuterRef("pk"))),
            is_signed=Exists(StageSignature.objects.filter(checklist=OuterRef("pk"))),
        )
        .order_by("procedure_id", "-number")
        .distinct("procedure_id")
    )
)
ANSWERS: ReadyQuery[Any] = ReadyQuery(lambda *ones: _current(Answer, ones).values_list(*ANSWER, named=True))
MEDICINES: ReadyQuery[MedicineEntry] = ReadyQuery(
    lambda *ones: _current(MedicineEntry, ones).filter(withdrawn=False).select_related("recorded_by")
)
ALLERGIES: ReadyQuery[AllergyEntry] = ReadyQuery(
    lambda *ones: _current(AllergyEntry, ones).filter(withdrawn=False).select_related("recorded_by")
)
SIGNATURES = ReadyQuery(lambda *ones: StageSignature.objects.filter(checklist__in=ones).select_related("signed_by"))


def _name(user: Any) -> str:
    return user.display_name if user is not None else ""


def _signed(name: str | None, credentials: str | None) -> str:
    """As ``User.display_name`` says it; empty when nobody is named."""
    return f"{name}, {credentials}" if name and credentials else name or ""


def _answer(row: Any) -> AnswerRow:
    return AnswerRow(
        id=row.pk,
        question=row.question,
        state=AnswerState(row.state),
        value=row.value,
        note=row.note,
        confirmed=row.confirmed,
        reported=row.reported_by_patient,
        answered_at=row.answered_at,
        answered_by=_signed(row.answered_by__full_name, row.answered_by__credentials),
        valid_until=row.valid_until,
    )


def _medicine(row: MedicineEntry) -> MedicineRow:
    return MedicineRow(
        id=row.pk,
        name=row.name,
        dose=row.dose,
        indication=row.indication,
        prescriber=row.prescriber,
        status=row.status,
        last_dose_at=row.last_dose_at,
        thins_blood=row.thins_blood,
        confirmed=row.confirmed,
        recorded_at=row.recorded_at,
        recorded_by=_name(row.recorded_by),
        code=row.code,
        amount=row.amount,
        unit=row.unit,
        times_per_day=row.times_per_day,
        route=row.route,
        tier=row.tier,
        planned_stop_at=row.planned_stop_at,
    )


def _allergy(row: AllergyEntry) -> AllergyRow:
    return AllergyRow(
        id=row.pk,
        substance=row.substance,
        category=row.category,
        reaction=row.reaction,
        severity=row.severity,
        confirmed=row.confirmed,
        recorded_at=row.recorded_at,
        recorded_by=_name(row.recorded_by),
    )


def _report(row: PatientReport | None) -> Report | None:
    if row is None:
        return None
    return Report(id=row.pk, at=row.at, answered_by=row.answered_by, given=reported.from_data(row.answers))


def _signature(row: StageSignature) -> SignatureRow:
    return SignatureRow(
        id=row.pk, stage=row.stage, signed_at=row.signed_at, signed_by=_name(row.signed_by), digest=row.digest
    )


# --- together with what else a page reads ---------------------------------------------------


def parts(case: Any) -> dict[str, QuerySet[Any, Any]]:
    """The newest round of one case as parts of one statement; ``round_in`` reads them. See ``clinic.one_statement``."""
    newest = Checklist.objects.filter(procedure=case).order_by("-number").values("pk")[:1]
    signatures = StageSignature.objects.filter(checklist=newest).select_related("signed_by")
    return {
        "round": Checklist.objects.filter(procedure=case).select_related("report").order_by("-number")[:1],
        "answers": _part(Answer, newest).values_list(*ANSWER, named=True),
        "medicines": _entries(MedicineEntry, newest),
        "allergies": _entries(AllergyEntry, newest),
        "signatures": signatures.defer(*names_alone("signed_by")),
    }


def round_in(rows: Mapping[str, Sequence[Any]]) -> Round | None:
    """The round that the ``parts`` have found, as ``rounds`` gives it."""
    for row in rows["round"]:
        return Round(
            id=row.pk,
            number=row.number,
            opened_at=row.opened_at,
            answers={answer.question: _answer(answer) for answer in rows["answers"]},
            medicines=tuple(_medicine(medicine) for medicine in rows["medicines"]),
            allergies=tuple(_allergy(allergy) for allergy in rows["allergies"]),
            signatures=tuple(_signature(signature) for signature in rows["signatures"]),
            report=_report(row.report),
        )
    return None


def state_of_round(procedure: Procedure, found: Round | None, now: datetime) -> ChecklistState:
    """As ``state_of``, where the round was read. No query."""
    return _judge(procedure, procedure.protocol_version.parsed, found, now)


def _part(model: Any, newest: Any) -> Any:
    return model.objects.filter(checklist=newest, superseded_by__isnull=True).order_by("pk")


def _entries(model: Any, newest: Any) -> Any:
    rows = _part(model, newest).filter(withdrawn=False).select_related("recorded_by")
    return rows.defer(*names_alone("recorded_by"))
