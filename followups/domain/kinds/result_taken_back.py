"""A result that a laboratory took back: reported for the wrong patient, or deleted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Inbox, Line, Spec, Station, gettext_noop
from followups.domain.promise import Promise

WRONG_PATIENT, MISPLACED = "wrong_patient", "misplaced"


def result_taken_back(facts: ProcedureFacts) -> Iterator[Promise]:
    """The value has left the chart; whoever acted on it must hear of it, and what was done on it be undone.

    Another patient's value is critical whether or not anybody has acted: somebody else lacks it. One that was deleted,
    or that we had entered in the wrong place, asks only when somebody had read it or told the patient of it.
    """
    for back in facts.taken_back:
        if back.why != WRONG_PATIENT and not back.involved:
            continue
        level = "critical" if back.why == WRONG_PATIENT else "abnormal"
        yield Promise(
            kind=Kind.RESULT_TAKEN_BACK,
            key=f"taken_back:{back.version_id}",
            start_at=back.at,
            due_at=back.at + timedelta(hours=facts.protocol.review_hours[level]),
            role=Role.PHYSICIAN,
            responsible_id=facts.responsible_id,
            level=level,
            about={
                "test": back.test,
                "version": back.version_id,
                "why": back.why,
                "involved": sorted(back.involved),
            },
        )


def _line(about: About, _key: str) -> Line:
    if about.get("why") == WRONG_PATIENT:
        return gettext_noop("Another patient's result was in this chart and is gone: %(test)s")
    if about.get("why") == MISPLACED:
        return gettext_noop("A result was entered in the wrong place and has been acted on: %(test)s")
    return gettext_noop("A result that was acted on was deleted by the laboratory: %(test)s")


def _kept(about: About, facts: ProcedureFacts) -> bool:
    return about.get("version") not in {back.version_id for back in facts.taken_back}


SPEC = Spec(
    kind=Kind.RESULT_TAKEN_BACK,
    rules=(result_taken_back,),
    label=gettext_noop("A result was taken back"),
    line=_line,
    mail=gettext_noop("A laboratory has taken a result back. Please look at once what was done on it."),
    opens="a laboratory says that a result was another patient's, or takes back one that somebody had read or told",
    closes="a physician says what was done about it: who had acted on it, what was undone, what the patient was told",
    page="procedures:taken_back",
    args=("version",),
    kept=_kept,
    station=Station.TEST,
    inbox=Inbox.DECIDE,
    handed_on=gettext_noop("A result was taken back after it was in the chart: undo what was done on it."),
)
