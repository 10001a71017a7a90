"""Words for kinds of promises and for whom a rung asks, where no protocol is at hand."""

from __future__ import annotations

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.roles import Role
from followups.domain import kinds
from followups.domain.kinds import Kind
from followups.domain.ladder import To

ROLES: dict[Role, LazyText] = {
    Role.SCHEDULER: gettext_lazy("the schedulers"),
    Role.NURSE: gettext_lazy("the nurses"),
    Role.PHYSICIAN: gettext_lazy("the physicians"),
    Role.DIRECTOR: gettext_lazy("the director"),
    Role.ADMINISTRATOR: gettext_lazy("the administrators"),
}


def kind(value: str) -> str:
    """The words of a kind; the kind itself for one that is no promise (a digest)."""
    return _(kinds.of(Kind(value)).label) if value in set(Kind) else value.replace("_", " ")


def addressee(to: To | Role | str, role: str) -> str:
    """Whom a rung asks, ``role`` being the promise's own."""
    if to == To.OWNER:
        return _("its owner")
    if to == To.INVOLVED:
        return _("everybody who had read it or told the patient")
    if to == To.PATIENT:
        return _("the patient")
    if to == To.COVER:
        return _("who covers for %(role)s") % {"role": ROLES[Role(role)]}
    return str(ROLES[Role(role if to == To.ROLE else to)])
