"""What ``python -m bench engine`` counts, and that its floor leaves what the engine leaves."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from bench.engine import effects, floor, phases
from clinic import clock
from clinic.models import AuditEntry
from followups import engine
from followups.models import DeliveryAttempt, FollowUp, Message
from followups.services import ladders
from tests.factories import promises as factory

DUE = {1: 100.0, 2: 101.0, 3: 102.0}


def test_each_effect_once_is_nothing_lost_and_nothing_doubled() -> None:
    found = effects.tally(DUE, [(1, 100.5), (2, 101.5), (3, 104.0)])
    assert (found.missing, found.doubled, found.early) == (0, 0, 0)
    assert (found.p50, found.p99) == (0.5, 2.0)


def test_a_promise_without_an_effect_is_missing() -> None:
    found = effects.tally(DUE, [(1, 100.5), (3, 104.0)])
    assert (found.missing, found.doubled) == (1, 0)


def test_a_second_effect_is_doubled_and_makes_up_for_no_missing_one() -> None:
    found = effects.tally(DUE, [(1, 100.5), (1, 100.6), (1, 100.7), (3, 104.0)])
    assert (found.missing, found.doubled) == (1, 2)


def test_lateness_is_that_of_the_first_effect_in_whatever_order_they_are_read() -> None:
    found = effects.tally({1: 100.0}, [(1, 190.0), (1, 101.0)])
    assert (found.p99, found.doubled) == (1.0, 1)


def test_an_effect_before_its_moment_or_of_nothing_due_is_early() -> None:
    found = effects.tally(DUE, [(1, 99.0), (2, 101.5), (3, 102.5), (77, 102.0)])
    assert (found.early, found.missing) == (2, 0)


def test_nothing_done_has_no_lateness() -> None:
    assert math.isnan(effects.tally(DUE, []).p99)


@pytest.mark.parametrize(
    ("kept", "lost", "stuck"),
    [
        (12, 0, 2),  # all that waits, and the two that were not done in time
        (10, 2, 0),  # the two are nowhere
        (9, 3, 0),  # and one that was not due yet is gone as well
        (0, 12, 0),  # the store is empty
    ],
)
def test_what_is_neither_done_nor_in_the_store_is_lost(kept: int, lost: int, stuck: int) -> None:
    tally = effects.tally(dict.fromkeys(range(5), 1.0), [(0, 1.0), (1, 1.0), (2, 1.0)])
    found = phases.judge(tally, waiting=10, kept=kept, seconds=0)
    assert (found.lost, found.stuck) == (lost, stuck)


def test_a_line_that_is_half_written_is_read_when_it_is_whole(tmp_path: Any) -> None:
    said = effects.Effects(tmp_path / "effects")
    with said.path.open("ab", buffering=0) as file:
        file.write(b"1 100.5\n2 10")
        assert said.look() == 1
        file.write(b"1.5\n")
    assert said.look() == 2
    assert said.said == [(1, 100.5), (2, 101.5)]


def bare(once: Callable[..., int]) -> None:
    """One round of the floor on the test's database, in a connection of its own."""
    base = connection.settings_dict
    where = {"dbname": base["NAME"], "user": base["USER"], "host": base["HOST"], "port": base["PORT"]}
    with psycopg.connect(**where, password=base["PASSWORD"] or None, autocommit=True) as own:
        assert once(own, had=lambda _item: None) == 1


def product(*_: Any) -> None:
    engine.run_pass(clock.now())


def left(pk: int) -> dict[str, Any]:
    """Everything that was written down about one promise, without numbers and moments."""
    row = FollowUp.objects.get(pk=pk)
    ids = list(Message.objects.filter(follow_up=row).values_list("pk", flat=True))
    return {
        "step": (row.rung, row.repeat, row.next_action_at),
        "messages": list(
            Message.objects.filter(pk__in=ids).values_list(
                "kind", "channel", "recipient", "state", "attempts", "outcome", "claim_token", "lease_until", "report"
            )
        ),
        "settled": [at is not None for at in Message.objects.filter(pk__in=ids).values_list("settled_at", flat=True)],
        "attempts": list(DeliveryAttempt.objects.filter(message__in=ids).values_list("number", "outcome", "detail")),
        "audit": list(
            AuditEntry.objects.filter(subject_type="followups.message", subject_id__in=ids).values_list(
                "action",
                "actor_id",
                "actor_name",
                "via",
                "data__kind",
                "data__channel",
                "data__recipient",
                "data__outcome",
            )
        ),
    }


@pytest.mark.django_db(transaction=True)
def test_the_floor_leaves_the_same_rows_as_the_engine() -> None:
    due, case = clock.now() - timedelta(minutes=1), factory.case()
    found = []
    for act in (product, lambda: bare(floor.same_rows), lambda: bare(floor.same_commits)):
        row = factory.promise(due=due, procedure=case)
        act()
        found.append(left(row.pk))
    by_engine, in_batches, one_by_one = found
    assert [len(by_engine[name]) for name in ("messages", "attempts", "audit")] == [1, 1, 1]
    assert in_batches == by_engine
    assert one_by_one == by_engine


@pytest.mark.django_db(transaction=True)
def test_a_peer_that_keeps_rows_leaves_them_too() -> None:
    due, case = clock.now() - timedelta(minutes=1), factory.case()
    by_engine = factory.promise(due=due, procedure=case)
    product()
    other = factory.promise(due=due, procedure=case, pk=effects.FIRST_PROMISE + 7)
    bare(lambda own, had: floor.keep(own, 7) or 1)
    assert left(other.pk) == left(by_engine.pk)
    assert ladders.of(other).rungs[1].after == timedelta(days=1)  # what the floor's statements say of the next step
