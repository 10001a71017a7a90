"""Who gets what from the log-in, the pages about people and places, and the machines' addresses."""

from __future__ import annotations

from typing import Any

from clinic.roles import Role
from tests.views.role_rows import Case, Row, allow, everybody, public

ADMINISTRATOR = (Role.ADMINISTRATOR,)
DIRECTOR = (Role.DIRECTOR,)


def colleague(case: Case) -> dict[str, Any]:
    return {"pk": case.colleague.pk}


def hours(case: Case) -> dict[str, Any]:
    return {"kind": "hours", "pk": case.hours.pk}


def absence(case: Case) -> dict[str, Any]:
    return {"pk": case.absence.pk}


def own_absence(case: Case) -> dict[str, Any]:
    return {"pk": case.own_absence.pk}


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
    # absence and cover: everybody's own, and what they are asked; whose it is decides, not the role
    "absences": everybody(),
    "absence_new": everybody(),
    "absence_edit": everybody(404, deviating={Role.DIRECTOR: 200}, kwargs=absence),
    "absence_edit own": everybody(kwargs=own_absence),
    "absence_cancel": everybody(404, deviating={Role.DIRECTOR: 303}, method="post", kwargs=absence),
    "absence_cancel own": everybody(303, method="post", kwargs=own_absence),
    "accept_cover": everybody(303, method="post", kwargs=absence),
    "decline_cover": everybody(kwargs=absence),
    "pass_on_cover": everybody(kwargs=absence),
    "on_call": everybody(),
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
