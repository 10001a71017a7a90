"""Everything that is in one person's hands: what must be in others' before that person leaves.

No patient is named: an administrator hands over, and sees no charts. Whoever may open a case also gets its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import timewords
from clinic.models import Absence, OnCall, User
from clinic.roles import Role
from followups import ladder_words
from followups.domain.kinds import Kind
from followups.models import Action, FollowUp
from followups.services import promises
from procedures.domain.states import SeriesStatus
from procedures.models import Procedure, Series
from procedures.services.assignments import BEFORE_THE_NEEDLE


class Group(StrEnum):
    """In the order in which they are handed over: a promise that goes with its case is not asked about twice."""

    CASES = "cases"
    OPERATES = "operates"
    SERIES = "series"
    ACTIONS = "actions"
    PROMISES = "promises"
    COVERS = "covers"
    TURNS = "turns"


#: What may be left to nobody, knowingly.
MAY_BE_NOBODYS = frozenset({Group.OPERATES, Group.COVERS, Group.TURNS})
PHYSICIANS = frozenset({Role.PHYSICIAN})


@dataclass(frozen=True)
class Item:
    """One thing. ``roles``: who may take it. ``code``, ``about``: of its case, for whoever may open it."""

    group: Group
    pk: int
    words: str
    roles: frozenset[Role]
    code: str = ""
    about: str = ""
    urgent: bool = False

    @property
    def key(self) -> str:
        return f"{self.group}_{self.pk}"


def of(user: User, now: datetime) -> dict[Group, list[Item]]:
    """Seven queries; groups in which there is nothing are left out."""
    found: dict[Group, Iterable[Item]] = {
        Group.CASES: _cases(user),
        Group.OPERATES: _operates(user, now),
        Group.SERIES: _series(user),
        Group.ACTIONS: _actions(user, now),
        Group.PROMISES: _promises(user, now),
        Group.COVERS: _covers(user, now),
        Group.TURNS: _turns(user, now),
    }
    held = {group: list(items) for group, items in found.items()}
    return {group: items for group, items in held.items() if items}


def words(group: Group, n: int) -> str:
    """How many of a group, in words."""
    return {
        Group.SERIES: ngettext("answers for or does %(n)s series", "answers for or does %(n)s series", n),
        Group.CASES: ngettext("responsible for %(n)s case", "responsible for %(n)s cases", n),
        Group.OPERATES: ngettext("operator of %(n)s booked case", "operator of %(n)s booked cases", n),
        Group.ACTIONS: ngettext("%(n)s decided action to do", "%(n)s decided actions to do", n),
        Group.PROMISES: ngettext("%(n)s task taken or assigned", "%(n)s tasks taken or assigned", n),
        Group.COVERS: ngettext("covers %(n)s absence", "covers %(n)s absences", n),
        Group.TURNS: ngettext("on call for %(n)s turn", "on call for %(n)s turns", n),
    }[group] % {"n": n}


def cases(user: User) -> QuerySet[Procedure]:
    """Open cases whose responsible clinician they are."""
    return Procedure.objects.filter(responsible=user, closed_at__isnull=True).order_by("pk")


def series(user: User) -> QuerySet[Series]:
    """Series that go on and that they answer for or do."""
    mine = Q(responsible=user) | Q(operator=user)
    return Series.objects.filter(mine, status=str(SeriesStatus.ACTIVE)).order_by("pk")


def operates(user: User) -> QuerySet[Procedure]:
    """Cases that they are to do."""
    before = [str(status) for status in BEFORE_THE_NEEDLE]
    return Procedure.objects.filter(operator=user, status__in=before).order_by("pk")


def actions(user: User) -> QuerySet[Action]:
    """What a review decided and they are to do."""
    return Action.objects.filter(responsible=user, done_at__isnull=True).order_by("pk")


def all_promises(user: User) -> QuerySet[FollowUp]:
    """Every open promise that they took, or are responsible for and nobody took."""
    mine = Q(taken_by=user) | Q(taken_by__isnull=True, responsible=user)
    return FollowUp.objects.filter(mine, closed_at__isnull=True).order_by("pk")


def _own_promises(user: User) -> QuerySet[FollowUp]:
    """Of those, the ones that go neither with their case nor with their action."""
    rows = all_promises(user).exclude(taken_by__isnull=True, procedure__responsible=user)
    return rows.exclude(taken_by__isnull=True, kind=str(Kind.DO_ACTION))


def covers(user: User, now: datetime) -> QuerySet[Absence]:
    """Absences of others for which they stand in or are asked to."""
    return Absence.objects.filter(surrogate=user, ends_at__gt=now, declined_at__isnull=True).order_by("pk")


def turns(user: User, now: datetime) -> QuerySet[OnCall]:
    return OnCall.objects.filter(user=user, ends_at__gt=now).order_by("pk")


def _cases(user: User) -> Iterator[Item]:
    for row in _with_words(cases(user)):
        urgent = row.urgency == "emergency"
        yield Item(Group.CASES, row.pk, _kind(row), PHYSICIANS, row.code, _indication(row), urgent)


def _series(user: User) -> Iterator[Item]:
    for row in series(user).select_related("protocol"):
        every = _("%(what)s every %(days)s days") % {"what": row.protocol.label, "days": row.interval_days}
        yield Item(Group.SERIES, row.pk, every, PHYSICIANS)


def _operates(user: User, now: datetime) -> Iterator[Item]:
    for row in _with_words(operates(user)):
        when = _when(row.stay.lower, now) if row.stay else _("no slot yet")
        yield Item(Group.OPERATES, row.pk, f"{_kind(row)}, {when}", PHYSICIANS, row.code, _indication(row))


def _actions(user: User, now: datetime) -> Iterator[Item]:
    for row in actions(user).select_related("procedure"):
        said = _("What was decided, due %(when)s") % {"when": _when(row.due_at, now)}
        yield Item(Group.ACTIONS, row.pk, said, PHYSICIANS, row.procedure.code, urgent=row.due_at < now)


def _promises(user: User, now: datetime) -> Iterator[Item]:
    for row in _own_promises(user).select_related("procedure"):
        code = row.procedure.code if row.procedure else ""
        said = f"{ladder_words.kind(row.kind)}, {timewords.due_in(row.due_at, now, _zone())}"
        urgent = row.level == "critical" or row.due_at < now
        yield Item(Group.PROMISES, row.pk, said, promises.fitting_roles(row), code, urgent=urgent)


def _covers(user: User, now: datetime) -> Iterator[Item]:
    for row in covers(user, now).select_related("user"):
        said = f"{row.user.display_name}, {_when(row.starts_at, now)} – {_when(row.ends_at, now)}"
        yield Item(Group.COVERS, row.pk, said, row.user.role_set)


def _turns(user: User, now: datetime) -> Iterator[Item]:
    for row in turns(user, now):
        said = f"{_when(row.starts_at, now)} – {_when(row.ends_at, now)}"
        yield Item(Group.TURNS, row.pk, f"{ladder_words.ROLES[Role(row.role)]}: {said}", frozenset({Role(row.role)}))


def _with_words(rows: QuerySet[Procedure]) -> QuerySet[Procedure]:
    return rows.select_related("protocol_version__protocol").defer("protocol_version__data")


def _kind(row: Procedure) -> str:
    return row.protocol_version.parsed.label


def _indication(row: Procedure) -> str:
    return row.protocol_version.parsed.indication(row.indication).label


def _when(moment: datetime, now: datetime) -> str:
    return timewords.when(moment, now, _zone())


def _zone() -> tzinfo:
    return timezone.get_current_timezone()
