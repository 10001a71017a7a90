"""What a review decided. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Spec, Station, gettext_noop
from followups.domain.promise import Promise

#: What a review decided; an action without a known plan still has its own page.
PLANS = {
    "": gettext_noop("see the case"),
    "repeat": gettext_noop("repeat the test"),
    "treat": gettext_noop("treat"),
    "refer": gettext_noop("refer"),
}


def do_action(facts: ProcedureFacts) -> Iterator[Promise]:
    """A plan of repeat, treat or refer is done, or decided otherwise with a reason."""
    for action in facts.actions:
        if action.done:
            continue
        yield Promise(
            kind=Kind.DO_ACTION,
            key=f"action:{action.id}",
            start_at=action.created_at,
            due_at=action.due_at,
            role=Role.PHYSICIAN,
            responsible_id=action.responsible_id,
            level="abnormal",
            about={"action": action.id, "plan": action.plan},
        )


SPEC = Spec(
    kind=Kind.DO_ACTION,
    rules=(do_action,),
    label=gettext_noop("Do what the review decided"),
    line=gettext_noop("Do what was decided: %(plan)s"),
    mail=gettext_noop("Something that was decided after a review is waiting to be done."),
    opens="a review planned to repeat, treat or refer",
    closes="somebody records that it was done, or why it is decided otherwise",
    page="followups:action_done",
    args=("action",),
    words={"plan": PLANS},
    station=Station.ACTIONS,
    handed_on=gettext_noop("Do it, or say why it is decided otherwise."),
)
