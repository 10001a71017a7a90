"""One pass of the engine: each rung once, to whom it belongs, whatever else goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from clinic import clock
from clinic.models import Absence, AuditEntry, Heartbeat, OnCall, User
from clinic.roles import Role
from followups import channels, engine, reconcile
from followups.domain.kinds import Kind
from followups.models import FollowUp, FollowUpNote, Message
from followups.services import ladders
from tests import make
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def director() -> User:
    return make.user(Role.DIRECTOR, username="dora")


@pytest.fixture(autouse=True)
def no_promises_of_the_engines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles are empty here on purpose; what the engine promises about that is in test_own_promises.py."""
    monkeypatch.setattr(engine, "plan_own", lambda *_: None)


@pytest.fixture
def now() -> datetime:
    return clock.now()


def keys() -> list[str]:
    return sorted(Message.objects.values_list("key", flat=True))


def recipients() -> list[int]:
    return sorted(Message.objects.values_list("recipient_id", flat=True))


# --- rungs --------------------------------------------------------------------------------------


def test_nothing_is_sent_before_it_is_due(now: datetime) -> None:
    factory.promise(due=now + HOUR)
    report = engine.run_pass(now)
    assert (report.rungs, report.queued, mail.outbox) == (0, 0, [])


def test_the_first_rung_asks_the_owner_and_the_message_leaves_in_the_same_pass(now: datetime) -> None:
    row = factory.promise(due=now)
    report = engine.run_pass(now)
    row.refresh_from_db()
    assert (report.rungs, report.queued, report.delivered) == (1, 1, {"sent": 1})
    assert [m.to for m in mail.outbox] == [[row.responsible.email]]
    assert (row.rung, row.repeat, row.next_action_at) == (1, 0, row.due_at + DAY)
    assert keys() == [f"{row.pk}:1:0:0:{row.responsible_id}:email"]


def test_a_second_pass_at_the_same_time_does_nothing(now: datetime) -> None:
    factory.promise(due=now)
    engine.run_pass(now)
    report = engine.run_pass(now)
    assert (report.rungs, report.queued, len(mail.outbox)) == (0, 0, 1)


def test_a_rung_that_is_taken_again_after_a_crash_makes_no_second_message(now: datetime) -> None:
    row = factory.promise(due=now)
    engine.run_pass(now)
    FollowUp.objects.filter(pk=row.pk).update(rung=0, next_action_at=row.due_at)
    report = engine.run_pass(now)
    assert (report.rungs, report.queued, len(mail.outbox)) == (1, 0, 1)


def test_the_whole_ladder_is_climbed_and_its_last_rung_repeats(now: datetime, director: User) -> None:
    row = factory.promise(Kind.SIGN_RECORD, due=now)
    for days in (0, 1, 2, 3, 4):
        engine.run_pass(now + days * DAY)
    row.refresh_from_db()
    assert (row.rung, row.repeat) == (4, 2)
    assert row.escalated_role == "director"
    assert list(Message.objects.filter(recipient=row.responsible).values_list("state", flat=True)) == ["sent", "sent"]
    assert Message.objects.filter(kind="digest", recipient=director).count() == 3


def test_a_move_is_noted_and_audited_and_the_owner_stays(now: datetime) -> None:
    row = factory.promise(Kind.SIGN_RECORD, due=now - 2 * DAY, rung=2)
    FollowUp.objects.filter(pk=row.pk).update(next_action_at=now)
    engine.run_pass(now)
    row.refresh_from_db()
    note = FollowUpNote.objects.get(follow_up=row)
    entry = AuditEntry.objects.get(action="promise.escalated")
    assert (row.escalated_role, row.responsible_id is not None) == ("director", True)
    assert (note.action, note.by, note.text) == ("escalated", None, "director")
    assert (entry.subject_id, entry.patient_id, entry.actor_id) == (row.pk, row.procedure.patient_id, None)


def test_after_an_outage_each_person_hears_once_and_missed_repetitions_are_not_made_up_for(now: datetime) -> None:
    row = factory.promise(Kind.REVIEW_RESULT, level="critical", start_at=now - 30 * HOUR, due=now - 29 * HOUR)
    nurse, administrator = make.user(Role.NURSE), make.user(Role.ADMINISTRATOR)
    engine.run_pass(now)
    row.refresh_from_db()
    assert row.next_action_at > now
    sent = [recipient for message in mail.outbox for recipient in message.to]
    assert sorted(sent) == sorted({*sent})
    assert {nurse.email, administrator.email, row.responsible.email} <= set(sent)


