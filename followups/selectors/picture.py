"""The case as a railway line: what was done above it, what is promised below it, a branch for each test."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from followups import wording
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Station as At
from followups.domain.picture import Branch, Mark, Picture, PromiseMark, ResultLevel, Station, Step
from followups.domain.telling import TRIES
from followups.models import FollowUp
from followups.models.contacts import TOLD
from followups.selectors.case import Case, TestRow, mark
from procedures.domain.states import TEST_ENDED, Outcome, ProcedureStatus, TestStatus
from procedures.domain.transfers import TransferAnswer

S = ProcedureStatus
GONE = frozenset({S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR})


def build(case: Case, *, chart: bool = True) -> Picture:
    """The whole line; ``chart=False`` is the scheduler's: booking and readiness, no answers and no results."""
    before = (_requested(case), _booked(case), _checklist(case), _arrived(case))
    if not chart:
        return Picture(stations=(*before, replace(_needle(case), note="")))  # the note says how it went
    stations = [*before, _needle(case), _record(case), _specimens(case)]
    if case.actions:
        stations.append(_actions(case))
    if case.holds:
        stations.append(_medicines(case))
    if case.transfers or case.at(At.HANDED_ON):
        stations.append(_handed_on(case))
    stations += [_symptoms(case), _told(case), _closed(case)]
    return Picture(stations=tuple(stations), branches=tuple(_branch(row, case) for row in case.tests))


#: A station shows so many promises, the most urgent first; the list beside the picture has them all.
SHOWN = 1


def _marks(case: Case, station: At) -> tuple[PromiseMark, ...]:
    """The station's most urgent promise, and in words how many more there are."""
    found = [mark(p, case) for p in case.at(station) if _stands_at(p, station, case)]
    more = len(found) - SHOWN
    if more <= 0:
        return tuple(found)
    first = found[0]
    label = ngettext("%(label)s (and %(n)s more)", "%(label)s (and %(n)s more)", more) % {
        "label": first.label,
        "n": more,
    }
    return (replace(first, label=label),)


def _stands_at(promise: FollowUp, station: At, case: Case) -> bool:
    """Until the patient is there, carrying it out stands at the arrival."""
    waiting = promise.kind == Kind.CARRY_OUT and case.procedure.state is S.SCHEDULED
    return not waiting or station is not At.NEEDLE


def _ahead(case: Case) -> Mark:
    """What a station that nobody has reached is: still to come, or passed by."""
    return Mark.SKIPPED if case.procedure.state in GONE else Mark.PROMISED


def _name(user: object) -> str:
    return getattr(user, "display_name", "") or ""


def _requested(case: Case) -> Station:
    p = case.procedure
    return Station(
        label=_("Requested"), state=Mark.DONE, when=p.requested_at, who=_name(p.requested_by), note=_urgency_word(case)
    )


def _urgency_word(case: Case) -> str:
    words = {"urgent": _("urgent"), "emergency": _("emergency")}
    return words.get(case.procedure.urgency, "")


def _booked(case: Case) -> Station:
    p = case.procedure
    promises = _marks(case, At.BOOKED)
    if p.stay is not None:
        return Station(
            label=_("Booked"),
            state=Mark.CURRENT if promises else Mark.DONE,
            when=p.stay.lower,
            who=_name(p.operator),
            note=p.room.name if p.room else "",
            promises=promises,
        )
    skipped = p.started_at is not None or p.state in GONE
    state = Mark.SKIPPED if skipped and not promises else Mark.CURRENT
    return Station(label=_("Booked"), state=state, promises=promises)


def _checklist(case: Case) -> Station:
    summary = case.checklist
    promises = _marks(case, At.CHECKLIST)
    if summary.ready:
        return Station(label=_("Checklist"), state=Mark.DONE, note=_("signed"), promises=promises)
    started = case.procedure.started_at is not None
    state = Mark.CURRENT if promises else Mark.SKIPPED if started else _ahead(case)
    if summary.unanswered and not started:
        note = ngettext("%(n)s unanswered", "%(n)s unanswered", summary.unanswered) % {"n": summary.unanswered}
    else:
        note = "" if started else _("not signed yet")
    return Station(label=_("Checklist"), state=state, note=note, promises=promises)


