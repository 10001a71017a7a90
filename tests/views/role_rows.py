"""What each role may get from an address, and the objects that an address names.

Rows stand in ``role_rows_*.py`` under the address's full name (``namespace:name``):

    "followups:inbox": allow(Role.PHYSICIAN, Role.DIRECTOR),
    "procedures:cancel": allow(*BOOKERS, ok=303, method="post", kwargs=lambda case: {"code": case.procedure.code}),

``allow`` names the roles that get ``ok``; everybody else gets ``others`` (403 where the page is known to exist, 404
where the row itself must not be seen), and somebody who is not logged in is sent to the log-in (302; 401 for a POST).
``deviating`` overrides single roles. A second row about the same address has a word behind the name
(``followups:review writing``). Objects come from ``Case``: add a property there when a view needs a new kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from functools import cached_property
from typing import Any

from clinic import clock
from clinic.models import Absence, ClinicHours, User
from clinic.roles import Role
from tests.factories.people import Cast, make_user

ANONYMOUS = "anonymous"


@dataclass
class Case:
    """Objects for the addresses that name one, made when first asked for. ``user`` is who asks; None is nobody."""

    cast: Cast
    user: User | None

    @cached_property
    def colleague(self) -> User:
        return make_user(Role.NURSE)

    @cached_property
    def hours(self) -> ClinicHours:
        return ClinicHours.objects.create(weekday=0, opens=time(8), closes=time(12))

    @cached_property
    def absence(self) -> Absence:
        """Somebody of every role is away and whoever asks is to cover."""
        away = make_user(*Role)
        return self._absence(user=away, surrogate=self.user or self.cast.carl)

    @cached_property
    def own_absence(self) -> Absence:
        """Whoever asks is away."""
        return self._absence(user=self.user or self.cast.carl, surrogate=make_user(*Role))

    def _absence(self, **people: User) -> Absence:
        begin = clock.now() + timedelta(days=1)
        return Absence.objects.create(**people, starts_at=begin, ends_at=begin + timedelta(days=1))


Make = Callable[[Case], dict[str, Any]]


def nothing(case: Case) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Row:
    """What each role, and somebody who is not logged in, gets from one address."""

    expect: Mapping[str, int]
    method: str = "get"
    kwargs: Make = nothing
    data: Make = nothing
    demo: bool = False  # exists in a demonstration only


def allow(
    *roles: Role,
    ok: int = 200,
    others: int = 403,
    anonymous: int | None = None,
    method: str = "get",
    deviating: Mapping[Role, int] | None = None,
    **more: Any,
) -> Row:
    expect = {str(role): ok if role in roles else others for role in Role}
    expect |= {str(role): status for role, status in (deviating or {}).items()}
    expect[ANONYMOUS] = anonymous if anonymous is not None else (302 if method == "get" else 401)
    return Row(expect=expect, method=method, **more)


def everybody(ok: int = 200, **more: Any) -> Row:
    """Every role alike."""
    return allow(*Role, ok=ok, **more)


def public(ok: int = 200, **more: Any) -> Row:
    """Whoever asks, logged in or not."""
    return allow(*Role, ok=ok, anonymous=ok, **more)


#: Who sees a chart and who writes in it; a chart is not there for who sees none.
WRITERS = (Role.NURSE, Role.PHYSICIAN)
READERS = (*WRITERS, Role.DIRECTOR)
#: Nurse and physician write, the director reads and changes nothing.
CLOSED: dict[str, Any] = {"others": 404, "deviating": {Role.DIRECTOR: 403}}
#: The same where a physician alone may.
SIGNERS: dict[str, Any] = {"others": 404, "deviating": {Role.DIRECTOR: 403, Role.NURSE: 403}}