def test_a_new_generation_is_asked_anew(now: datetime) -> None:
    row = factory.promise(due=now)
    engine.run_pass(now)
    FollowUp.objects.filter(pk=row.pk).update(generation=2, rung=0, next_action_at=row.due_at)
    engine.run_pass(now)
    assert keys() == [f"{row.pk}:{generation}:0:0:{row.responsible_id}:email" for generation in (1, 2)]
    assert len(mail.outbox) == 2


def test_a_closed_promise_is_left_alone(now: datetime) -> None:
    row = factory.promise(due=now)
    FollowUp.objects.filter(pk=row.pk).update(closed_at=now, closed_because="kept")
    assert engine.run_pass(now).rungs == 0


def test_a_snoozed_promise_waits_and_then_goes_on(now: datetime) -> None:
    factory.promise(due=now - HOUR, snoozed_until=now + HOUR)
    assert engine.run_pass(now).rungs == 0
    assert engine.run_pass(now + HOUR).rungs == 1


def test_a_critical_result_asks_at_once(now: datetime) -> None:
    factory.promise(Kind.REVIEW_RESULT, level="critical", start_at=now, due=now + HOUR)
    engine.run_pass(now)
    assert [m.subject for m in mail.outbox] == ["Urgent: you have a task in Procedure Tracker"]


def test_late_results_of_the_usual_hour_are_a_colour_and_not_a_message(now: datetime) -> None:
    factory.promise(
        Kind.AWAITED_RESULT,
        due=now + 2 * DAY,
        role="nurse",
        about={"tests": ["culture"], "usual_at": (now - DAY).isoformat(), "extended": False},
    )
    assert engine.run_pass(now).queued == 0


# --- who is asked -------------------------------------------------------------------------------


def absence(user: User, surrogate: User, now: datetime, *, accepted: bool = True) -> Absence:
    return Absence.objects.create(
        user=user,
        surrogate=surrogate,
        starts_at=now - DAY,
        ends_at=now + DAY,
        accepted_at=now - DAY if accepted else None,
    )


def test_while_a_promise_is_taken_its_taker_is_reminded(now: datetime) -> None:
    taker = make.user(Role.PHYSICIAN)
    factory.promise(due=now, taken_by=taker, taken_at=now)
    engine.run_pass(now)
    assert recipients() == [taker.pk]


def test_the_surrogate_of_an_absent_owner_is_asked(now: datetime) -> None:
    row, surrogate = factory.promise(due=now), make.user(Role.PHYSICIAN)
    absence(row.responsible, surrogate, now)
    engine.run_pass(now)
    assert recipients() == [surrogate.pk]


def test_an_absence_that_nobody_has_accepted_to_cover_goes_to_the_role_on_duty(now: datetime) -> None:
    row, surrogate, on_call = factory.promise(due=now), make.user(Role.PHYSICIAN), make.user(Role.PHYSICIAN)
    absence(row.responsible, surrogate, now, accepted=False)
    OnCall.objects.create(user=on_call, role="physician", starts_at=now - HOUR, ends_at=now + HOUR)
    engine.run_pass(now)
    assert recipients() == [on_call.pk]


def test_an_absence_that_is_over_covers_nothing(now: datetime) -> None:
    row, surrogate = factory.promise(due=now), make.user(Role.PHYSICIAN)
    absence(row.responsible, surrogate, now - 3 * DAY)
    engine.run_pass(now)
    assert recipients() == [row.responsible_id]


def test_without_a_responsible_person_everybody_on_call_for_the_role_is_asked(now: datetime) -> None:
    on_call, at_home = make.user(Role.SCHEDULER), make.user(Role.SCHEDULER)
    factory.promise(Kind.BOOK_REQUEST, due=now, role="scheduler", responsible=None)
    OnCall.objects.create(role="scheduler", user=on_call, starts_at=now - HOUR, ends_at=now + HOUR)
    engine.run_pass(now)
    assert recipients() == [on_call.pk]
    assert at_home.pk not in recipients()