def _arrived(case: Case) -> Station:
    p = case.procedure
    if p.arrived_at:
        return Station(label=_("Arrived"), state=Mark.DONE, when=p.arrived_at)
    if p.state is S.NO_SHOW:
        return Station(label=_("Did not come"), state=Mark.CURRENT, when=p.ended_at, note=p.end_reason)
    if p.state is S.CANCELLED:
        return Station(label=_("Cancelled"), state=Mark.DONE, when=p.ended_at, note=p.end_reason)
    state = Mark.SKIPPED if p.started_at else _ahead(case)
    promises = tuple(mark(promise, case) for promise in case.of(Kind.CARRY_OUT)) if p.state is S.SCHEDULED else ()
    return Station(label=_("Arrived"), state=state, promises=promises)


def _needle(case: Case) -> Station:
    p = case.procedure
    promises = _marks(case, At.NEEDLE)
    label = _("Needle")
    if p.completed_at:
        state = Mark.SKIPPED if p.outcome == Outcome.NOT_ATTEMPTED else Mark.DONE
        return Station(
            label=label,
            state=state,
            when=p.started_at,
            who=_name(p.operator),
            note=p.get_outcome_display(),
            promises=promises,
        )
    if p.started_at and p.state is S.IN_PROGRESS:
        return Station(label=label, state=Mark.CURRENT, when=p.started_at, who=_name(p.operator), promises=promises)
    return Station(label=label, state=_ahead(case), promises=promises)


def _record(case: Case) -> Station:
    promises = _marks(case, At.RECORD)
    if case.record is not None:
        note = _("amendment begun") if case.draft else ""
        return Station(
            label=_("Record"),
            state=Mark.DONE,
            when=case.record.signed_at,
            who=_name(case.record.signed_by),
            note=note,
            promises=promises,
        )
    state = Mark.CURRENT if promises else _ahead(case)
    if not promises and case.procedure.completed_at:
        state = Mark.SKIPPED
    return Station(label=_("Record"), state=state, note=_("draft") if case.draft else "", promises=promises)


def _specimens(case: Case) -> Station:
    promises = _marks(case, At.SPECIMENS)
    rows = case.specimens
    if not rows:
        state = Mark.CURRENT if promises else Mark.SKIPPED if case.procedure.completed_at else _ahead(case)
        return Station(label=_("Specimens"), state=state, promises=promises, forks=True)
    # any result that stands implies receipt
    resulted = {row.test.specimen_id for row in case.tests if row.current is not None}
    received = sum(1 for s in rows if s.received_at or s.pk in resulted)
    return Station(
        label=_("Specimens"),
        state=Mark.CURRENT if promises else Mark.DONE,
        when=min(s.collected_at for s in rows),
        who=_name(rows[0].collected_by),
        note=_("%(received)s of %(all)s received") % {"received": received, "all": len(rows)},
        promises=promises,
        forks=True,
    )


def _actions(case: Case) -> Station:
    promises = _marks(case, At.ACTIONS)
    last = max((a.done_at for a in case.actions if a.done_at), default=None)
    return Station(
        label=_("Decided"),
        state=Mark.CURRENT if promises else Mark.DONE,
        when=None if promises else last,
        note=_n(len(case.actions)),
        promises=promises,
    )


def _n(count: int) -> str:
    return ngettext("%(n)s action", "%(n)s actions", count) % {"n": count}


def _medicines(case: Case) -> Station:
    promises = _marks(case, At.MEDICINES)
    rows = [h for h in case.holds if not h.withdrawn_at]
    last = max((h.restart_recorded_at for h in rows if h.restart_recorded_at), default=None)
    return Station(
        label=_("Held medicines"),
        state=Mark.CURRENT if promises else Mark.DONE,
        when=None if promises else last,
        note=ngettext("%(n)s medicine", "%(n)s medicines", len(rows)) % {"n": len(rows)},
        promises=promises,
    )


def _handed_on(case: Case) -> Station:
    promises = _marks(case, At.HANDED_ON)
    last = case.transfers[0] if case.transfers else None
    accepted = next((t for t in case.transfers if t.answer == TransferAnswer.ACCEPTED), None)
    state = Mark.CURRENT if promises else Mark.DONE if accepted else Mark.SKIPPED
    return Station(
        label=_("Handed on"),
        state=state,
        when=accepted.answered_at if accepted and not promises else None,
        who=last.acceptor if last else "",
        note=str(last.get_why_display()) if last else "",
        promises=promises,
    )


