"""A patient reported that they need another appointment. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Inbox, Spec, Station, alive, gettext_noop
from followups.domain.promise import Promise


def book_again(facts: ProcedureFacts) -> Iterator[Promise]:
    """The fluid is back: an appointment is offered. A request made since then, or a word of a nurse, is the answer."""
    if facts.deceased:
        return
    since = min((report.rebook_at for report in facts.symptoms if report.rebook_at), default=None)
    if since is None or (facts.booked_again_at is not None and facts.booked_again_at >= since):
        return
    yield Promise(
        kind=Kind.BOOK_AGAIN,
        key="book_again",
        start_at=since,
        due_at=since + timedelta(minutes=facts.protocol.sign_minutes["C"]),
        role=Role.SCHEDULER,
        responsible_id=None,
    )


SPEC = Spec(
    kind=Kind.BOOK_AGAIN,
    rules=(book_again,),
    label=gettext_noop("Offer a new appointment"),
    line=gettext_noop("The patient asks for a new appointment: call and offer one"),
    mail=gettext_noop("A patient asks for a new appointment."),
    opens="an answer by a patient's link, or on the phone, asks for a new appointment",
    closes="another case of this patient was requested since then, or a nurse has spoken with them about the report",
    page="followups:case",
    kept=alive,
    others_first=True,
    station=Station.SYMPTOMS,
    inbox=Inbox.DO,
    booking=True,
    handed_on=gettext_noop("The patient asked for a new appointment."),
)
