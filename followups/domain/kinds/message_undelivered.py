"""A message did not reach the patient, or nobody knows whether it did: somebody calls. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Inbox, Spec, Station, alive, gettext_noop
from followups.domain.promise import Promise

#: A working default.
WITHIN = timedelta(hours=4)


def message_undelivered(facts: ProcedureFacts) -> Iterator[Promise]:
    """One for a case, however many messages came back."""
    if facts.deceased or facts.unreached_since is None:
        return
    yield Promise(
        kind=Kind.MESSAGE_UNDELIVERED,
        key="undelivered",
        start_at=facts.unreached_since,
        due_at=facts.unreached_since + WITHIN,
        role=Role.NURSE,
    )


SPEC = Spec(
    kind=Kind.MESSAGE_UNDELIVERED,
    rules=(message_undelivered,),
    label=gettext_noop("A message did not reach the patient: call"),
    line=gettext_noop("A message did not reach the patient: call, and find the right number or address"),
    mail=gettext_noop("A message did not reach a patient. Please call instead."),
    opens="a message to the patient was refused, came back, or nobody knows whether it arrived",
    closes="a call or a try is written down after it, what it was about is settled, or somebody has dealt with it",
    page="followups:tell",
    kept=alive,
    station=Station.TOLD,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
)
