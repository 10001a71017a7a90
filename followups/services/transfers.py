"""Handing on what is pending: offered to one named person, who accepts it, or not.

Sent is not accepted: only the acceptor's own log-in, or a name on the phone with the list read back, ends the promise.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from clinic import audit, clock
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import User
from clinic.roles import Role
from followups.domain import kinds
from followups.domain.kinds import Kind
from followups.models import FollowUp
from followups.selectors import duty
from procedures import events
from procedures.domain.transfers import TransferAnswer, TransferWhy
from procedures.models import Procedure, Transfer
from procedures.models.transfers import AcceptedHow
from procedures.services import assignments, slots

#: Who hands on, and who may be asked to accept.
HAND_ON = (Role.NURSE, Role.PHYSICIAN)
REASON_LENGTH = 300


def pending(procedure: Procedure, why: TransferWhy) -> list[FollowUp]:
    """The open promises that go with the patient; all of them to another clinician of ours. The next due first."""
    rows = FollowUp.objects.filter(procedure=procedure, closed_at__isnull=True).exclude(kind=Kind.ACCEPT_TRANSFER)
    found = rows.select_related("responsible", "taken_by").order_by("due_at", "pk")
    return [row for row in found if why is TransferWhy.RESPONSIBLE or kinds.of(Kind(row.kind)).handed_on]


@transaction.atomic
def offer(
    *,
    actor: Actor,
    procedure: Procedure,
    why: str,
    to: User | None = None,
    name: str = "",
    place: str = "",
    phone: str = "",
    take_over: bool = False,
    note: str = "",
) -> Transfer:
    """Offer the list as it is now to a user, or to somebody outside by name, place and phone.

    Raises Invalid without an acceptor or with nothing pending, Conflict while another offer waits for its answer.
    """
    require(actor, *HAND_ON)
    if actor.user_id is None:
        raise NotPermitted
    reason = TransferWhy(why)
    outside = {"to_name": name.strip(), "to_place": place.strip(), "to_phone": phone.strip()}
    take_over = take_over or reason is TransferWhy.RESPONSIBLE
    _check_acceptor(to, outside, take_over)
    locked = slots.lock_case(procedure)
    if locked.patient.deceased_at is not None:
        raise Conflict("The patient has died: results are still read here, and nothing is handed on.")
    if reason is TransferWhy.RESPONSIBLE and to is not None and to.pk == locked.responsible_id:
        raise Invalid("This person is responsible already.", field="to")
    waiting = locked.transfers.filter(answer=TransferAnswer.OPEN).select_related("to_user").first()
    if waiting is not None:
        raise Conflict("It was offered to %(who)s, who has not answered yet.", who=waiting.acceptor)
    rows = pending(locked, reason)
    if not rows:
        raise Invalid("Nothing is pending in this case: there is nothing to hand on.")
    made = Transfer.objects.create(
        procedure=locked,
        why=str(reason),
        note=note.strip(),
        pending=[_frozen(row) for row in rows],
        offered_at=clock.now(),
        offered_by_id=actor.user_id,
        to_user=to,
        take_over=take_over,
        **({} if to else outside),
    )
    _tell("transfer.offered", made, locked, actor, {"why": str(reason), "to": to.pk if to else None, "n": len(rows)})
    return made


def _check_acceptor(to: User | None, outside: dict[str, str], take_over: bool) -> None:
    if to is None:
        for field, value in outside.items():
            if not value:
                raise Invalid("Name somebody of the clinic, or name, place and phone.", field=field)
        if take_over:
            raise Invalid("Only a physician of this clinic can become the responsible clinician.", field="take_over")
        return
    if not to.is_active or not to.has(*HAND_ON):
        raise Invalid("This person cannot accept it.", field="to")
    if take_over and not to.has(Role.PHYSICIAN):
        raise Invalid("Only a physician of this clinic can become the responsible clinician.", field="take_over")


def _frozen(row: FollowUp) -> dict[str, Any]:
    """A promise as codes: what it is about, by when, and whose it was."""
    owner = row.taken_by_id or row.responsible_id
    return {
        "kind": row.kind,
        "key": row.key,
        "about": row.about,
        "start": row.start_at.isoformat(),
        "due": row.due_at.isoformat(),
        "level": row.level,
        "owner": owner,
        "role": row.role,
    }


def may_accept(actor: Actor, transfer: Transfer) -> bool:
    """With this log-in: whom it was offered to, or who covers for them now."""
    if transfer.to_user_id is None or actor.user_id is None:
        return False
    return actor.user_id in {transfer.to_user_id, duty.roster(clock.now()).present(transfer.to_user_id)}


def accept(*, actor: Actor, transfer: Transfer) -> Transfer:
    """The acceptor says so here. Raises NotPermitted for anybody else."""
    if not may_accept(actor, transfer):
        raise NotPermitted("It was offered to somebody else: only they accept it with their log-in.")
    return _answer(actor, transfer, TransferAnswer.ACCEPTED, how=str(AcceptedHow.HERE))


def accept_by_phone(*, actor: Actor, transfer: Transfer, name: str, read_back: bool) -> Transfer:
    """Somebody accepted on the phone: who, and that the list was read back. Raises Invalid without either."""
    require(actor, *HAND_ON)
    if not name.strip():
        raise Invalid("Say who accepted it on the phone.", field="name")
    if not read_back:
        raise Invalid("Read the list back; without that nobody knows what was accepted.", field="read_back")
    how = str(AcceptedHow.PHONE)
    return _answer(actor, transfer, TransferAnswer.ACCEPTED, how=how, accepted_name=name.strip(), read_back=True)


def decline(*, actor: Actor, transfer: Transfer, reason: str) -> Transfer:
    """It is not accepted, because: the promise stays and asks for another name."""
    require(actor, *HAND_ON)
    return _answer(actor, transfer, TransferAnswer.DECLINED, answer_reason=_given(reason))


def withdraw(*, actor: Actor, transfer: Transfer, reason: str) -> Transfer:
    """Offered by mistake. If the patient really goes elsewhere, somebody else is still to be named."""
    require(actor, *HAND_ON)
    return _answer(actor, transfer, TransferAnswer.WITHDRAWN, answer_reason=_given(reason))


def _given(reason: str) -> str:
    if not reason.strip():
        raise Invalid("Say why.", field="reason")
    return reason.strip()[:REASON_LENGTH]


@transaction.atomic
def _answer(actor: Actor, transfer: Transfer, answer: TransferAnswer, **values: Any) -> Transfer:
    """Compare and swap: one answer to one offer. The same answer by the same person twice changes nothing."""
    locked = slots.lock_case(transfer.procedure)
    who = {"answer": str(answer), "answered_at": clock.now(), "answered_by_id": actor.user_id}
    changed = Transfer.objects.filter(pk=transfer.pk, answer=TransferAnswer.OPEN).update(**who, **values)
    row = Transfer.objects.select_related("procedure", "to_user", "answered_by").get(pk=transfer.pk)
    if not changed:
        if row.answer == answer and row.answered_by_id == actor.user_id:
            return row
        raise Conflict("Somebody has already answered for this list. Look at the case again.")
    if answer is TransferAnswer.ACCEPTED:
        _take_over(actor, row, locked)
    data = {"why": row.why, "how": row.how, "to": row.to_user_id}
    _tell(f"transfer.{answer}", row, locked, actor, data, row.answer_reason)
    return row


def _take_over(actor: Actor, transfer: Transfer, locked: Procedure) -> None:
    """The acceptor becomes the responsible clinician, if that was the wish and the case is still open."""
    to = transfer.to_user
    if transfer.take_over and to is not None and locked.responsible_id != to.pk and locked.closed_at is None:
        assignments.change_responsible(actor=actor, procedure=locked, to=to, reason="accepted transfer")


def _tell(
    action: str, row: Transfer, procedure: Procedure, actor: Actor, data: dict[str, Any], reason: str = ""
) -> None:
    audit.record(action=action, actor=actor, subject=row, patient_id=procedure.patient_id, data=data, reason=reason)
    events.changed(procedure)
