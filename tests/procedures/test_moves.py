"""What becomes of a booking: every move of the table, and none beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, IllegalMove, Invalid
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.domain.states import PROCEDURE, Disposition, Outcome, ProcedureStatus
from procedures.models import Procedure
from procedures.services import bookings, endings, moves, starts
from procedures.services.slots import SlotTaken
from tests import make
from tests.pages import fresh

pytestmark = pytest.mark.django_db
S = ProcedureStatus
PAIRS = [(old, new) for old in S for new in S if old != new]
LEGAL = [pair for pair in PAIRS if PROCEDURE.may(*pair)]
ILLEGAL = [pair for pair in PAIRS if not PROCEDURE.may(*pair)]
#: Columns without which the database refuses the state itself.
NEEDS: dict[str, Callable[[], dict[str, Any]]] = {
    "scheduled": lambda: {"stay": _stay()},
    "completed": lambda: {"completed_at": clock.now(), "outcome": "done"},
}


def _stay() -> Any:
    return make.procedure(status="scheduled", starts=clock.now() + timedelta(days=9)).stay


@pytest.fixture
def actor() -> Actor:
    return make.actor(Role.PHYSICIAN)


def set_by_sql(procedure: Procedure, to: str, **also: Any) -> None:
    with transaction.atomic():
        Procedure.objects.filter(pk=procedure.pk).update(status=to, **also)


@pytest.mark.parametrize(("old", "new"), LEGAL)
def test_the_database_allows_every_move_of_the_table(old: S, new: S) -> None:
    case = make.procedure(status=str(old))
    set_by_sql(case, str(new), **NEEDS.get(str(new), dict)())
    assert fresh(case).status == new


@pytest.mark.parametrize(("old", "new"), ILLEGAL)
def test_the_database_refuses_every_other_move(old: S, new: S) -> None:
    case = make.procedure(status=str(old))
    with pytest.raises(DatabaseError, match="Invalid transition"):
        set_by_sql(case, str(new), **NEEDS.get(str(new), dict)())
    assert fresh(case).status == old


def test_the_trigger_is_the_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname LIKE 'pgtrigger_procedure_moves%'")
        ((source,),) = cursor.fetchall()
    listed = source.split("ANY('{")[1].split("}'")[0].split(",")
    assert sorted(tuple(move.split(":")) for move in listed) == PROCEDURE.moves()


def verbs(actor: Actor, case: Procedure) -> dict[str, tuple[Callable[[], Any], set[S]]]:
    """Each verb, and the states it may be said in."""
    room = make.room()
    start = clock.now() + timedelta(days=30)
    to = {"actor": actor, "procedure": case}
    return {
        "schedule": (
            lambda: bookings.schedule(**to, start=start, room=room, outside_hours=True, reason="x"),
            {S.REQUESTED, S.SCHEDULED, S.ARRIVED, S.CANCELLED, S.NO_SHOW},
        ),
        "unschedule": (lambda: bookings.unschedule(**to), {S.SCHEDULED}),
        "cancel": (lambda: moves.cancel(**to, reason="x"), {S.REQUESTED, S.SCHEDULED, S.ARRIVED, S.NO_SHOW}),
        "no_show": (lambda: moves.no_show(**to), {S.SCHEDULED}),
        "reopen": (lambda: moves.reopen(**to), {S.CANCELLED, S.NO_SHOW}),
        "arrive": (lambda: moves.arrive(**to), {S.SCHEDULED, S.NO_SHOW}),
        "undo_arrival": (lambda: moves.undo_arrival(**to), {S.ARRIVED}),
        "start": (lambda: starts.start(**to), {S.SCHEDULED, S.ARRIVED}),
        "emergency_start": (
            lambda: starts.emergency_start(**to, reason="x"),
            {S.REQUESTED, S.SCHEDULED, S.ARRIVED},
        ),
        "abandon_start": (lambda: starts.abandon_start(**to, reason="x"), {S.IN_PROGRESS}),
        "complete": (
            lambda: endings.complete(**to, outcome=Outcome.DONE, disposition=Disposition.HOME),
            {S.IN_PROGRESS},
        ),
        "entered_in_error": (lambda: moves.entered_in_error(**to, reason="x"), set(S) - {S.ENTERED_IN_ERROR}),
    }


VERBS = (
    "schedule",
    "unschedule",
    "cancel",
    "no_show",
    "reopen",
    "arrive",
    "undo_arrival",
    "start",
    "emergency_start",
    "abandon_start",
    "complete",
    "entered_in_error",
)


@pytest.mark.parametrize("old", list(S))
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_works_where_it_may_and_is_refused_elsewhere(
    actor: Actor, monkeypatch: pytest.MonkeyPatch, verb: str, old: S
) -> None:
    monkeypatch.setattr("procedures.services.gates.checklists.unsigned_blocking_stages", lambda procedure: [])
    monkeypatch.setattr("procedures.services.gates.checklists.unanswered_minimum", lambda procedure: [])
    stay = {"stay": _stay()} if old in {S.NO_SHOW, S.CANCELLED} else {}
    case = make.procedure(status=str(old), **stay)
    do, allowed = verbs(actor, case)[verb]
    before = (fresh(case).facts_version, AuditEntry.objects.count())
    if old in allowed:
        do()
        assert fresh(case).facts_version > before[0]
        assert AuditEntry.objects.filter(subject_type="procedures.procedure", subject_id=case.pk).exists()
        return
    with pytest.raises((IllegalMove, Conflict)):
        do()
    assert fresh(case).status == old
    assert (fresh(case).facts_version, AuditEntry.objects.count()) == before


@pytest.mark.parametrize(
    "say",
    [
        lambda to: moves.cancel(**to, reason=" "),
        lambda to: moves.entered_in_error(**to, reason=""),
        lambda to: starts.abandon_start(**to, reason=""),
        lambda to: starts.emergency_start(**to, reason=""),
        lambda to: endings.complete(**to, outcome=Outcome.PARTIAL, disposition=Disposition.HOME),
    ],
)
def test_what_needs_a_reason_says_so(actor: Actor, say: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(Invalid) as refused:
        say({"actor": actor, "procedure": make.procedure(status="in_progress")})
    assert refused.value.field in {"reason", "outcome_reason"}


def test_a_reason_is_kept_on_the_case_and_in_the_audit(actor: Actor) -> None:
    case = moves.cancel(actor=actor, procedure=make.procedure(), reason="Fever")
    assert fresh(case).end_reason == "Fever"
    assert AuditEntry.objects.get(action="procedure.cancelled").reason == "Fever"
    moves.reopen(actor=actor, procedure=case, reason="Fever gone")
    again = fresh(case)
    assert (again.status, again.end_reason) == ("requested", "")
    assert case.ended_at is not None and again.ended_at > case.ended_at  # since when it waits for a slot again


def test_late_after_all_takes_the_slot_again_if_nobody_else_has_it(actor: Actor) -> None:
    case = make.procedure(status="scheduled")
    moves.no_show(actor=actor, procedure=case)
    assert moves.arrive(actor=actor, procedure=fresh(case)).status == "arrived"
    assert (fresh(case).ended_at, fresh(case).end_reason) == (None, "")


def test_late_after_the_room_was_given_away_is_refused_with_free_slots(actor: Actor) -> None:
    make.opening_hours()
    case = make.procedure(status="scheduled")
    moves.no_show(actor=actor, procedure=case)
    make.procedure(status="scheduled", starts=case.stay.lower, room=case.room)
    with pytest.raises(SlotTaken) as refused:
        moves.arrive(actor=actor, procedure=fresh(case))
    assert refused.value.what == "room"
    assert len(refused.value.free) == 3
    assert fresh(case).status == "no_show"
