"""Two nurses answer the same question at the same moment: one is first, the other sees both answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection, connections

from clinic.actor import Actor
from clinic.roles import Role
from procedures.domain.answers import Entry
from procedures.models import Answer, Procedure
from procedures.services import checklist_rows, checklists
from procedures.services.checklist_rows import NoneAsserted
from procedures.services.checklists import AnswerConflict, Saved
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 10  # seconds until two threads that do not meet are a failure

GUARDS = {
    "answer_first_once": (
        "DROP INDEX answer_first_once",
        "CREATE UNIQUE INDEX answer_first_once ON procedures_answer (checklist_id, question)"
        " WHERE supersedes_id IS NULL",
    ),
    "procedures_answer_supersedes_id_key": (
        "ALTER TABLE procedures_answer DROP CONSTRAINT procedures_answer_supersedes_id_key",
        "ALTER TABLE procedures_answer ADD CONSTRAINT procedures_answer_supersedes_id_key UNIQUE (supersedes_id)",
    ),
}


@pytest.fixture
def case() -> Procedure:
    case = make.procedure("paracentesis", status="scheduled")
    checklists.open_round(actor=make.actor(Role.NURSE), procedure=case)
    return case


def at_once(case: Procedure, base: int | None) -> list[Saved | AnswerConflict]:
    """Both save their own answer over the same base, from two connections."""
    meet = threading.Barrier(2)
    answers = [(make.actor(Role.NURSE), "=yes"), (make.actor(Role.NURSE), "=no")]

    def save(given: tuple[Actor, str]) -> Saved | AnswerConflict:
        actor, pick = given
        try:
            mine = Procedure.objects.select_related("protocol_version").get(pk=case.pk)
            meet.wait(TOGETHER)
            entry = Entry(pick=pick, base=base)
            return checklists.save_answers(actor=actor, procedure=mine, entries={"latex": entry})
        except AnswerConflict as conflict:
            return conflict
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(save, answers))


def answered_before(case: Procedure) -> int:
    checklists.save_answers(actor=make.actor(Role.NURSE), procedure=case, entries={"latex": Entry(pick="unknown")})
    return Answer.objects.get(question="latex").pk


def standing() -> list[Answer]:
    return list(Answer.objects.filter(question="latex", superseded_by__isnull=True))


@contextmanager
def without(guard: str) -> Iterator[None]:
    """The database without one of its guards, until what got through has been cleared away."""
    drop, create = GUARDS[guard]
    with connection.cursor() as cursor:
        cursor.execute(drop)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE procedures_answer")
            cursor.execute(create)


@pytest.mark.parametrize("given_before", [False, True])
def test_one_answer_stands_and_the_other_nurse_gets_both(case: Procedure, given_before: bool) -> None:
    outcomes = at_once(case, answered_before(case) if given_before else None)
    conflicts = [o for o in outcomes if isinstance(o, AnswerConflict)]
    assert len(conflicts) == 1
    (clash,) = conflicts[0].saved.clashes
    (kept,) = standing()
    assert clash.theirs.id == kept.pk
    assert {clash.mine.value, clash.theirs.value} == {"yes", "no"}
    assert kept.answered_by is not None
    assert clash.theirs.answered_by == kept.answered_by.display_name


@pytest.mark.parametrize(
    ("guard", "given_before"), [("answer_first_once", False), ("procedures_answer_supersedes_id_key", True)]
)
def test_without_the_databases_guard_both_answers_would_stand(case: Procedure, guard: str, given_before: bool) -> None:
    base = answered_before(case) if given_before else None
    with without(guard):
        outcomes = at_once(case, base)
        assert all(isinstance(o, Saved) for o in outcomes)
        both = Answer.objects.filter(question="latex", supersedes_id=base)
        assert {a.value for a in both} == {"yes", "no"}


def test_takes_none_and_a_new_line_at_once_never_stand_together(case: Procedure) -> None:
    meet = threading.Barrier(2)
    nurses = [make.actor(Role.NURSE), make.actor(Role.NURSE)]

    def takes_none() -> bool:
        saved = checklists.save_answers(actor=nurses[0], procedure=fresh(), entries={"medicines": Entry(pick="none")})
        return bool(saved.written)

    def takes_one() -> bool:
        checklist_rows.add_medicine(actor=nurses[1], procedure=fresh(), name="Warfarin", status="ongoing")
        return True

    def fresh() -> Procedure:
        found = Procedure.objects.select_related("protocol_version").get(pk=case.pk)
        meet.wait(TOGETHER)
        return found

    def run(act: object) -> bool:
        try:
            return takes_none() if act == "none" else takes_one()
        except (NoneAsserted, AnswerConflict):
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, ["none", "one"]))
    assert sorted(outcomes) == [False, True]
