"""What follows an attempt that did not deliver."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followups.domain.backoff import DELAYS, Ask, Decision, Expire, Fate, GiveUp, RetryAt, decide

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def after(
    fate: Fate, tries: int = 1, useful_until: datetime | None = None, may_repeat: bool = True, now: datetime = NOW
) -> Decision:
    return decide(fate=fate, tries=tries, now=now, useful_until=useful_until, may_repeat=may_repeat)


@pytest.mark.parametrize(("tries", "minutes"), [(1, 1), (2, 5), (3, 15), (4, 60), (5, 240)])
def test_a_server_that_says_not_now_is_asked_again_ever_later(tries: int, minutes: int) -> None:
    assert after(Fate.NOT_NOW, tries) == RetryAt(NOW + timedelta(minutes=minutes))


def test_after_the_last_try_it_is_given_up() -> None:
    assert after(Fate.NOT_NOW, len(DELAYS) + 1) == GiveUp()


def test_a_refusal_is_final_at_once() -> None:
    assert after(Fate.REFUSED) == GiveUp()


def test_a_retry_that_would_come_too_late_expires() -> None:
    assert after(Fate.NOT_NOW, 4, useful_until=NOW + timedelta(minutes=59)) == Expire()
    assert after(Fate.NOT_NOW, 4, useful_until=NOW + timedelta(minutes=60)) == RetryAt(NOW + timedelta(minutes=60))


def test_what_may_have_arrived_is_sent_again_only_if_a_second_copy_does_no_harm() -> None:
    assert after(Fate.UNKNOWN, may_repeat=True) == RetryAt(NOW + timedelta(minutes=1))
    assert after(Fate.UNKNOWN, may_repeat=False) == Ask()


def test_a_success_needs_no_decision() -> None:
    with pytest.raises(ValueError, match="no decision"):
        after(Fate.SENT)


@given(
    tries=st.integers(1, 50),
    fate=st.sampled_from([Fate.NOT_NOW, Fate.UNKNOWN]),
    useful=st.none() | st.integers(-1000, 1000),
)
def test_every_failure_ends_and_no_retry_lies_in_the_past(tries: int, fate: Fate, useful: int | None) -> None:
    until = None if useful is None else NOW + timedelta(minutes=useful)
    decision = after(fate, tries, until)
    if isinstance(decision, RetryAt):
        assert decision.at > NOW
        assert tries <= len(DELAYS)
        assert until is None or decision.at <= until
