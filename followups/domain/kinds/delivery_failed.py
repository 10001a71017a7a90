"""Messages do not reach somebody of the staff. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.engine_facts import PersonFacts
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.spec import About, Spec, gettext_noop
from followups.domain.promise import Promise

#: A working default: until then somebody has asked the person for the right address.
WITHIN = timedelta(days=1)


def delivery_failed(facts: PersonFacts) -> Iterator[Promise]:
    """One for each way on which the newest message has failed."""
    for channel in sorted(facts.undelivered):
        since = facts.since(channel)
        yield Promise(
            kind=Kind.DELIVERY_FAILED,
            key=f"delivery:{channel}",
            start_at=since,
            due_at=since + WITHIN,
            role=Role.ADMINISTRATOR,
            about={"channel": channel},
        )


def _kept(_about: About, _facts: PersonFacts) -> bool:
    return True


SPEC = Spec(
    kind=Kind.DELIVERY_FAILED,
    rules=(delivery_failed,),
    subject=Subject.PERSON,
    label=gettext_noop("Messages do not reach somebody of the staff"),
    line=gettext_noop("Messages do not reach somebody of the staff: %(channel)s"),
    mail=gettext_noop("Messages do not reach somebody of the staff. Please find the right address."),
    opens="a message to the person was refused, given up or came back; it alarms once a day, however often it does",
    closes="a later message is taken (after a new address: send one again), or each failed one is dealt with",
    page="followups:engine",
    args=(),
    words={"channel": {"email": gettext_noop("e-mail"), "sms": gettext_noop("text message"), "": gettext_noop("?")}},
    kept=_kept,
)
