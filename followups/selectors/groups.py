"""What the pages of open promises are made of: which kinds, in which groups, in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from followups.domain import kinds
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.spec import Chase, Inbox, Spec


@dataclass(frozen=True)
class Group:
    """A heading with its promises. ``icon`` is a Bootstrap icon; ``tone`` a status kind or empty."""

    code: str
    title: LazyText
    icon: str
    kinds: frozenset[Kind] = frozenset()
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of groups. Each promise stands in the first place that takes it: critical, overdue (where that is a group
    of its own), parked, then by kind, and in ``rest`` whatever is left.

    ``kinds`` None: every kind. ``timed``: nothing can be done before their time, so they wait quietly until they are
    due. ``elsewhere``: others see to them until they are overdue.
    """

    code: str
    groups: tuple[Group, ...]
    rest: str
    kinds: frozenset[Kind] | None = None
    timed: frozenset[Kind] = frozenset()
    elsewhere: frozenset[Kind] = frozenset()
    overdue_apart: bool = False

    @cached_property
    def places(self) -> tuple[Group, ...]:
        urgent = (CRITICAL, OVERDUE) if self.overdue_apart else (CRITICAL,)
        return (*urgent, *self.groups, PARKED)

    def at(self, code: str) -> int:
        """Where the group stands."""
        return next(place for place, group in enumerate(self.places) if group.code == code)

    @property
    def parked_at(self) -> int:
        return len(self.places) - 1


CRITICAL = Group("critical", _("Critical"), "exclamation-octagon-fill", tone="critical")
OVERDUE = Group("overdue", _("Overdue"), "exclamation-triangle-fill", tone="overdue")
PARKED = Group("parked", _("Waiting"), "hourglass-split")


def _kinds(wanted: Callable[[Spec], bool]) -> frozenset[Kind]:
    return frozenset(spec.kind for spec in kinds.specs() if wanted(spec))


def _inbox(code: Inbox, title: LazyText, icon: str) -> Group:
    return Group(code, title, icon, _kinds(lambda spec: spec.inbox is code))


def _chase(code: Chase, title: LazyText, icon: str) -> Group:
    return Group(code, title, icon, _kinds(lambda spec: spec.chase is code))


#: Nothing can be done about these before their time.
TIMED = _kinds(lambda spec: spec.timed)

INBOX = Page(
    code="inbox",
    kinds=_kinds(lambda spec: spec.subject in {Subject.PROCEDURE, Subject.SERIES, Subject.MESSAGE}),
    overdue_apart=True,
    timed=TIMED,
    elsewhere=_kinds(lambda spec: spec.others_first),
    rest=Inbox.DO,
    groups=(
        _inbox(Inbox.REVIEW, _("To review"), "eyeglasses"),
        _inbox(Inbox.DECIDE, _("To decide"), "signpost-split"),
        Group(Inbox.DO, _("To do"), "check2-square"),
        _inbox(Inbox.TELL, _("To tell"), "telephone"),
    ),
)

CHASE = Page(
    code="chase",
    timed=TIMED,
    rest="other",
    kinds=_kinds(lambda spec: spec.chase is not Chase.NONE),
    groups=(
        _chase(Chase.SIGNS, _("Symptoms to call back about"), "heart-pulse"),
        _chase(Chase.RECEIVED, _("Specimens not collected or not received"), "droplet-half"),
        _chase(Chase.LOST, _("Specimens rejected or lost"), "x-octagon"),
        _chase(Chase.AWAITED, _("Results due"), "hourglass-bottom"),
        _chase(Chase.MATCH, _("Results that could not be placed"), "question-diamond"),
        _chase(Chase.CALL, _("Patients to call"), "telephone"),
        _chase(Chase.CHECKLIST, _("Checklists"), "ui-checks"),
        _chase(Chase.RECORD, _("Cases and records to finish"), "pencil-square"),
        Group("other", _("Other work that you have taken"), "hand-index"),
    ),
)
