"""A checklist that somebody has been through: for tests that only need one to be there."""

from __future__ import annotations

from clinic import clock
from clinic.actor import Actor
from clinic.roles import Role
from procedures.domain.checklist import OPEN, QuestionState
from procedures.models import Answer, Procedure
from procedures.selectors import checklists as selector
from procedures.services import checklists
from tests import make


def answer(procedure: Procedure, *, minimum: bool = False) -> None:
    """Every open question answered with *unknown* (an answer); with ``minimum`` only those of the emergency start."""
    checklists.open_round(actor=make.actor(Role.NURSE), procedure=procedure)
    for found in selector.state_of(procedure, clock.now()).questions:
        if found.status in OPEN and (found.question.minimum or not minimum):
            _write(procedure, found)


def sign(procedure: Procedure) -> None:
    """Every question answered, and every stage that start waits for signed, in order."""
    answer(procedure)
    both = Actor.person(make.user(Role.PHYSICIAN, roles=[Role.NURSE, Role.PHYSICIAN]))
    for stage in procedure.protocol_version.parsed.stages:
        if not stage.blocks_start:
            continue
        for found in selector.state_of(procedure, clock.now()).stage(stage.code).questions:
            if found.status in OPEN:  # asked again at this stage
                _write(procedure, found)
        checklists.sign(actor=both, procedure=procedure, stage=stage.code)


def _write(procedure: Procedure, found: QuestionState) -> None:
    Answer.objects.create(
        checklist=procedure.checklists.order_by("-number")[0],
        question=found.question.code,
        state="unknown",
        answered_at=clock.now(),
        supersedes_id=found.answer.id if found.answer else None,
    )
