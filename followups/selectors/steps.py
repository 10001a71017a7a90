"""What a person of this role can do with a case now: the buttons of the case page."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from clinic.actor import Actor
from followups import links
from followups.domain.kinds import Kind
from followups.selectors.case import Case
from procedures.access import BOOK, CHECK, CONTACT, COUNTERSIGN, LABORATORY, OPERATE, RECEIVE, REVIEW
from procedures.domain.states import NEEDLE_IN, Outcome, ProcedureStatus

S = ProcedureStatus


@dataclass(frozen=True)
class Step:
    """A button. The first one of a page is its primary action."""

    label: str
    url: str
    icon: str = ""
    danger: bool = False


def of(case: Case, actor: Actor) -> list[Step]:
    """The natural next step first, what is unusual last."""
    return [*_care(case, actor), *_after(case, actor), *_booking(case, actor)]


def _link(case: Case, label: str, name: str, icon: str, *, danger: bool = False) -> Step:
    return Step(label, reverse(name, args=[case.procedure.code]), icon, danger)


def _care(case: Case, actor: Actor) -> list[Step]:
    status = case.procedure.state
    steps = []
    if status is S.REQUESTED and actor.has(*BOOK):
        steps.append(_link(case, _("Book a slot"), "procedures:schedule", "calendar-plus"))
    if status is S.SCHEDULED and actor.has(*RECEIVE):
        steps.append(_link(case, _("Patient has arrived"), "procedures:arrive", "person-check"))
    if status in {S.ARRIVED, S.SCHEDULED} and case.checklist.ready and actor.has(*OPERATE):
        steps.insert(0, _link(case, _("Start"), "procedures:start", "play-circle"))
    if status in {S.REQUESTED, S.SCHEDULED, S.ARRIVED} and actor.has(*CHECK):
        steps.append(_link(case, _("Checklist"), "procedures:checklist", "ui-checks"))
        steps.append(_link(case, _("Safety findings"), "procedures:clearance", "shield-exclamation"))
    if status is S.IN_PROGRESS and actor.has(*OPERATE):
        steps.append(_link(case, _("Complete"), "procedures:complete", "flag"))
    return steps


def _after(case: Case, actor: Actor) -> list[Step]:
    """What is owed first; an amendment of a signed record is the exception and comes last."""
    procedure = case.procedure
    steps = []
    needle = procedure.started_at is not None
    outcome = Outcome(procedure.outcome) if procedure.outcome else None
    written = outcome in NEEDLE_IN or procedure.state is S.IN_PROGRESS
    records = needle and written and actor.has(*OPERATE)
    if actor.has(*REVIEW) and case.of(Kind.REVIEW_RESULT) and any(row.open_normal for row in case.tests):
        steps.append(_link(case, _("Sign the normal results"), "followups:review_normals", "check2-all"))
    if records and not case.record:
        steps.append(_link(case, _("Procedure record"), "procedures:record", "file-earmark-medical"))
    steps += _left_by_the_needle(case, actor)
    owed = bool(case.of(Kind.TELL_PATIENT))
    tell = _link(case, _("Tell the patient"), "followups:tell", "telephone")
    if owed and actor.has(*CONTACT):
        steps.append(tell)
    if needle and actor.has(*LABORATORY):
        steps.append(_link(case, _("Specimens and tests"), "procedures:tests", "droplet"))
    if needle and not owed and actor.has(*CONTACT):
        steps.append(tell)
    if procedure.state in {S.IN_PROGRESS, S.COMPLETED} and actor.has(*CHECK):  # sign-out, and what an emergency left
        steps.append(_link(case, _("Checklist"), "procedures:checklist", "ui-checks"))
    if actor.has(*CHECK) and procedure.state is not S.ENTERED_IN_ERROR:
        steps.append(_link(case, _("Held medicines"), "procedures:holds", "capsule"))
    if needle and actor.has(*CONTACT) and not case.of(Kind.ACCEPT_TRANSFER) and case.promises:
        steps.append(_link(case, _("Hand on what is pending"), "followups:transfer", "box-arrow-up-right"))
    if records and case.record:
        steps.append(_link(case, _("Amend the record"), "procedures:record", "file-earmark-medical"))
    return steps


def _left_by_the_needle(case: Case, actor: Actor) -> list[Step]:
    """What somebody else must sign or accept, and what is taken on a later day."""
    steps = []
    by_another = case.procedure.emergency_by_id != actor.user_id
    if case.of(Kind.COUNTERSIGN_START) and by_another and actor.has(*COUNTERSIGN):
        steps.append(_link(case, _("Countersign the emergency start"), "followups:countersign", "pen"))
    for promise in case.of(Kind.ACCEPT_TRANSFER):
        if actor.has(*CONTACT):
            words = _("Answer for what is pending") if "transfer" in promise.about else _("Hand on what is pending")
            steps.append(_link(case, words, "followups:transfer", "box-arrow-up-right"))
    for promise in case.of(Kind.LATER_TESTS):
        if promise.start_at <= case.now and actor.has(*LABORATORY):
            later = case.protocol.later(promise.about["item"])
            steps.append(Step(later.label, links.url(promise, case.procedure.code), "eyedropper"))
    return steps


def _series(case: Case, actor: Actor) -> list[Step]:
    """Several at once: this one and those that follow, or a new series that begins with it."""
    procedure = case.procedure
    if not actor.has(*BOOK):
        return []
    if procedure.series is not None:
        if procedure.state not in {S.REQUESTED, S.SCHEDULED}:
            return []
        url = reverse("procedures:series_change", args=[procedure.series.code])
        return [Step(_("Change the series from here"), f"{url}?of={procedure.code}", "arrow-left-right")]
    if procedure.state in {S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR} or procedure.patient.deceased_at:
        return []
    url = reverse("procedures:series_new", args=[procedure.patient_id])
    return [Step(_("Plan a series"), f"{url}?case={procedure.code}", "arrow-repeat")]


def _booking(case: Case, actor: Actor) -> list[Step]:
    status = case.procedure.state
    steps = []
    if status in {S.SCHEDULED} and actor.has(*BOOK):
        steps.append(_link(case, _("Move"), "procedures:schedule", "calendar-range"))
        steps.append(_link(case, _("Give the slot back"), "procedures:unschedule", "calendar-minus"))
        steps.append(_link(case, _("Did not come"), "procedures:no_show", "person-x"))
    if status is S.ARRIVED and actor.has(*RECEIVE):
        steps.append(_link(case, _("Not here after all"), "procedures:undo_arrival", "arrow-counterclockwise"))
    if status in {S.REQUESTED, S.SCHEDULED, S.ARRIVED} and actor.has(*OPERATE):
        steps.append(_link(case, _("Emergency start"), "procedures:emergency", "lightning-charge", danger=True))
    if status is S.IN_PROGRESS and actor.has(*OPERATE):
        steps.append(
            _link(case, _("Needle not in: stop the start"), "procedures:abandon_start", "arrow-counterclockwise")
        )
    steps += _series(case, actor)
    if status in {S.CANCELLED, S.NO_SHOW} and actor.has(*BOOK):
        steps.append(_link(case, _("Open again"), "procedures:reopen", "arrow-counterclockwise"))
    if status is S.COMPLETED and actor.has(*OPERATE):
        steps.append(_link(case, _("Continue elsewhere"), "procedures:continue", "signpost-split"))
    if status in {S.REQUESTED, S.SCHEDULED, S.ARRIVED, S.NO_SHOW} and actor.has(*BOOK):
        steps.append(_link(case, _("Cancel"), "procedures:cancel", "x-circle", danger=True))
    if status is not S.ENTERED_IN_ERROR and actor.has(*OPERATE):
        steps.append(_link(case, _("Entered in error"), "procedures:entered_in_error", "eraser", danger=True))
    return steps
