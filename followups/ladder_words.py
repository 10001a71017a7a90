"""Words for kinds of promises and for whom a rung asks: for pages and for messages that leave."""

from __future__ import annotations

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.domain.ladder import To

#: What is still to be done, as the case page and the lists say it.
KINDS: dict[Kind, LazyText] = {
    Kind.BOOK_REQUEST: gettext_lazy("Book the request"),
    Kind.CARRY_OUT: gettext_lazy("Carry out or record the case"),
    Kind.REBOOK_NO_SHOW: gettext_lazy("Rebook or end the no-show"),
    Kind.SIGN_RECORD: gettext_lazy("Sign the record"),
    Kind.CHECKLIST_AFTER_EMERGENCY: gettext_lazy("Complete the checklist after an emergency"),
    Kind.COLLECT_TESTS: gettext_lazy("Collect the ordered tests"),
    Kind.SPECIMEN_NOT_RECEIVED: gettext_lazy("Find out whether the specimen arrived"),
    Kind.SPECIMEN_LOST: gettext_lazy("Decide about a lost specimen"),
    Kind.AWAITED_RESULT: gettext_lazy("Awaited result"),
    Kind.REVIEW_RESULT: gettext_lazy("Review the result"),
    Kind.DO_ACTION: gettext_lazy("Do what the review decided"),
    Kind.TELL_PATIENT: gettext_lazy("Tell the patient"),
    Kind.SYMPTOM_CHECK: gettext_lazy("Ask about symptoms"),
    Kind.RESTART_MEDICINE: gettext_lazy("Restart the held medicine, or decide not to"),
    Kind.PLAN_FAILED: gettext_lazy("Look at this case by hand: its plan could not be made"),
}

ROLES: dict[Role, LazyText] = {
    Role.SCHEDULER: gettext_lazy("the schedulers"),
    Role.NURSE: gettext_lazy("the nurses"),
    Role.PHYSICIAN: gettext_lazy("the physicians"),
    Role.DIRECTOR: gettext_lazy("the director"),
    Role.ADMINISTRATOR: gettext_lazy("the administrators"),
}


def kind(value: str) -> str:
    """The words of a kind; the kind itself for one that is no promise (a digest)."""
    return str(KINDS[Kind(value)]) if value in set(Kind) else value.replace("_", " ")


def addressee(to: To | Role | str, role: str) -> str:
    """Whom a rung asks, ``role`` being the promise's own."""
    if to == To.OWNER:
        return _("its owner")
    if to == To.COVER:
        return _("who covers for %(role)s") % {"role": ROLES[Role(role)]}
    return str(ROLES[Role(role if to == To.ROLE else to)])
