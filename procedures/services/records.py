"""The procedure record: saved as a draft, signed, amended by a new version."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.roles import Role
from procedures import events
from procedures.domain import record as rules
from procedures.domain.record import Common, Problem
from procedures.domain.states import ProcedureStatus
from procedures.models import Procedure, ProcedureRecord

#: Columns of a version that a person fills in, beside ``fields``.
COLUMNS = (
    "started_at",
    "ended_at",
    "operator_id",
    "supervisor",
    "assistant",
    "complications",
    "no_complications",
    "complication_note",
)
SIGNABLE = frozenset({ProcedureStatus.IN_PROGRESS, ProcedureStatus.COMPLETED})


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a version says. ``fields`` are raw or stored values by the pinned protocol's field codes."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    operator_id: int | None = None
    supervisor: str = ""
    assistant: str = ""
    complications: tuple[str, ...] = ()
    no_complications: bool = False
    complication_note: str = ""
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def common(self) -> Common:
        return Common(
            started_at=self.started_at,
            ended_at=self.ended_at,
            operator_id=self.operator_id,
            complications=self.complications,
            no_complications=self.no_complications,
        )

    def columns(self) -> dict[str, Any]:
        """As they are stored."""
        values = {name: getattr(self, name) for name in COLUMNS}
        return {**values, "complications": sorted(self.complications)}


class Unreadable(Invalid):
    """Some answers cannot be read. Nothing was saved; what you typed is still here."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__()


