"""A patient reported a sign: somebody speaks with them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Inbox, Spec, Station, alive, gettext_noop
from followups.domain.promise import Promise

LEVELS = {"A": "critical", "B": "abnormal", "C": "normal"}


def danger_sign(facts: ProcedureFacts) -> Iterator[Promise]:
    """From the first answer of that tier on, whatever the state of the case: a sign is never too late."""
    if facts.deceased:
        return
    for report in facts.symptoms:
        if report.sign not in LEVELS or report.sign_at is None:
            continue
        yield Promise(
            kind=Kind.DANGER_SIGN,
            key=f"sign:{report.id}",
            start_at=report.sign_at,
            due_at=report.sign_at + timedelta(minutes=facts.protocol.sign_minutes[report.sign]),
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            level=LEVELS[report.sign],
            about={"report": report.id, "tier": report.sign},
        )


SPEC = Spec(
    kind=Kind.DANGER_SIGN,
    rules=(danger_sign,),
    label=gettext_noop("Answer a danger sign"),
    line=gettext_noop("Call back about symptoms: %(tier)s"),
    mail=gettext_noop("A patient has reported how they are and needs an answer now."),
    opens="an answer of tier A, B or C arrived by a patient's link: from that answer on, before the form is finished",
    closes="a nurse or a physician has spoken with the patient or whoever is with them and has written down what was "
    "done; *not reached* and an answer that was taken back never close it",
    page="followups:report",
    args=("code", "report"),
    words={
        "tier": {
            "A": gettext_noop("danger to life (tier A)"),
            "B": gettext_noop("within 60 minutes (tier B)"),
            "C": gettext_noop("the same day (tier C)"),
            "": gettext_noop("a sign"),
        }
    },
    kept=alive,
    station=Station.SYMPTOMS,
    inbox=Inbox.TELL,
    chase=Chase.SIGNS,
    handed_on=gettext_noop("The patient has reported a sign and nobody has spoken with them yet: call now."),
)
