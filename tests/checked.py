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
    found = selector.state_of(procedure, clock.now()).questions
    _write(procedure, [q for q in found if q.status in OPEN and (q.question.minimum or not minimum)])


def sign(procedure: Procedure) -> None:
    """Every question answered, and every stage that start waits for signed, in order."""
    answer(procedure)
    both = Actor.person(make.user(Role.PHYSICIAN, roles=[Role.NURSE, Role.PHYSICIAN]))
    for stage in procedure.protocol_version.parsed.stages:
        if not stage.blocks_start:
            continue
        found = selector.state_of(procedure, clock.now()).stage(stage.code).questions
        _write(procedure, [q for q in found if q.status in OPEN])  # asked again at this stage
        checklists.sign(actor=both, procedure=procedure, stage=stage.code)


def _write(procedure: Procedure, questions: list[QuestionState]) -> None:
    newest, now = procedure.checklists.order_by("-number")[0], clock.now()
    Answer.objects.bulk_create(
        Answer(
            checklist=newest,
            question=found.question.code,
            state="unknown",
            answered_at=now,
            supersedes_id=found.answer.id if found.answer else None,
        )
        for found in questions
    )