class NotComplete(Invalid):
    """The record cannot be signed yet."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__()


class Stale(Conflict):
    """Somebody else has saved this record in the meantime. Nothing of yours was saved over it."""

    def __init__(self, stands: ProcedureRecord) -> None:
        self.stands = stands
        super().__init__()


def content_of(record: ProcedureRecord) -> Content:
    """What this version says."""
    values = {name: getattr(record, name) for name in COLUMNS}
    values["complications"] = tuple(record.complications)
    return Content(**values, fields=dict(record.fields))


def draft_of(procedure: Procedure) -> ProcedureRecord | None:
    """The one version that is not signed."""
    return procedure.records.filter(signed_at__isnull=True).select_related("operator", "saved_by").first()


def signed_of(procedure: Procedure) -> ProcedureRecord | None:
    """The newest signed version."""
    rows = procedure.records.filter(signed_at__isnull=False).select_related("operator", "signed_by")
    return rows.order_by("-number").first()


@transaction.atomic
def save(*, procedure: Procedure, actor: Actor, content: Content, seen: datetime | None) -> ProcedureRecord:
    """Save the draft that was loaded when its ``saved_at`` was ``seen`` (None: there was none).

    Never refused for what is missing. Raises Unreadable for what makes no sense, Stale when somebody has saved since.
    Saving the same again is no conflict: it is the second click.
    """
    locked = _locked(procedure)
    values, problems = _read(locked, content)
    if problems:
        raise Unreadable(problems)
    draft = draft_of(locked)
    if draft is None:
        return _first(locked, actor, content, values, seen)
    if _says(draft, content, values):
        return draft
    if draft.saved_at != seen:
        raise Stale(draft)
    now = clock.now()
    changes = {**content.columns(), "fields": values, "saved_at": now, "saved_by_id": actor.user_id}
    changed = rules.changed(draft.fields, values)
    ProcedureRecord.objects.filter(pk=draft.pk).update(**changes)
    _audit("record.saved", draft, locked, actor, {"number": draft.number, "fields": list(changed)})
    draft.refresh_from_db()
    return draft


@transaction.atomic
def sign(*, procedure: Procedure, actor: Actor, seen: datetime) -> ProcedureRecord:
    """Sign the draft exactly as it was seen (its ``saved_at``). Afterwards only an amendment changes it.

    Operator or physician. Raises NotComplete with everything that is missing, Stale when it was changed since. A
    signature needs a plan for the case: when none can be made, nothing is signed.
    """
    locked = _locked(procedure)
    draft = draft_of(locked)
    if draft is None:
        signed = signed_of(locked)
        if signed is not None and signed.saved_at == seen:
            return signed  # the second click
        raise Conflict("There is nothing to sign: the record is signed already, or nobody has written it yet.")
    if not actor.has(Role.PHYSICIAN) and actor.user_id != draft.operator_id:
        raise NotPermitted("A physician or the operator signs the record.")
    if draft.saved_at != seen:
        raise Stale(draft)
    if ProcedureStatus(locked.status) not in SIGNABLE:
        raise Conflict("The case has not been started. Start it, then sign; what you wrote is saved.")
    lacking = rules.missing(_protocol(locked), draft.fields, content_of(draft).common)
    if lacking:
        raise NotComplete(lacking)
    ProcedureRecord.objects.filter(pk=draft.pk).update(signed_at=clock.now(), signed_by_id=actor.user_id)
    draft.refresh_from_db()
    _audit("record.signed", draft, locked, actor, {"number": draft.number}, draft.amendment_reason)
    events.changed(locked, strict=True)
    return draft


@transaction.atomic
def amend(*, procedure: Procedure, actor: Actor, reason: str) -> ProcedureRecord:
    """Open a new version over the signed one, with its content to start from. An open one is returned as it is.

    Raises Invalid without a reason, Conflict when nothing is signed.
    """
    if not reason.strip():
        raise Invalid("Say why the signed record is changed.", field="reason")
    locked = _locked(procedure)
    signed = signed_of(locked)
    if signed is None:
        raise Conflict("Nothing is signed yet: the record can simply be changed.")
    draft = draft_of(locked)
    if draft is not None:
        return draft
    content = content_of(signed)
    version = ProcedureRecord.objects.create(
        procedure=locked,
        number=signed.number + 1,
        supersedes=signed,
        amendment_reason=reason.strip(),
        saved_at=clock.now(),
        saved_by_id=actor.user_id,
        fields=dict(content.fields),
        **content.columns(),
    )
    _audit("record.amendment_opened", version, locked, actor, {"number": version.number}, reason.strip())
    return version


def _locked(procedure: Procedure) -> Procedure:
    # the protocol's data is large, and parsed once per process
    row = row_locks.lock(Procedure, procedure.pk, "protocol_version", without=("protocol_version__data",))
    if row.status == ProcedureStatus.ENTERED_IN_ERROR:
        raise Conflict("This case was entered in error: nothing more is recorded in it.")
    return row


def _protocol(procedure: Procedure) -> Any:
    return procedure.protocol_version.parsed


def _read(procedure: Procedure, content: Content) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    protocol = _protocol(procedure)
    values, problems = rules.read(protocol, content.fields)
    return values, (*rules.read_common(protocol, content.common, now=clock.now()), *problems)


def _first(
    procedure: Procedure, actor: Actor, content: Content, values: dict[str, Any], seen: datetime | None
) -> ProcedureRecord:
    signed = signed_of(procedure)
    if signed is not None:
        if _says(signed, content, values):
            return signed
        raise Stale(signed)
    if seen is not None:
        raise Conflict("The draft that you have open is not there any more. Copy what you typed and reload the page.")
    record = ProcedureRecord.objects.create(
        procedure=procedure,
        saved_at=clock.now(),
        saved_by_id=actor.user_id,
        fields=values,
        **content.columns(),
    )
    _audit("record.saved", record, procedure, actor, {"number": 1, "fields": list(values)})
    return record


def _says(record: ProcedureRecord, content: Content, values: dict[str, Any]) -> bool:
    stored = {**content_of(record).columns(), "fields": record.fields}
    return stored == {**content.columns(), "fields": values}


def _audit(
    action: str, record: ProcedureRecord, procedure: Procedure, actor: Actor, data: dict[str, Any], reason: str = ""
) -> None:
    audit.record(action=action, actor=actor, subject=record, patient_id=procedure.patient_id, data=data, reason=reason)