def _symptoms(case: Case) -> Station:
    promises = _marks(case, At.SYMPTOMS)
    answered = [s for s in case.symptoms if s.outcome == "answered"]
    if promises:
        state = Mark.CURRENT if any(p.start_at <= case.now for p in case.at(At.SYMPTOMS)) else Mark.PROMISED
    elif answered:
        state = Mark.DONE
    else:
        state = Mark.SKIPPED if case.procedure.completed_at else _ahead(case)
    worst = min((s.worst_tier for s in answered if s.worst_tier), default="")
    return Station(
        label=_("Danger signs asked"),
        state=state,
        when=answered[0].at if answered else None,
        who=(_name(answered[0].by) or str(answered[0].get_channel_display())) if answered else "",
        note=_("worst: tier %(tier)s") % {"tier": worst} if worst else "",
        promises=promises,
    )


def _told(case: Case) -> Station:
    promises = _marks(case, At.TOLD)
    told = [c for c in case.contacts if c.outcome in TOLD]
    tries = [c for c in case.contacts if c.outcome not in TOLD]
    if told:
        return Station(
            label=_("Patient told"),
            state=Mark.CURRENT if promises else Mark.DONE,
            when=told[0].at,
            who=_name(told[0].by),
            promises=promises,
        )
    note = _("%(n)s of %(all)s tries") % {"n": len(tries), "all": TRIES} if tries else ""
    if promises:
        return Station(label=_("Patient told"), state=Mark.CURRENT, note=note, promises=promises)
    state = Mark.SKIPPED if case.procedure.closed_at else _ahead(case)
    return Station(label=_("Patient told"), state=state, note=note)


def _closed(case: Case) -> Station:
    closed = case.procedure.closed_at
    return Station(label=_("Closed"), state=Mark.DONE if closed else Mark.PROMISED, when=closed)


# --- the branches ---------------------------------------------------------------------------


def _branch(row: TestRow, case: Case) -> Branch:
    test, status = row.test, row.test.state
    steps = (
        _step(_("Collected"), test.collected_at, past=status is not TestStatus.ORDERED),
        _step(_("Received"), _received_at(row), past=bool(row.versions)),
        _preliminary(row),
        _final(row),
        _step(_("Read"), row.review.at if row.review else None, past=False),
    )
    promise = _branch_promise(row, case)
    gone = status is TestStatus.CANCELLED
    done = status in TEST_ENDED and row.review is not None
    state = Mark.SKIPPED if gone else Mark.DONE if done else Mark.CURRENT if test.collected_at else Mark.PROMISED
    return Branch(
        label=wording.test_label(test.code, case.protocol),
        state=state,
        extended=test.extended,
        steps=tuple(Step(s.label, Mark.SKIPPED) for s in steps) if gone else steps,
        promise=promise,
        result_level=_level(row),
        url=reverse("procedures:results", args=[case.procedure.code, test.pk]),
    )


def _step(label: str, when: datetime | None, *, past: bool) -> Step:
    if when is not None:
        return Step(label, Mark.DONE, when)
    return Step(label, Mark.SKIPPED if past else Mark.PROMISED)


def _received_at(row: TestRow) -> datetime | None:
    specimen = row.test.specimen
    return row.test.received_at or (specimen.received_at if specimen else None)


def _preliminary(row: TestRow) -> Step:
    label = _("Preliminary")
    found = next((v for v in row.versions if v.status == "preliminary"), None)
    if found is not None:
        return Step(label, Mark.DONE, found.reported_at)
    waiting = row.test.has_preliminary and row.test.state not in TEST_ENDED
    return Step(label, Mark.PROMISED if waiting else Mark.SKIPPED)


def _final(row: TestRow) -> Step:
    if row.current is not None and row.current.status in {"final", "corrected"}:
        label = _("Corrected") if row.current.status == "corrected" else _("Final")
        return Step(label, Mark.DONE, row.current.reported_at)
    return Step(_("Final"), Mark.PROMISED)


def _level(row: TestRow) -> ResultLevel:
    """What cannot be graded is shown as abnormal: it needs a reader, and is never normal."""
    if row.current is None:
        return ResultLevel.NONE
    return ResultLevel.ABNORMAL if row.current.level == "unknown" else ResultLevel(row.current.level)


def _branch_promise(row: TestRow, case: Case) -> PromiseMark | None:
    """The most urgent promise about this test: about its current version, or about the test by its code."""
    current = row.current.pk if row.current else None
    for promise in case.at(At.TEST):
        about = promise.about
        if "version" in about:
            if current is not None and about["version"] == current:
                return replace(mark(promise, case), label=_("Read it"))  # the branch is the test: not named again
        elif row.test.code in about.get("tests", []):
            return replace(mark(promise, case), label=_("Result awaited"))
    return None
