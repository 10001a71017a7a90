"""What somebody has written to us is read by a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.inbound_text import Meaning
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.spec import About, Chase, Inbox, Line, Spec, gettext_noop
from followups.domain.promise import Promise
from followups.domain.text_facts import TextFacts

WITHIN = timedelta(hours=4)
AT_ONCE = timedelta(minutes=15)
#: A command is carried out by the product; to agree again needs a person.
FOR_PEOPLE = frozenset({Meaning.WORDS, Meaning.EMERGENCY, Meaning.START})


def read_text(facts: TextFacts) -> Iterator[Promise]:
    """Until a person has read it and says what was done."""
    if facts.read or facts.meaning not in FOR_PEOPLE:
        return
    urgent = facts.meaning is Meaning.EMERGENCY
    yield Promise(
        kind=Kind.READ_TEXT,
        key="text",
        start_at=facts.received_at,
        due_at=facts.received_at + (AT_ONCE if urgent else WITHIN),
        role=Role.NURSE,
        level="critical" if urgent else "abnormal",
        about={"text": facts.id, "meaning": str(facts.meaning), "known": facts.known},
    )


def _line(about: About, _key: str) -> Line:
    if about.get("meaning") == Meaning.EMERGENCY:
        return gettext_noop("Read a text that sounds like an emergency, and call")
    if about.get("meaning") == Meaning.START:
        return gettext_noop("Somebody wants text messages again: ask, and write down what was agreed")
    if not about.get("known"):
        return gettext_noop("Read a text from a number that is nobody's, or several patients'")
    return gettext_noop("Read what the patient has written")


def _kept(_about: About, facts: TextFacts) -> bool:
    return facts.read


SPEC = Spec(
    kind=Kind.READ_TEXT,
    subject=Subject.TEXT,
    rules=(read_text,),
    label=gettext_noop("Read a text from a patient"),
    line=_line,
    mail=gettext_noop("A patient has written something that a person must read."),
    opens="a text comes in that is no command; at once when it sounds like an emergency",
    closes="a nurse or a physician has read it and written down what was done",
    page="followups:text",
    args=("subject",),
    kept=_kept,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
)
