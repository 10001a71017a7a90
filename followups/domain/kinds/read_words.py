"""A patient wrote something in their own words: a person reads it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Inbox, Spec, Station, alive, gettext_noop
from followups.domain.promise import Promise


def read_words(facts: ProcedureFacts) -> Iterator[Promise]:
    """Nothing grades words: they may hold the worst of all signs, so they also reach whoever is on call at night.

    Where the same report has a sign that is called back about sooner, whoever calls reads them first.
    """
    if facts.deceased:
        return
    for report in facts.symptoms:
        if report.words_at is None or report.sign in {"A", "B"}:
            continue
        yield Promise(
            kind=Kind.READ_WORDS,
            key=f"words:{report.id}",
            start_at=report.words_at,
            due_at=report.words_at + timedelta(minutes=facts.protocol.sign_minutes["words"]),
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            level="abnormal",
            about={"report": report.id},
        )


SPEC = Spec(
    kind=Kind.READ_WORDS,
    rules=(read_words,),
    label=gettext_noop("Read what a patient wrote"),
    line=gettext_noop("Read what the patient wrote"),
    mail=gettext_noop("A patient has written something that waits to be read."),
    opens="a patient has written something in their own words by a link",
    closes="a nurse or a physician has read it and written down what followed",
    page="followups:report",
    args=("code", "report"),
    kept=alive,
    station=Station.SYMPTOMS,
    inbox=Inbox.TELL,
    chase=Chase.SIGNS,
    handed_on=gettext_noop("The patient wrote something that nobody has read yet: ask what it was."),
)
