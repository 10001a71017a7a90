"""What the pages of open promises are made of: which kinds, in which groups, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from followups.domain.kinds import Kind


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

#: Nothing can be done about these before their time.
TIMED = frozenset({Kind.AWAITED_RESULT, Kind.RESTART_MEDICINE, Kind.CARRY_OUT})

INBOX = Page(
    code="inbox",
    overdue_apart=True,
    timed=TIMED,
    elsewhere=frozenset({Kind.AWAITED_RESULT, Kind.SPECIMEN_NOT_RECEIVED}),
    rest="do",
    groups=(
        Group("review", _("To review"), "eyeglasses", frozenset({Kind.REVIEW_RESULT})),
        Group(
            "decide",
            _("To decide"),
            "signpost-split",
            frozenset({Kind.SPECIMEN_LOST, Kind.RESTART_MEDICINE, Kind.PLAN_FAILED}),
        ),
        Group("do", _("To do"), "check2-square"),
        Group("tell", _("To tell"), "telephone", frozenset({Kind.TELL_PATIENT, Kind.SYMPTOM_CHECK})),
    ),
)

CHASE = Page(
    code="chase",
    timed=TIMED,
    rest="other",
    kinds=frozenset(
        {
            Kind.SPECIMEN_NOT_RECEIVED,
            Kind.COLLECT_TESTS,
            Kind.SPECIMEN_LOST,
            Kind.AWAITED_RESULT,
            Kind.TELL_PATIENT,
            Kind.SYMPTOM_CHECK,
            Kind.CHECKLIST_AFTER_EMERGENCY,
            Kind.SIGN_RECORD,
            Kind.CARRY_OUT,
        }
    ),
    groups=(
        Group(
            "received",
            _("Specimens not collected or not received"),
            "droplet-half",
            frozenset({Kind.SPECIMEN_NOT_RECEIVED, Kind.COLLECT_TESTS}),
        ),
        Group("lost", _("Specimens rejected or lost"), "x-octagon", frozenset({Kind.SPECIMEN_LOST})),
        Group("awaited", _("Results due"), "hourglass-bottom", frozenset({Kind.AWAITED_RESULT})),
        Group("call", _("Patients to call"), "telephone", frozenset({Kind.TELL_PATIENT, Kind.SYMPTOM_CHECK})),
        Group(
            "checklist",
            _("Checklists owed after an emergency"),
            "ui-checks",
            frozenset({Kind.CHECKLIST_AFTER_EMERGENCY}),
        ),
        Group(
            "record", _("Cases and records to finish"), "pencil-square", frozenset({Kind.SIGN_RECORD, Kind.CARRY_OUT})
        ),
        Group("other", _("Other work that you have taken"), "hand-index"),
    ),
)
