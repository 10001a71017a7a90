"""Each promise stands in one group of a page, in the segments it belongs to, and the counts are those of the rows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import count, product
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.models import Absence, User
from clinic.roles import Role
from followups.domain import kinds
from followups.domain.kinds import Kind, Subject
from followups.domain.labels import DUE_WITHIN
from followups.domain.picture import Urgency
from followups.models import FollowUp
from followups.selectors import checklist_queue, loop, loop_board, paging, ranked, worklists
from followups.selectors.case import ORDER, urgency_of
from followups.selectors.checklist_queue import Part
from followups.selectors.groups import CHASE, INBOX, Page
from followups.selectors.worklists import Of, Worklist
from procedures.domain.checklist import Summary, Word
from tests import checked, make
from tests.factories.work import DAY, HOUR, NOW, promise, taken

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def pia() -> User:
    return make.user(Role.PHYSICIAN, full_name="Pia Physician")


def load(who: User, of: Of = Of.ALL, page: Page = INBOX, **more: Any) -> Worklist:
    return worklists.load(page=page, actor=Actor.person(who), of=of, now=NOW, **more)


def groups(found: Worklist) -> dict[str, list[int]]:
    return {section.group.code: [row.follow_up.pk for row in section.rows] for section in found.sections}


def every_row(who: User, of: Of, page: Page = INBOX) -> list[int]:
    """All pages of what can be done now, then all pages of what is parked."""
    found: list[int] = []
    for parked in (False, True):
        number = 1
        while True:
            work = load(who, of, page, number=str(number), show_parked=parked)
            found += [row.follow_up.pk for section in work.sections for row in section.rows]
            if not work.rows.has_next():
                break
            number += 1
    return found


def away(who: User, surrogate: User, *, accepted: bool = True, ends: timedelta = DAY) -> Absence:
    return Absence.objects.create(
        user=who,
        surrogate=surrogate,
        starts_at=NOW - DAY,
        ends_at=NOW + ends,
        accepted_at=NOW - DAY if accepted else None,
    )


# --- one definition of due, overdue and critical ----------------------------------------------


def boundary_rows() -> list[FollowUp]:
    """Every combination of level, start, due and usual hour at, just before and just after each limit."""
    case, serial = make.procedure(), count()
    starts = (-DAY, -TICK, timedelta(0), TICK, DAY)
    dues = (-DAY, -TICK, timedelta(0), TICK, DUE_WITHIN - TICK, DUE_WITHIN, DUE_WITHIN + TICK)
    usuals: tuple[timedelta | str | None, ...] = (None, "", -TICK, timedelta(0), TICK)
    rows = [
        FollowUp(
            subject_kind="procedure", subject_id=case.pk, procedure=case, key=f"k{next(serial)}", level=level,
            kind=str(Kind.AWAITED_RESULT), role="nurse", start_at=NOW + start, due_at=NOW + due,
            about={} if usual is None else {"usual_at": usual if isinstance(usual, str) else (NOW + usual).isoformat()},
            next_action_at=NOW, opened_at=NOW,
        )
        for level, start, due, usual in product(("normal", "abnormal", "critical"), starts, dues, usuals)
    ]  # fmt: skip
    return FollowUp.objects.bulk_create(rows)


def test_the_database_says_of_every_boundary_what_the_pure_rule_says() -> None:
    boundary_rows()
    rows = list(loop.open_at(NOW))
    assert len(rows) == 525
    wrong = [(r.level, r.start_at, r.due_at, r.about) for r in rows if r.rank != ORDER[urgency_of(r, NOW)]]
    assert wrong == []
    assert {r.rank for r in rows} == set(ORDER.values())


def test_every_list_ranks_every_boundary_as_the_pure_rule_does() -> None:
    """What the pages ask at once, against the rule, row by row."""
    rows = {row.pk: ORDER[urgency_of(row, NOW)] for row in boundary_rows()}
    listed = ranked.ask({"all": ranked.numbers("TRUE", "id", "", "ARRAY[id, rank]")}, NOW)["all"]
    assert dict(listed) == rows
    later = {row.pk: ORDER[urgency_of(row, NOW + DAY)] for row in FollowUp.objects.all()}
    assert dict(ranked.ask({"all": ranked.numbers("TRUE", "id", "", "ARRAY[id, rank]")}, NOW + DAY)["all"]) == later
    assert later != rows


def test_the_figures_of_the_loop_are_those_of_the_pure_rule(capsys: pytest.CaptureFixture[str]) -> None:
    rows = boundary_rows()
    words = [urgency_of(row, NOW) for row in rows]
    figures = loop.counts(NOW)
    assert {word: figures[str(word)] for word in Urgency} == {word: words.count(word) for word in Urgency}
    assert figures["open"] == len(rows) == sum(figures[str(word)] for word in Urgency)
    call_command("loop_status", "--json")
    assert capsys.readouterr().out.strip() == str(figures).replace("'", '"')


def test_each_figure_leads_to_exactly_the_promises_it_counts() -> None:
    nurse = make.user(Role.NURSE)
    for due, kind in product((-HOUR, HOUR, 3 * DAY), Kind):
        promise(kind, due=due)
    taken(promise(Kind.REVIEW_RESULT), nurse)
    promise(Kind.AWAITED_RESULT, about={"tests": ["cell_count"], "usual_at": NOW.isoformat(), "extended": True})
    promise(Kind.TELL_PATIENT, escalated_role="director", level="critical")
    figures = loop.counts(NOW)
    assert all(figures.values())
    for name, figure in figures.items():
        pages = -(-figure // paging.SIZE)
        listed = [
            row.follow_up.pk
            for number in range(1, pages + 1)
            for row in loop_board.load(show=name, now=NOW, number=str(number)).rows
        ]
        assert len(listed) == len(set(listed)) == figure


# --- groups -----------------------------------------------------------------------------------


INBOX_GROUPS = {
    Kind.REVIEW_RESULT: "review",
    Kind.SPECIMEN_LOST: "decide",
    Kind.RESTART_MEDICINE: "decide",
    Kind.PLAN_FAILED: "decide",
    Kind.DO_ACTION: "do",
    Kind.SIGN_RECORD: "do",
    Kind.CARRY_OUT: "do",
    Kind.BOOK_REQUEST: "do",
    Kind.REBOOK_NO_SHOW: "do",
    Kind.CHECKLIST_AFTER_EMERGENCY: "do",
    Kind.COLLECT_TESTS: "do",
    Kind.TELL_PATIENT: "tell",
    Kind.SYMPTOM_CHECK: "tell",
    Kind.REREAD_CORRECTION: "review",
    Kind.RESULT_TAKEN_BACK: "decide",
    Kind.UNREACHABLE_PATIENT: "tell",
    Kind.AWAITED_RESULT: "parked",  # the nurses chase it, until it is overdue
    Kind.SPECIMEN_NOT_RECEIVED: "parked",
    Kind.CHECKLIST_NOT_DONE: "parked",
    Kind.ANSWERS_EXPIRING: "parked",
    Kind.NEXT_IN_SERIES: "parked",
    Kind.RERUN_SAFETY: "parked",
    Kind.TELL_LAST_DOSE: "parked",
    Kind.COUNTERSIGN_START: "decide",
    Kind.CLEAR_FINDINGS: "decide",
    Kind.SIGN_CLEARANCE: "decide",
    Kind.ACCEPT_TRANSFER: "do",
    Kind.LATER_TESTS: "do",
    Kind.DANGER_SIGN: "tell",
    Kind.READ_WORDS: "tell",
    Kind.CALL_SILENT: "parked",
    Kind.LINK_LOCKED: "parked",
    Kind.BOOK_AGAIN: "parked",
    Kind.MESSAGE_UNDELIVERED: "tell",
    Kind.WRITE_TO_PATIENT: "do",
}

#: What is about a person of the staff or the clinic stands on the engine's page.
ON_LISTS = [kind for kind in Kind if kinds.of(kind).subject in {Subject.PROCEDURE, Subject.SERIES}]

CHASE_GROUPS = {
    Kind.SPECIMEN_NOT_RECEIVED: "received",
    Kind.COLLECT_TESTS: "received",
    Kind.SPECIMEN_LOST: "lost",
    Kind.AWAITED_RESULT: "awaited",
    Kind.TELL_PATIENT: "call",
    Kind.SYMPTOM_CHECK: "call",
    Kind.CHECKLIST_AFTER_EMERGENCY: "checklist",
    Kind.CHECKLIST_NOT_DONE: "checklist",
    Kind.ANSWERS_EXPIRING: "checklist",
    Kind.UNREACHABLE_PATIENT: "call",
    Kind.LATER_TESTS: "call",
    Kind.TELL_LAST_DOSE: "call",
    Kind.RERUN_SAFETY: "checklist",
    Kind.SIGN_RECORD: "record",
    Kind.CARRY_OUT: "record",
    Kind.MATCH_RESULT: "match",
    Kind.UNREADABLE_MESSAGE: "match",
    Kind.DANGER_SIGN: "signs",
    Kind.READ_WORDS: "signs",
    Kind.CALL_SILENT: "call",
    Kind.LINK_LOCKED: "call",
    Kind.MESSAGE_UNDELIVERED: "call",
    Kind.READ_TEXT: "call",
}


def place(found: Worklist) -> list[str]:
    """Where the promises of the page are, parked ones included."""
    return [*groups(found), *(["parked"] if found.parked else [])]


@pytest.mark.parametrize("kind", ON_LISTS)
def test_every_kind_has_its_group_in_the_inbox_when_it_is_due(kind: Kind, pia: User) -> None:
    promise(kind)
    assert place(load(pia)) == [INBOX_GROUPS[kind]]


@pytest.mark.parametrize("kind", ON_LISTS)
@pytest.mark.parametrize(("level", "group"), [("critical", "critical"), ("normal", "overdue")])
def test_what_is_critical_or_overdue_stands_above_its_kind(kind: Kind, level: str, group: str, pia: User) -> None:
    promise(kind, due=-HOUR, begun=DAY, level=level)
    assert place(load(pia)) == [group]


@pytest.mark.parametrize("kind", ON_LISTS)
def test_nothing_that_has_not_begun_asks_for_anything(kind: Kind, pia: User) -> None:
    promise(kind, due=3 * DAY, begun=-2 * DAY, usual_at=NOW + DAY)
    assert place(load(pia)) == ["parked"]


@pytest.mark.parametrize(
    ("kind", "group"),
    [(Kind.RESTART_MEDICINE, "parked"), (Kind.REVIEW_RESULT, "review"), (Kind.TELL_PATIENT, "tell")],
)
def test_what_can_be_done_before_its_limit_is_not_parked(kind: Kind, group: str, pia: User) -> None:
    """A result may be read and a patient told days before the limit; a medicine is not restarted before its time."""
    promise(kind, due=6 * DAY)
    assert place(load(pia)) == [group]


def test_groups_come_in_the_order_in_which_they_matter(pia: User) -> None:
    parked = promise(Kind.RESTART_MEDICINE, due=9 * DAY)
    tell = promise(Kind.TELL_PATIENT, due=9 * DAY)
    todo = promise(Kind.SIGN_RECORD)
    decide = promise(Kind.SPECIMEN_LOST)
    later, sooner = promise(Kind.REVIEW_RESULT, due=5 * HOUR), promise(Kind.REVIEW_RESULT, due=HOUR)
    late, later_still = promise(Kind.DO_ACTION, due=-HOUR), promise(Kind.REVIEW_RESULT, due=-2 * DAY, begun=3 * DAY)
    critical = promise(Kind.REVIEW_RESULT, due=HOUR, level="critical")
    found = load(pia)
    assert list(groups(found).items()) == [
        ("critical", [critical.pk]),
        ("overdue", [later_still.pk, late.pk]),
        ("review", [sooner.pk, later.pk]),
        ("decide", [decide.pk]),
        ("do", [todo.pk]),
        ("tell", [tell.pk]),
    ]
    assert [row.follow_up.pk for row in found.parked] == [parked.pk]
    assert (found.open, found.overdue, found.tally.critical, found.parked_total) == (9, 2, 1, 1)
    assert found.tally.parked_until == NOW + 9 * DAY


@pytest.mark.parametrize("kind", Kind)
def test_the_chase_list_shows_what_nurses_chase_and_nothing_else(kind: Kind) -> None:
    promise(kind)
    expected = [CHASE_GROUPS[kind]] if kind in CHASE_GROUPS else []
    assert place(load(make.user(Role.NURSE), page=CHASE)) == expected


def test_on_the_chase_list_the_overdue_come_first_in_each_group_and_critical_above_all() -> None:
    due = promise(Kind.AWAITED_RESULT, due=2 * DAY)
    overdue = promise(Kind.AWAITED_RESULT, due=-HOUR, begun=9 * DAY)
    early = promise(Kind.AWAITED_RESULT, due=2 * DAY, usual_at=NOW + DAY)
    critical = promise(Kind.TELL_PATIENT, level="critical")
    found = load(make.user(Role.NURSE), page=CHASE)
    assert groups(found) == {"critical": [critical.pk], "awaited": [overdue.pk, due.pk]}
    assert [row.follow_up.pk for row in found.parked] == [early.pk]


def test_what_a_nurse_has_taken_is_on_her_list_whatever_it_is() -> None:
    nora = make.user(Role.NURSE)
    mine = taken(promise(Kind.DO_ACTION), nora)
    assert groups(load(nora, Of.MINE, CHASE)) == {"other": [mine.pk]}
    assert groups(load(make.user(Role.NURSE), Of.ALL, CHASE)) == {}


# --- whose ------------------------------------------------------------------------------------


def test_mine_is_what_i_took_or_answer_for_and_nobody_else_took(pia: User) -> None:
    carl = make.user(Role.PHYSICIAN)
    responsible = promise(Kind.SIGN_RECORD, responsible=pia)
    took = taken(promise(Kind.SIGN_RECORD, responsible=carl), pia)
    taken(promise(Kind.SIGN_RECORD, responsible=pia), carl)
    promise(Kind.SIGN_RECORD, responsible=carl)
    promise(Kind.SIGN_RECORD)
    assert sorted(every_row(pia, Of.MINE)) == sorted([responsible.pk, took.pk])


def test_my_roles_is_what_nobody_took_and_belongs_or_came_to_my_role(pia: User) -> None:
    own = promise(Kind.SIGN_RECORD)
    came = promise(Kind.TELL_PATIENT, escalated_role="physician")
    taken(promise(Kind.SIGN_RECORD), make.user(Role.PHYSICIAN))
    promise(Kind.TELL_PATIENT)
    promise(Kind.SIGN_RECORD, role="nurse", escalated_role="director")
    assert sorted(every_row(pia, Of.ROLE)) == sorted([own.pk, came.pk])


def test_covered_is_what_is_theirs_while_i_stand_in_for_them(pia: User) -> None:
    carl, dan, eve = (make.user(Role.PHYSICIAN) for _ in range(3))
    away(carl, pia)
    away(dan, carl)  # whom Carl covers, Pia covers while Carl is away
    away(eve, pia, accepted=False)
    theirs = [promise(Kind.REVIEW_RESULT, responsible=who) for who in (carl, dan)]
    promise(Kind.REVIEW_RESULT, responsible=eve)
    taken(promise(Kind.REVIEW_RESULT, responsible=carl), eve)
    assert sorted(every_row(pia, Of.COVERED)) == sorted(row.pk for row in theirs)
    assert [person.pk for person in load(pia, Of.COVERED).covers] == [carl.pk, dan.pk]


@pytest.mark.parametrize("ends", [timedelta(0), -HOUR])
def test_a_cover_that_has_ended_shows_nothing(ends: timedelta, pia: User) -> None:
    carl = make.user(Role.PHYSICIAN)
    away(carl, pia, ends=ends)
    promise(Kind.REVIEW_RESULT, responsible=carl)
    assert every_row(pia, Of.COVERED) == []


@pytest.mark.parametrize("worklist", [INBOX, CHASE], ids=["inbox", "chase"])
def test_every_count_is_the_number_of_rows_behind_it(worklist: Page, pia: User) -> None:
    """Over a mixed population: each promise in one group, each segment as long as its figure says."""
    chance = random.Random(20261123)
    carl, nora = make.user(Role.PHYSICIAN), make.user(Role.NURSE)
    both = make.user(Role.PHYSICIAN, roles=[Role.NURSE, Role.PHYSICIAN])
    away(carl, both)
    case = make.procedure()
    people = [None, pia, carl, nora, both]
    for _ in range(130):
        row = promise(
            chance.choice(ON_LISTS),
            due=chance.choice([-2 * DAY, -HOUR, HOUR, 3 * DAY]),
            begun=chance.choice([3 * DAY, HOUR, -HOUR]),
            level=chance.choice(["normal", "abnormal", "critical"]),
            responsible=chance.choice(people),
            escalated_role=chance.choice(["", "", "physician", "director"]),
            procedure=case,
        )
        if taker := chance.choice([*people, None, None, None]):
            taken(row, taker)
    for who, of in product((pia, both, nora), Of):
        found, rows = load(who, of, worklist), every_row(who, of, worklist)
        assert len(rows) == len(set(rows)) == found.tally.segments[of] == found.open
        assert sum(found.tally.places.values()) == found.open
        late = FollowUp.objects.filter(pk__in=rows)
        assert found.overdue == sum(urgency_of(row, NOW) is Urgency.OVERDUE for row in late)
    assert load(pia, Of.ALL, INBOX).open == loop.counts(NOW)["open"] == 130


def test_a_long_list_comes_in_pages_of_twenty_five(pia: User) -> None:
    case = make.procedure()
    rows = [promise(Kind.SIGN_RECORD, due=n * timedelta(minutes=1), procedure=case).pk for n in range(1, 29)]
    first, second = load(pia, number="1"), load(pia, number="2")
    assert groups(first) == {"do": rows[:25]}
    assert groups(second) == {"do": rows[25:]}
    assert first.sections[0].total == second.sections[0].total == 28
    assert groups(load(pia, number="nonsense")) == groups(first)
    assert groups(load(pia, number="99")) == groups(second)  # the nearest one


def test_parked_promises_are_listed_briefly_and_have_pages_of_their_own(pia: User) -> None:
    case = make.procedure()
    rows = [promise(Kind.RESTART_MEDICINE, due=(2 + n) * DAY, procedure=case).pk for n in range(25)]
    found = load(pia)
    assert [row.follow_up.pk for row in found.parked] == rows[:10]
    assert (found.parked_total, groups(found)) == (25, {})
    assert groups(load(pia, show_parked=True)) == {"parked": rows}


def test_a_kept_promise_is_on_no_list(pia: User) -> None:
    row = promise(Kind.SIGN_RECORD, responsible=pia)
    FollowUp.objects.filter(pk=row.pk).update(closed_at=NOW, closed_because="kept")
    assert every_row(pia, Of.ALL) == []


# --- has it changed ---------------------------------------------------------------------------


CHANGES: dict[str, Any] = {
    "taken": {"taken_at": NOW},
    "put off": {"snoozed_until": NOW + HOUR},
    "moved": {"generation": 2},
    "escalated": {"rung": 1},
    "repeated": {"repeat": 1},
    "closed": {"closed_at": NOW, "closed_because": "kept"},
    "overdue": {"due_at": NOW - TICK},
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_happens_to_a_promise_changes_the_marker(change: str, pia: User) -> None:
    row = promise(Kind.SIGN_RECORD, responsible=pia)
    before = worklists.marker(INBOX, Actor.person(pia), Of.MINE, NOW)
    assert worklists.marker(INBOX, Actor.person(pia), Of.MINE, NOW) == before
    FollowUp.objects.filter(pk=row.pk).update(**CHANGES[change])
    assert worklists.marker(INBOX, Actor.person(pia), Of.MINE, NOW) != before


@pytest.mark.parametrize("of", Of)
def test_a_poll_and_the_page_find_the_same_marker(of: Of, pia: User) -> None:
    promise(Kind.SIGN_RECORD, responsible=pia)
    promise(Kind.REVIEW_RESULT, due=-HOUR, level="critical")
    assert load(pia, of).marker == worklists.marker(INBOX, Actor.person(pia), of, NOW)
    assert loop_board.load(show="", now=NOW).marker == loop_board.marker(NOW)


def test_the_marker_of_mine_is_not_moved_by_what_is_not_mine(pia: User) -> None:
    before = worklists.marker(INBOX, Actor.person(pia), Of.MINE, NOW)
    promise(Kind.SIGN_RECORD, responsible=make.user(Role.PHYSICIAN))
    assert worklists.marker(INBOX, Actor.person(pia), Of.MINE, NOW) == before


def test_a_marker_grows_old_by_itself(pia: User) -> None:
    actor = Actor.person(pia)
    then = NOW + timedelta(minutes=5)
    assert worklists.marker(INBOX, actor, Of.MINE, NOW) != worklists.marker(INBOX, actor, Of.MINE, then)


# --- the checklist queue ----------------------------------------------------------------------


def queue(part: Part | None = None) -> dict[Part, list[int]]:
    counts = checklist_queue.pulse(NOW).counts
    found = checklist_queue.load(part=part, counts=counts, now=NOW)
    rows = {section.part: [row.procedure.pk for row in section.rows] for section in found.sections}
    assert all(counts[part] == len(inside) for part, inside in rows.items())
    return rows


def test_the_queue_is_cut_at_the_clinics_midnights() -> None:
    """New York is at UTC-5: the local day ends at five."""
    midnight = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
    today = make.procedure(status="scheduled", starts=midnight - TICK)
    tomorrow = make.procedure(status="arrived", starts=midnight)
    last = make.procedure(status="scheduled", starts=midnight + DAY - TICK)
    later = make.procedure(status="scheduled", starts=midnight + DAY)
    earlier = make.procedure(status="scheduled", starts=midnight - DAY - TICK)
    owed = make.procedure(
        status="completed", starts=NOW - 2 * DAY, emergency_start=True, emergency_reason="peritonitis"
    )
    promise(Kind.CHECKLIST_AFTER_EMERGENCY, procedure=owed)
    make.procedure(status="requested")
    make.procedure(status="completed", starts=NOW - DAY)
    assert queue() == {
        Part.OWED: [owed.pk],
        Part.EARLIER: [earlier.pk],
        Part.TODAY: [today.pk],
        Part.TOMORROW: [tomorrow.pk, last.pk],
        Part.LATER: [later.pk],
    }
    assert queue(Part.TOMORROW) == {Part.TOMORROW: [tomorrow.pk, last.pk]}


def test_the_queue_says_what_each_checklist_lacks() -> None:
    fresh = make.procedure(status="scheduled", starts=NOW + HOUR)
    begun = make.procedure(status="scheduled", starts=NOW + 2 * HOUR)
    checked.answer(begun, minimum=True)
    counts = checklist_queue.pulse(NOW).counts
    rows = checklist_queue.load(part=None, counts=counts, now=NOW).sections[0].rows
    assert [(row.procedure.pk, row.kind) for row in rows] == [(fresh.pk, "not_asked"), (begun.pk, "due")]
    assert rows[0].words == "Not started"
    assert rows[1].words.startswith(f"{rows[1].summary.unanswered} unanswered")


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (Summary(word=Word.NOT_STARTED), ("not_asked", "Not started")),
        (Summary(word=Word.SIGNED), ("clear", "Signed")),
        (Summary(word=Word.TO_SIGN, unsigned=("Visit", "Consent")), ("due", "To sign: Visit, Consent")),
        (Summary(word=Word.UNANSWERED, unanswered=3, to_confirm=1), ("due", "3 unanswered, 1 to confirm")),
        (
            Summary(word=Word.UNANSWERED, to_confirm=7, reported=6),
            ("due", "the patient has answered: 7 to confirm"),
        ),
        (Summary(word=Word.FLAGGED, expired=2), ("caution", "2 expired")),
        (Summary(word=Word.FLAGGED, unknown=1), ("caution", "1 unknown")),
    ],
)  # fmt: skip
def test_a_checklist_is_said_in_the_words_of_what_is_missing(summary: Summary, expected: tuple[str, str]) -> None:
    assert checklist_queue.said(summary) == expected


# --- the order --------------------------------------------------------------------------------


def test_no_promise_is_without_a_time_by_which_it_is_owed() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        FollowUp.objects.filter(pk=promise(Kind.TELL_PATIENT).pk).update(due_at=None)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("page", [INBOX, CHASE], ids=lambda page: page.code)
def test_nothing_stands_above_something_more_urgent_of_its_group(seed: int, page: Page, pia: User) -> None:
    """Critical above overdue, overdue above due, due above what waits; within each the longest due first."""
    chance = random.Random(seed)
    for _ in range(30):
        promise(
            chance.choice(ON_LISTS),
            due=chance.randint(-80, 80) * HOUR,
            begun=chance.randint(-80, 120) * HOUR,
            level=chance.choice(["normal", "normal", "abnormal", "critical"]),
            usual_at=NOW + chance.randint(-50, 50) * HOUR,
        )
    for section in load(pia, page=page).sections:
        order = [(ORDER[row.mark.state], row.follow_up.due_at) for row in section.rows]
        assert order == sorted(order), section.group.code
    for name in loop.FIGURES:
        rows = loop_board.load(show=name, now=NOW).rows
        order = [(ORDER[row.mark.state], row.follow_up.due_at) for row in rows]
        assert order == sorted(order), name