def test_with_nobody_on_call_everybody_who_holds_the_role_is_asked(now: datetime) -> None:
    people = [make.user(Role.SCHEDULER), make.user(Role.SCHEDULER)]
    make.user(Role.SCHEDULER, is_active=False)
    factory.promise(Kind.BOOK_REQUEST, due=now, role="scheduler", responsible=None)
    engine.run_pass(now)
    assert recipients() == sorted(person.pk for person in people)


def test_an_empty_role_goes_to_the_director(now: datetime, director: User) -> None:
    factory.promise(Kind.BOOK_REQUEST, due=now, role="scheduler", responsible=None)
    report = engine.run_pass(now)
    assert recipients() == [director.pk]
    assert "scheduler" in report.empty_roles


def test_an_empty_ladder_goes_to_every_administrator_and_is_said_aloud(
    now: datetime, director: User, caplog: pytest.LogCaptureFixture
) -> None:
    User.objects.filter(pk=director.pk).update(is_active=False)
    administrators = [make.user(Role.ADMINISTRATOR), make.user(Role.ADMINISTRATOR)]
    factory.promise(Kind.BOOK_REQUEST, due=now, role="scheduler", responsible=None)
    with caplog.at_level(logging.ERROR):
        report = engine.run_pass(now)
    assert recipients() == sorted(person.pk for person in administrators)
    assert report.empty_ladders == 1
    assert "empty ladder" in caplog.text
    assert Heartbeat.objects.get(name="engine").data["empty_ladders"] == 1
    assert {"scheduler", "director"} <= set(Heartbeat.objects.get(name="engine").data["empty_roles"])


def test_an_empty_ladder_moves_on_all_the_same(now: datetime) -> None:
    User.objects.all().update(is_active=False)
    row = factory.promise(due=now, responsible=None)
    User.objects.all().update(is_active=False)
    engine.run_pass(now)
    row.refresh_from_db()
    assert (row.rung, keys()) == (1, [])


# --- the digest ---------------------------------------------------------------------------------


def test_many_escalated_promises_make_one_digest_a_day(now: datetime, director: User) -> None:
    rows = [factory.promise(Kind.SIGN_RECORD, due=now - 2 * DAY, rung=2) for _ in range(5)]
    FollowUp.objects.filter(pk__in=[row.pk for row in rows]).update(next_action_at=now)
    engine.run_pass(now)
    assert [m.to for m in mail.outbox] == []
    digest = Message.objects.get(kind="digest")
    assert (digest.recipient, digest.not_before) == (director, ladders.next_digest(now))
    engine.run_pass(digest.not_before)
    assert [m.to for m in mail.outbox] == [[director.email]]


def test_a_digest_with_nothing_left_to_say_is_cancelled(now: datetime) -> None:
    row = factory.promise(Kind.SIGN_RECORD, due=now - 2 * DAY, rung=2)
    FollowUp.objects.filter(pk=row.pk).update(next_action_at=now)
    engine.run_pass(now)
    FollowUp.objects.filter(pk=row.pk).update(closed_at=now, closed_because="kept")
    engine.run_pass(ladders.next_digest(now))
    assert (Message.objects.get(kind="digest").state, mail.outbox) == ("cancelled", [])


# --- what goes wrong ----------------------------------------------------------------------------


