"""What a kind of promise is made of. Pure: texts are marked here and translated where they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from followups.domain.kinds import Kind, Subject
from followups.domain.promise import Promise

About: TypeAlias = Mapping[str, Any]


def gettext_noop(text: str) -> str:
    """Mark a text for translation; Django's own marker of this name would bring Django into the domain."""
    return text


@dataclass(frozen=True)
class Plural:
    """A line that depends on a number, shown as ``%(n)s``."""

    one: str
    many: str
    n: int


Line: TypeAlias = "str | Plural"


class Station(StrEnum):
    """Where the picture of a case shows it."""

    BOOKED = "booked"
    CHECKLIST = "checklist"
    NEEDLE = "needle"
    RECORD = "record"
    SPECIMENS = "specimens"
    TEST = "test"  # at the branch of its test
    ACTIONS = "actions"
    MEDICINES = "medicines"
    SYMPTOMS = "symptoms"
    HANDED_ON = "handed_on"
    TOLD = "told"
    NONE = ""


class Inbox(StrEnum):
    """Groups of the physician's inbox. What is critical or overdue stands above all of them."""

    REVIEW = "review"
    DECIDE = "decide"
    DO = "do"
    TELL = "tell"


class Chase(StrEnum):
    """Groups of the nurse's chase list."""

    RECEIVED = "received"
    LOST = "lost"
    AWAITED = "awaited"
    MATCH = "match"
    SIGNS = "signs"
    CALL = "call"
    CHECKLIST = "checklist"
    RECORD = "record"
    NONE = ""  # not a nurse's work


def unless_entered_in_error(_about: About, facts: Any) -> bool:
    """A promise that is no longer planned was kept, unless its whole case was a mistake."""
    return str(facts.status) != "entered_in_error"


def alive(_about: About, facts: Any) -> bool:
    """What is owed to the patient ends unkept with their death, and with a case that was a mistake."""
    return not facts.deceased and unless_entered_in_error(_about, facts)


@dataclass(frozen=True)
class Writes:
    """What a message to the patient says: ``words`` is its template, ``link`` the purpose of the link that it carries
    (empty for none) and ``about`` what exactly within it.
    """

    words: str
    link: str = ""
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One kind of promise.

    ``rules``: facts → the promises that should exist now (none for a kind that is made without a planner).
    ``label``: the kind in general. ``line``: one promise, with ``%(tests)s`` and other words of its ``about``; never a
    value or a name. ``mail``: all that an unencrypted message says. ``opens`` and ``closes``: for people, in
    ``docs/follow-ups.md``. ``page``, ``args``: the address where it is kept; ``code`` is the case's, others come from
    ``about``. ``words``: texts for codes in ``about``. ``kept``: whether the facts show what was promised.
    """

    kind: Kind
    rules: tuple[Callable[[Any], Iterator[Promise]], ...]
    label: str
    line: Line | Callable[[About, str], Line]
    mail: str
    opens: str
    closes: str
    page: str
    subject: Subject = Subject.PROCEDURE
    args: tuple[str, ...] = ("code",)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kept: Callable[[About, Any], bool] = unless_entered_in_error
    station: Station = Station.NONE
    inbox: Inbox = Inbox.DO
    chase: Chase = Chase.NONE
    timed: bool = False  # nothing can be done before its time: it waits quietly until it is due
    others_first: bool = False  # on the physician's inbox only once it is overdue
    booking: bool = False  # a scheduler may see it: no answer and no result
    may_repeat: bool = True  # a second copy of its message does no harm
    #: For a ladder with a rung to the patient: what is written.
    writes: Callable[[About], Writes] | None = None
    #: What whoever takes the patient over does about it; empty for what stays with us (a record, a signature).
    handed_on: str = ""

    def line_of(self, about: About, key: str) -> Line:
        """The sentence of one promise."""
        return self.line(about, key) if callable(self.line) else self.line
