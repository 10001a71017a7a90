"""A message from a laboratory that cannot be read. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.spec import About, Chase, Inbox, Spec, gettext_noop
from followups.domain.message_facts import MessageFacts
from followups.domain.promise import Promise

#: A working default: nobody knows what is in it, so it counts like an abnormal result.
WITHIN = timedelta(hours=4)


def unreadable_message(facts: MessageFacts) -> Iterator[Promise]:
    """Somebody asks the laboratory what it was, and says so."""
    if not facts.unreadable:
        return
    yield Promise(
        kind=Kind.UNREADABLE_MESSAGE,
        key="unreadable",
        start_at=facts.received_at,
        due_at=facts.received_at + WITHIN,
        role=Role.NURSE,
        level="abnormal",
        about={"message": facts.id},
    )


def _kept(_about: About, facts: MessageFacts) -> bool:
    return not facts.unreadable


SPEC = Spec(
    kind=Kind.UNREADABLE_MESSAGE,
    subject=Subject.MESSAGE,
    rules=(unreadable_message,),
    label=gettext_noop("Ask about a message that cannot be read"),
    line=gettext_noop("Ask the laboratory: a message of theirs cannot be read"),
    mail=gettext_noop("A laboratory's message cannot be read. Please ask what it was."),
    opens="what came from a laboratory is no message, or could not be read or entered after several tries",
    closes="it is read after all, or somebody says what was done about it",
    page="procedures:inbound_message",
    args=("message",),
    kept=_kept,
    inbox=Inbox.DECIDE,
    chase=Chase.MATCH,
    others_first=True,
)