def test_one_poisoned_promise_is_set_aside_and_the_pass_goes_on(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned = factory.promise(due=now - HOUR)
    healthy = factory.promise(due=now)
    FollowUp.objects.filter(pk=poisoned.pk).update(rung=0, role="physician", level="normal")
    _poison(poisoned)
    report = engine.run_pass(now)
    healthy.refresh_from_db()
    poisoned.refresh_from_db()
    assert (report.set_aside, healthy.rung, poisoned.rung) == (1, 1, 0)
    assert f"promise {poisoned.pk} set aside" in caplog.text
    assert Heartbeat.objects.filter(name="engine").exists()


def _poison(row: FollowUp) -> None:
    """A kind that the database would refuse, for which there is no ladder: the constraint is lifted in this test's
    transaction alone.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE followups_followup DROP CONSTRAINT promise_kind_known")
        cursor.execute("UPDATE followups_followup SET kind = 'water_plants' WHERE id = %s", [row.pk])


def test_what_stands_beside_a_poisoned_promise_is_written_once(now: datetime) -> None:
    poisoned = factory.promise(due=now - HOUR)
    rows = [factory.promise(due=now) for _ in range(3)]
    moved = factory.promise(due=now - 2 * DAY, rung=2)
    FollowUp.objects.filter(pk=moved.pk).update(next_action_at=now)
    _poison(poisoned)
    report = engine.run_pass(now)
    assert (report.set_aside, report.rungs, report.queued) == (1, 5, 4)  # the move, and the digest after it
    assert Message.objects.count() == len(rows) + 1
    assert FollowUpNote.objects.count() == AuditEntry.objects.filter(action="promise.escalated").count() == 1


def test_a_burst_asks_the_database_as_often_as_a_batch_needs_and_not_more(
    now: datetime, django_assert_max_num_queries: Any
) -> None:
    people = make.user(Role.PHYSICIAN)
    case = factory.case(responsible=people)
    for _ in range(40):
        factory.promise(procedure=case, due=now)
    roster, report = engine.duty.roster(now), engine.PassReport()
    with django_assert_max_num_queries(8):  # savepoints included: batch 3, what waits 1, messages 1, promises 1
        engine.advance(now, roster, report)
    assert (report.rungs, report.queued) == (40, 40)


def test_a_plan_that_is_behind_is_made_up_for_and_warned_of(
    now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    case = factory.case(facts_version=2)
    planned: list[int] = []
    monkeypatch.setattr(reconcile, "procedure", lambda pk, _row=None: planned.append(pk))
    report = engine.run_pass(now)
    assert (planned, report.swept) == ([case.pk], 1)
    assert "1 plans were behind" in caplog.text


def test_one_case_that_cannot_be_planned_does_not_stop_the_sweep(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, healthy = factory.case(facts_version=2), factory.case(facts_version=2)
    planned: list[int] = []

    def plan(pk: int, _row: object = None) -> None:
        if pk == poisoned.pk:
            raise ZeroDivisionError
        planned.append(pk)

    monkeypatch.setattr(reconcile, "procedure", plan)
    report = engine.run_pass(now)
    assert (planned, report.swept, report.set_aside) == ([healthy.pk], 1, 1)
    assert FollowUp.objects.get(procedure=poisoned).kind == Kind.PLAN_FAILED


def test_nothing_is_behind_when_facts_are_planned_as_they_change(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    factory.promise(due=now)
    assert engine.run_pass(now).swept == 0
    assert "sweep" not in caplog.text


def test_a_channel_that_breaks_does_not_stop_the_pass(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError

    for name in channels.NAMES:
        row = factory.promise(due=now + DAY)
        factory.message(row, channel=name, key=f"{row.pk}:1:0:0:{name}")
    monkeypatch.setattr(engine.dispatch, "run", broken)
    report = engine.run_pass(clock.now())
    assert report.set_aside == len(channels.NAMES)
    assert Heartbeat.objects.filter(name="engine").exists()


def test_a_pass_that_does_not_complete_leaves_no_heartbeat(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(engine, "advance", broken)
    with pytest.raises(RuntimeError):
        engine.run_pass(now)
    assert not Heartbeat.objects.filter(name="engine").exists()


@pytest.fixture
def demo_clock(settings: Any) -> Iterator[None]:
    settings.DEMO = True
    yield


def test_the_heartbeat_tells_the_real_time_also_in_a_demonstration(now: datetime, demo_clock: None) -> None:
    before = clock.real_now()
    engine.run_pass(now + 14 * DAY)
    beat = Heartbeat.objects.get(name="engine")
    assert before <= beat.at <= clock.real_now()
    assert beat.data["rungs"] == 0


def test_an_idle_pass_asks_the_database_a_fixed_number_of_questions(
    now: datetime, django_assert_num_queries: Any
) -> None:
    factory.promise(due=now + DAY)
    engine.run_pass(now)
    for _ in range(10):
        factory.promise(due=now + DAY)
    # savepoints included: what laboratories sent 6, sweep 3, rules 1, roster 5, patients, texts and engine 2, batch 3,
    # reap 1, channels 2, watch 8
    with django_assert_num_queries(26):
        engine.run_pass(now)
