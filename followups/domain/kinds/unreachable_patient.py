"""A patient who could not be reached: the letter. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Inbox, Line, Spec, Station, alive, gettext_noop
from followups.domain.kinds.tell_patient import tell_no_result, tell_results
from followups.domain.promise import Promise
from followups.domain.telling import exhausted


def unreachable_patient(facts: ProcedureFacts) -> Iterator[Promise]:
    """Enough tries by enough ways reached nobody: a letter goes out, and what cannot wait a physician decides.

    The promise to tell stays beside it: whoever reaches the patient after all keeps both.
    """
    for telling in (*tell_results(facts), *tell_no_result(facts)):
        purpose = "cancellation" if telling.about.get("no_result") else "results"
        since = exhausted([c for c in facts.contacts if c.purpose == purpose], telling.start_at)
        if since is None:
            continue
        urgent = telling.level == "critical"
        yield Promise(
            kind=Kind.UNREACHABLE_PATIENT,
            key=f"unreachable:{telling.key}",
            start_at=since,
            due_at=since + timedelta(hours=facts.protocol.letter_hours),
            role=Role.PHYSICIAN if urgent else Role.NURSE,
            responsible_id=facts.responsible_id,
            level=telling.level,
            about={"urgent": urgent},
        )


def _line(about: About, _key: str) -> Line:
    if about.get("urgent"):
        return gettext_noop("Patient not reached about a critical result: decide what is done now, and send the letter")
    return gettext_noop("Patient not reached: send the letter")


SPEC = Spec(
    kind=Kind.UNREACHABLE_PATIENT,
    rules=(unreachable_patient,),
    label=gettext_noop("Patient not reached: send the letter"),
    line=_line,
    mail=gettext_noop("A patient could not be reached by several tries: the next step is a letter."),
    opens="three tries by two ways since the reading have not reached the patient",
    closes="a letter is recorded as sent, or the patient was reached after all",
    page="followups:tell",
    kept=alive,
    station=Station.TOLD,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
    handed_on=gettext_noop("We could not reach the patient: tell them if you see them, and let us know."),
)
