"""A result from a laboratory that could not be placed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.spec import About, Chase, Inbox, Line, Plural, Spec, gettext_noop
from followups.domain.message_facts import MessageFacts
from followups.domain.promise import Promise

#: Working defaults: nobody can see this result, so not longer than a working day; one that looks critical an hour.
WITHIN = {"critical": timedelta(hours=1), "abnormal": timedelta(hours=4), "normal": timedelta(hours=8)}


def match_result(facts: MessageFacts) -> Iterator[Promise]:
    """Somebody says whose it is, of which case and test, or rejects it with a reason. It never waits silently."""
    if not facts.waiting:
        return
    level = facts.level
    yield Promise(
        kind=Kind.MATCH_RESULT,
        key="match",
        start_at=facts.received_at,
        due_at=facts.received_at + WITHIN[level],
        role=Role.NURSE,
        level=level,
        about={"message": facts.id, "n": facts.waiting},
    )


def _line(about: About, _key: str) -> Line:
    return Plural(
        gettext_noop("Find out whose result this is: it could not be placed"),
        gettext_noop("Find out whose results these are: %(n)s could not be placed"),
        int(about.get("n", 1)),
    )


def _kept(_about: About, facts: MessageFacts) -> bool:
    return not facts.waiting


SPEC = Spec(
    kind=Kind.MATCH_RESULT,
    subject=Subject.MESSAGE,
    rules=(match_result,),
    label=gettext_noop("Place a laboratory's result"),
    line=_line,
    mail=gettext_noop("A laboratory's result could not be placed. Please look whose it is."),
    opens="something in a laboratory's message is not certain: whose it is, which case, which test, or what it says",
    closes="every part of the message is attached to a case or rejected with a reason, or a new code places it",
    page="procedures:unmatched_message",
    args=("message",),
    kept=_kept,
    inbox=Inbox.DECIDE,
    chase=Chase.MATCH,
    others_first=True,
)
