"""Who gets what from every address of the product: one table, compared with the resolver by test_role_matrix.py.

To add an address, add a row under its full name (``namespace:name``):

    "followups:inbox": allow(Role.PHYSICIAN, Role.DIRECTOR),
    "procedures:cancel": allow(*BOOKERS, ok=303, method="post", kwargs=lambda case: {"code": case.procedure.code}),

``allow`` names the roles that get ``ok``; everybody else gets ``others`` (403 where the page is known to exist, 404
where the row itself must not be seen), and somebody who is not logged in is sent to the log-in (302; 401 for a POST).
``deviating`` overrides single roles. Objects come from ``Case``: add a property there when a view needs a new kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from functools import cached_property
from typing import Any

from clinic import clock
from clinic.models import Absence, ClinicHours, User
from clinic.roles import CLINICAL, STAFF, Role
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
        """Somebody is away and whoever asks is to cover."""
        begin = clock.now() + timedelta(days=1)
        surrogate = self.user or self.cast.carl
        return Absence.objects.create(
            user=self.colleague, surrogate=surrogate, starts_at=begin, ends_at=begin + timedelta(days=1)
        )


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


def colleague(case: Case) -> dict[str, Any]:
    return {"pk": case.colleague.pk}


def hours(case: Case) -> dict[str, Any]:
    return {"kind": "hours", "pk": case.hours.pk}


ADMINISTRATOR = (Role.ADMINISTRATOR,)
DIRECTOR = (Role.DIRECTOR,)

CLINIC: dict[str, Row] = {
    "home": everybody(302),
    # log-in
    "account_login": allow(*Role, ok=302, anonymous=200),
    "account_logout": allow(*Role, ok=200, anonymous=302),
    "account_inactive": public(),
    "account_reauthenticate": everybody(),
    "account_change_password": everybody(),
    "account_resend": public(422, method="post", data=lambda case: {"kept": "forged"}),
    "account_signup": public(404),
    "account_email": public(404),
    "account_reset_password": public(404),
    "account_set_password": public(404),
    # people
    "users": allow(*ADMINISTRATOR),
    "user_new": allow(*ADMINISTRATOR),
    "user_edit": allow(*ADMINISTRATOR, kwargs=colleague),
    "user_deactivate": allow(*ADMINISTRATOR, ok=303, method="post", kwargs=colleague),
    "user_reactivate": allow(*ADMINISTRATOR, ok=303, method="post", kwargs=colleague),
    "user_reset_password": allow(*ADMINISTRATOR, method="post", kwargs=colleague),
    "user_unlock": allow(*ADMINISTRATOR, ok=303, method="post", kwargs=colleague),
    "account": everybody(),
    "accept_cover": everybody(303, method="post", kwargs=lambda case: {"pk": case.absence.pk}),
    "audit": allow(*DIRECTOR),
    # rooms and hours
    "places": allow(Role.DIRECTOR, Role.SCHEDULER),
    "place_add": allow(*DIRECTOR, kwargs=lambda case: {"kind": "hours"}),
    "place_edit": allow(*DIRECTOR, kwargs=hours),
    "place_remove": allow(*DIRECTOR, ok=303, method="post", kwargs=hours),
    # machines and developers
    "healthz": public(),
    "readyz": public(),
    "healthz_engine": public(503),  # no worker has reported in a test
    "components": everybody(demo=True),
}

WORKLISTS: dict[str, Row] = {
    "followups:board": allow(*STAFF),
    "followups:week": allow(*STAFF),
    "followups:checklists": allow(*CLINICAL),
    "followups:inbox": allow(Role.PHYSICIAN, Role.DIRECTOR),
    "followups:chase": allow(Role.NURSE, Role.DIRECTOR),
    "followups:loop": allow(*DIRECTOR),
}

#: Everything. Each app's rows stand in their own dictionary.
MATRIX: dict[str, Row] = {**CLINIC, **WORKLISTS}
