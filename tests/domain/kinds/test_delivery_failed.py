from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clinic.roles import Role
from followups.domain import closing, planner
from followups.domain.engine_facts import PersonFacts
from followups.domain.kinds import Closed, Kind, Subject
from followups.domain.promise import Promise

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def plan(facts: PersonFacts) -> tuple[Promise, ...]:
    return planner.plan(facts, Subject.PERSON)


def test_a_person_whom_every_message_reaches_owes_nothing() -> None:
    assert plan(PersonFacts(at=NOW)) == ()


def test_there_is_one_promise_for_each_way_that_fails_and_it_is_the_administrators() -> None:
    first, second = plan(PersonFacts(at=NOW, undelivered=frozenset({"email", "sms"})))
    assert [first.key, second.key] == ["delivery:email", "delivery:sms"]
    assert (first.role, first.start_at, first.about) == (Role.ADMINISTRATOR, NOW, {"channel": "email"})


def test_planned_again_later_it_is_the_same_promise() -> None:
    failing = frozenset({"email"})
    later = PersonFacts(at=NOW + 5 * HOUR, undelivered=failing, open_since={"email": NOW}, alarmed_at={"email": NOW})
    assert plan(later) == plan(PersonFacts(at=NOW, undelivered=failing))


def test_an_address_that_comes_and_goes_alarms_once_a_day() -> None:
    failing = frozenset({"email"})
    (soon,) = plan(PersonFacts(at=NOW + HOUR, undelivered=failing, alarmed_at={"email": NOW}))
    (later,) = plan(PersonFacts(at=NOW + 3 * DAY, undelivered=failing, alarmed_at={"email": NOW}))
    assert (soon.start_at, later.start_at) == (NOW + DAY, NOW + 3 * DAY)


def test_it_ends_kept_when_messages_get_through_or_were_dealt_with() -> None:
    assert closing.because(Kind.DELIVERY_FAILED, {"channel": "email"}, PersonFacts(at=NOW)) is Closed.KEPT
