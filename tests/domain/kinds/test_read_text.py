"""What somebody has written to us is read by a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.roles import Role
from followups.domain import kinds
from followups.domain.inbound_text import Meaning
from followups.domain.kinds import Kind, Subject
from followups.domain.planner import plan
from followups.domain.text_facts import TextFacts
from tests.domain.cases import NOON


def text(meaning: Meaning, *, read: bool = False, known: bool = True) -> TextFacts:
    return TextFacts(id=7, received_at=NOON, meaning=meaning, read=read, known=known)


@pytest.mark.parametrize(
    ("meaning", "level", "within"),
    [
        (Meaning.WORDS, "abnormal", timedelta(hours=4)),
        (Meaning.START, "abnormal", timedelta(hours=4)),
        (Meaning.EMERGENCY, "critical", timedelta(minutes=15)),
    ],
)
def test_words_are_read_within_four_hours_and_a_cry_for_help_at_once(
    meaning: Meaning, level: str, within: timedelta
) -> None:
    (promise,) = plan(text(meaning), Subject.TEXT)
    assert (promise.kind, promise.role, promise.level) == (Kind.READ_TEXT, Role.NURSE, level)
    assert promise.due_at == NOON + within


@pytest.mark.parametrize("meaning", [Meaning.STOP, Meaning.HELP])
def test_a_command_asks_nobody(meaning: Meaning) -> None:
    assert plan(text(meaning), Subject.TEXT) == ()


def test_what_is_read_is_kept() -> None:
    read = text(Meaning.WORDS, read=True)
    assert plan(read, Subject.TEXT) == ()
    assert kinds.of(Kind.READ_TEXT).kept({}, read)


@pytest.mark.parametrize("known", [True, False])
def test_its_line_says_whether_we_know_who_wrote(known: bool) -> None:
    (promise,) = plan(text(Meaning.WORDS, known=known), Subject.TEXT)
    assert ("the patient" in str(kinds.of(Kind.READ_TEXT).line_of(promise.about, ""))) is known
