"""Take, hand over, put off, note: who may, what it does, and what two people at once see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import AuditEntry, User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp, FollowUpNote
from followups.services import ladders, promises
from tests import make
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PAGES = ("take", "hand_over", "snooze", "note")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(page: str, row: FollowUp) -> str:
    return reverse(f"followups:{page}", args=[row.pk])


def fresh(row: FollowUp) -> FollowUp:
    return FollowUp.objects.get(pk=row.pk)


# --- who sees what ------------------------------------------------------------------------------


@pytest.mark.parametrize("step", PAGES)
@pytest.mark.parametrize(
    ("role", "kind", "status"),
    [
        (Role.NURSE, Kind.REVIEW_RESULT, 200),
        (Role.PHYSICIAN, Kind.REVIEW_RESULT, 200),
        (Role.DIRECTOR, Kind.REVIEW_RESULT, 200),
        (Role.SCHEDULER, Kind.REVIEW_RESULT, 404),
        (Role.SCHEDULER, Kind.TELL_PATIENT, 404),
        (Role.SCHEDULER, Kind.BOOK_REQUEST, 200),
        (Role.SCHEDULER, Kind.CARRY_OUT, 200),
        (Role.SCHEDULER, Kind.REBOOK_NO_SHOW, 200),
        (Role.ADMINISTRATOR, Kind.BOOK_REQUEST, 404),
    ],
)
def test_each_role_sees_its_own_promises(step: str, role: Role, kind: Kind, status: int) -> None:
    about = {"test": "csf_culture", "version": 1, "status": "final"} if kind is Kind.REVIEW_RESULT else {}
    row = factory.promise(kind, due=clock.now() + HOUR, about=about)
    client = client_of(make.user(role))
    assert client.get(url(step, row)).status_code == status
    if status == 404:
        assert client.post(url(step, row)).status_code == 404


def test_a_promise_that_is_not_there_is_not_found() -> None:
    assert client_of(make.user(Role.NURSE)).get(reverse("followups:take", args=[999_999])).status_code == 404


def test_reading_the_page_is_written_to_the_patients_audit() -> None:
    row = factory.promise()
    nurse = make.user(Role.NURSE)
    client_of(nurse).get(url("take", row))
    entry = AuditEntry.objects.get(action="chart.read")
    assert (entry.patient_id, entry.actor_id) == (row.procedure.patient_id, nurse.pk)


def test_a_scheduler_reads_who_did_what_but_not_the_words() -> None:
    row = factory.promise(Kind.BOOK_REQUEST, role="scheduler", responsible=None)
    FollowUpNote.objects.create(follow_up=row, at=clock.now(), by=make.user(), action="comment", text="on apixaban")
    assert "apixaban" not in client_of(make.user(Role.SCHEDULER)).get(url("note", row)).content.decode()
    assert "apixaban" in client_of(make.user(Role.NURSE)).get(url("note", row)).content.decode()


# --- take ---------------------------------------------------------------------------------------


def test_taking_makes_it_mine_and_leads_back_to_the_case() -> None:
    row, nurse = factory.promise(), make.user(Role.NURSE)
    response = client_of(nurse).post(url("take", row), {"seen_taker": "", "seen_generation": 1})
    assert (response.status_code, response["Location"]) == (303, row.procedure.get_absolute_url())
    assert fresh(row).taken_by == nurse
    assert fresh(row).taken_at is not None
    entry = AuditEntry.objects.get(action="promise.taken")
    assert (entry.subject_id, entry.patient_id, entry.actor_id) == (row.pk, row.procedure.patient_id, nurse.pk)
    assert FollowUpNote.objects.get(follow_up=row).action == "taken"


def test_a_bare_button_takes_what_nobody_has() -> None:
    row, nurse = factory.promise(), make.user(Role.NURSE)
    assert client_of(nurse).post(url("take", row)).status_code == 303
    assert fresh(row).taken_by == nurse


def test_taking_twice_is_taking_once() -> None:
    row, nurse = factory.promise(), make.user(Role.NURSE)
    for _ in range(2):
        promises.take(actor=Actor.person(nurse), follow_up=fresh(row))
    assert FollowUpNote.objects.count() == 1


def test_of_two_who_take_it_at_once_the_second_is_told() -> None:
    row = factory.promise()
    seen_by_both = fresh(row), fresh(row)
    first, second = make.actor(Role.NURSE), make.actor(Role.PHYSICIAN)
    promises.take(actor=first, follow_up=seen_by_both[0])
    with pytest.raises(Conflict):
        promises.take(actor=second, follow_up=seen_by_both[1])
    assert fresh(row).taken_by_id == first.user_id


def test_the_second_of_two_gets_a_page_that_says_so() -> None:
    row = factory.promise(taken_by=make.user(Role.NURSE), taken_at=clock.now())
    response = client_of(make.user(Role.NURSE)).post(url("take", row), {"seen_taker": "", "seen_generation": 1})
    assert response.status_code == 409
    assert "Somebody else took this task" in response.content.decode()


def test_what_another_has_can_be_taken_knowingly() -> None:
    other, nurse = make.user(Role.NURSE), make.user(Role.NURSE)
    row = factory.promise(taken_by=other, taken_at=clock.now())
    client_of(nurse).post(url("take", row), {"seen_taker": other.pk, "seen_generation": 1})
    assert fresh(row).taken_by == nurse


@pytest.mark.parametrize("change", [{"closed_at": clock.real_now(), "closed_because": "kept"}, {"generation": 2}])
def test_what_was_closed_or_changed_meanwhile_is_not_taken(change: dict[str, Any]) -> None:
    row = factory.promise()
    seen = fresh(row)
    FollowUp.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(Conflict):
        promises.take(actor=make.actor(Role.NURSE), follow_up=seen)


def test_an_administrator_does_nothing_to_a_promise() -> None:
    row = factory.promise()
    actor = make.actor(Role.ADMINISTRATOR)
    with pytest.raises(NotPermitted):
        promises.take(actor=actor, follow_up=row)
    with pytest.raises(NotPermitted):
        promises.note(actor=actor, follow_up=row, text="x")


# --- hand over ----------------------------------------------------------------------------------


def test_the_other_person_sees_who_gave_it() -> None:
    row, giver, to = factory.promise(), make.user(Role.PHYSICIAN), make.user(Role.PHYSICIAN)
    data = {"to": to.pk, "text": "I leave at four", "seen_taker": "", "seen_generation": 1}
    assert client_of(giver).post(url("hand_over", row), data).status_code == 303
    assert fresh(row).taken_by == to
    page = client_of(to).get(url("take", row)).content.decode()
    assert giver.display_name in page
    assert "I leave at four" in page
    assert AuditEntry.objects.get(action="promise.handed_over").data == {"from": None, "to": to.pk}


def test_it_is_handed_only_to_active_people_of_a_fitting_role() -> None:
    row = factory.promise(Kind.SIGN_RECORD, role="physician")
    fits = make.user(Role.PHYSICIAN)
    for person in (make.user(Role.NURSE), make.user(Role.SCHEDULER), make.user(Role.PHYSICIAN, is_active=False)):
        with pytest.raises(Invalid):
            promises.hand_over(actor=make.actor(Role.NURSE), follow_up=fresh(row), to=person)
    assert set(promises.candidates(row)) == {fits, row.responsible}


def test_where_it_was_escalated_to_fits_as_well_and_a_physician_does_what_a_nurse_does() -> None:
    row = factory.promise(Kind.COLLECT_TESTS, role="nurse", escalated_role="director")
    people = {make.user(role) for role in (Role.NURSE, Role.PHYSICIAN, Role.DIRECTOR)}
    make.user(Role.SCHEDULER)
    assert set(promises.candidates(row)) == people | {row.responsible}


def test_nobody_chosen_is_said_at_the_field_and_what_was_typed_stays() -> None:
    row = factory.promise()
    response = client_of(make.user(Role.NURSE)).post(url("hand_over", row), {"text": "please", "seen_generation": 1})
    assert response.status_code == 422
    assert "please" in response.content.decode()
    assert fresh(row).taken_by is None


def test_who_has_it_already_is_not_given_it_again() -> None:
    has = make.user(Role.PHYSICIAN)
    row = factory.promise(taken_by=has, taken_at=clock.now())
    assert has not in promises.candidates(row)
    with pytest.raises(Invalid):
        promises.hand_over(actor=make.actor(Role.NURSE), follow_up=row, to=has)


# --- snooze -------------------------------------------------------------------------------------


def snooze(row: FollowUp, length: timedelta, reason: str = "waiting for a call back") -> None:
    promises.snooze(actor=make.actor(Role.NURSE), follow_up=fresh(row), until=clock.now() + length, reason=reason)


def test_a_promise_is_put_off_until_it_is_due_at_most() -> None:
    row = factory.promise(due=clock.now() + 3 * DAY)
    snooze(row, 2 * DAY)
    assert fresh(row).snoozed_until is not None
    with pytest.raises(Invalid, match="Too long"):
        snooze(row, 4 * DAY)


def test_an_overdue_promise_is_put_off_for_a_day_at_a_time() -> None:
    row = factory.promise(due=clock.now() - 3 * DAY)
    snooze(row, 23 * HOUR)
    with pytest.raises(Invalid, match="Too long"):
        snooze(row, 25 * HOUR)


def test_what_is_critical_is_never_put_off() -> None:
    row = factory.promise(Kind.TELL_PATIENT, level="critical", due=clock.now() + DAY)
    with pytest.raises(Invalid, match="critical"):
        snooze(row, HOUR)
    nurse = client_of(make.user(Role.NURSE))
    assert ">Put off</button>" not in nurse.get(url("snooze", row)).content.decode()
    data = {"until": f"{timezone.localtime(clock.now() + HOUR):%Y-%m-%dT%H:%M}", "reason": "x", "seen_generation": 1}
    assert nurse.post(url("snooze", row), data).status_code == 422


@pytest.mark.parametrize(("length", "reason"), [(HOUR, "  "), (-HOUR, "later"), (timedelta(0), "later")])
def test_it_needs_a_reason_and_a_time_to_come(length: timedelta, reason: str) -> None:
    row = factory.promise(due=clock.now() + DAY)
    with pytest.raises(Invalid):
        snooze(row, length, reason)
    assert fresh(row).snoozed_until is None


def test_a_snooze_is_noted_with_its_reason_and_audited() -> None:
    row = factory.promise(due=clock.now() + DAY)
    until = timezone.localtime(clock.now() + 2 * HOUR)
    data = {"until": f"{until:%Y-%m-%dT%H:%M}", "reason": "voicemail left", "seen_generation": 1}
    assert client_of(make.user(Role.NURSE)).post(url("snooze", row), data).status_code == 303
    assert fresh(row).snoozed_until == until.replace(second=0, microsecond=0)
    assert FollowUpNote.objects.get(follow_up=row).text == "voicemail left"
    assert AuditEntry.objects.get(action="promise.snoozed").reason == "voicemail left"


def test_the_page_offers_the_latest_possible_time() -> None:
    due = clock.now() + 5 * HOUR
    row = factory.promise(due=due)
    page = client_of(make.user(Role.NURSE)).get(url("snooze", row)).content.decode()
    assert f'value="{timezone.localtime(due):%Y-%m-%dT%H:%M}"' in page


# --- note and words -----------------------------------------------------------------------------


def test_a_note_is_kept_with_its_writer() -> None:
    row, nurse = factory.promise(), make.user(Role.NURSE)
    assert client_of(nurse).post(url("note", row), {"text": "called twice", "seen_generation": 1}).status_code == 303
    written = FollowUpNote.objects.get(follow_up=row)
    assert (written.by, written.action, written.text) == (nurse, "comment", "called twice")
    assert AuditEntry.objects.filter(action="promise.noted", actor_id=nurse.pk).exists()


def test_an_empty_note_is_refused() -> None:
    row = factory.promise()
    assert client_of(make.user(Role.NURSE)).post(url("note", row), {"text": " "}).status_code == 422
    with pytest.raises(Invalid):
        promises.note(actor=make.actor(Role.NURSE), follow_up=row, text=" ")


def test_a_note_on_a_closed_promise_is_still_a_note() -> None:
    row = factory.promise()
    FollowUp.objects.filter(pk=row.pk).update(closed_at=clock.now(), closed_because="kept")
    promises.note(actor=make.actor(Role.NURSE), follow_up=fresh(row), text="by phone")
    assert FollowUpNote.objects.count() == 1


def test_who_is_asked_next_is_said_in_words() -> None:
    now = clock.now()
    row = factory.promise(Kind.SIGN_RECORD, due=now + HOUR)
    said = [ladders.next_step(fresh(row), now)]
    for rung, at in ((2, now + 2 * DAY), (3, now + 2 * DAY)):
        FollowUp.objects.filter(pk=row.pk).update(rung=rung, next_action_at=at)
        said.append(ladders.next_step(fresh(row), now))
    assert said[0].endswith(f": a reminder goes to {row.responsible.display_name}")
    assert said[1].endswith("it also goes to the list of the director")
    assert said[2].endswith("it is put into the daily digest of the director")


def test_a_closed_promise_has_no_next_step() -> None:
    row = factory.promise()
    FollowUp.objects.filter(pk=row.pk).update(closed_at=clock.now(), closed_because="kept")
    assert ladders.next_step(fresh(row), clock.now()) == ""
