"""A result that was corrected after somebody had read it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.review_result import of_this_version
from followups.domain.kinds.spec import Inbox, Spec, Station, gettext_noop
from followups.domain.levels import at_least_abnormal
from followups.domain.promise import Promise


def reread_correction(facts: ProcedureFacts) -> Iterator[Promise]:
    """Somebody may have acted on the old value: the correction is read like an abnormal result, whatever it says, and
    everybody who read the old one or told the patient of it hears that it has changed.
    """
    for test, version in facts.resulted():
        if version.review is not None or not test.corrected_after_review:
            continue
        level = at_least_abnormal(version.level)
        yield Promise(
            kind=Kind.REREAD_CORRECTION,
            key=f"review:{version.id}",
            start_at=version.arrived_at,
            due_at=version.arrived_at + timedelta(hours=facts.protocol.review_hours[level]),
            role=Role.PHYSICIAN,
            responsible_id=facts.responsible_id,
            level=level,
            about={"test": test.code, "version": version.id, "involved": sorted(test.involved)},
        )


SPEC = Spec(
    kind=Kind.REREAD_CORRECTION,
    rules=(reread_correction,),
    label=gettext_noop("Read the correction"),
    line=gettext_noop("Read the correction: %(test)s"),
    mail=gettext_noop("A result has been corrected after it had been read or told. Please read it again."),
    opens="a result is corrected after an earlier version was reviewed",
    closes="the correction is reviewed, or a newer version takes its place",
    page="followups:review",
    args=("version",),
    kept=of_this_version,
    station=Station.TEST,
    inbox=Inbox.REVIEW,
    handed_on=gettext_noop("It was corrected after somebody had read it: read it again, decide, tell the patient."),
)
