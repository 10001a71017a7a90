"""A ladder asks a role that nobody answers for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.engine_facts import ClinicFacts
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.spec import About, Spec, gettext_noop
from followups.domain.promise import Promise

#: A working default: what is asked of the role goes to the director meanwhile.
WITHIN = timedelta(hours=4)


def empty_role(facts: ClinicFacts) -> Iterator[Promise]:
    """One for each role that is empty."""
    for role in facts.empty_roles:
        since = facts.since(role)
        yield Promise(
            kind=Kind.EMPTY_ROLE,
            key=f"empty_role:{role}",
            start_at=since,
            due_at=since + WITHIN,
            role=Role.ADMINISTRATOR,
            level="critical",
            about={"role": str(role)},
        )


def _kept(_about: About, _facts: ClinicFacts) -> bool:
    return True


SPEC = Spec(
    kind=Kind.EMPTY_ROLE,
    rules=(empty_role,),
    subject=Subject.CLINIC,
    label=gettext_noop("Nobody answers for a role"),
    line=gettext_noop("Nobody answers for %(role)s"),
    mail=gettext_noop("Nobody answers for one of the roles that reminders go to. Please give somebody the role."),
    opens="a ladder asks a role, and nobody active holds it or covers for who does",
    closes="somebody answers for the role",
    page="followups:engine",
    args=(),
    words={
        "role": {
            Role.SCHEDULER: gettext_noop("the schedulers"),
            Role.NURSE: gettext_noop("the nurses"),
            Role.PHYSICIAN: gettext_noop("the physicians"),
            Role.DIRECTOR: gettext_noop("the director"),
            Role.ADMINISTRATOR: gettext_noop("the administrators"),
            "": gettext_noop("a role"),
        }
    },
    kept=_kept,
)
