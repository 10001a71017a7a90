"""A result that nobody has read. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Inbox, Line, Spec, Station, gettext_noop
from followups.domain.levels import graded
from followups.domain.promise import Promise


def review_result(facts: ProcedureFacts) -> Iterator[Promise]:
    """The current version of each result is read by the responsible physician.

    A negative preliminary is listed without a promise (clinic-reality §3.2): its final is still awaited. A level that
    the rules could not tell is treated as abnormal, never as normal.
    """
    for test, version in facts.resulted():
        if version.review is not None or (version.status == "preliminary" and version.level == "normal"):
            continue
        if test.corrected_after_review:
            continue  # a kind of its own: reread_correction
        level = graded(version.level)
        yield Promise(
            kind=Kind.REVIEW_RESULT,
            key=f"review:{version.id}",
            start_at=version.arrived_at,
            due_at=version.arrived_at + timedelta(hours=facts.protocol.review_hours[level]),
            role=Role.PHYSICIAN,
            responsible_id=facts.responsible_id,
            level=level,
            about={
                "test": test.code,
                "version": version.id,
                "status": version.status,
                "corrected": test.reviewed_before,
            },
        )


def of_this_version(about: About, facts: ProcedureFacts) -> bool:
    """Whether the version that the promise speaks of is the current one and was read."""
    return any(t.current and t.current.id == about.get("version") and t.current.review for t in facts.tests)


def _line(about: About, _key: str) -> Line:
    if about.get("status") == "corrected":  # nobody had read what it corrects
        return gettext_noop("Read the corrected result: %(test)s")
    if about.get("status") == "preliminary":
        return gettext_noop("Read the preliminary result: %(test)s")
    if about.get("corrected"):  # an earlier version was read; a final after its preliminary corrects nothing
        return gettext_noop("Read the newer result: %(test)s")
    return gettext_noop("Read the result: %(test)s")


SPEC = Spec(
    kind=Kind.REVIEW_RESULT,
    rules=(review_result,),
    label=gettext_noop("Review the result"),
    line=_line,
    mail=gettext_noop("A result is waiting to be reviewed."),
    opens="a result version is the current one and has no review",
    closes="this version is reviewed (interpretation, plan, what the patient is told), or a newer one takes its place",
    page="followups:review",
    args=("version",),
    kept=of_this_version,
    station=Station.TEST,
    inbox=Inbox.REVIEW,
    handed_on=gettext_noop("It is there and nobody has read it: read it, decide, and tell the patient."),
)
