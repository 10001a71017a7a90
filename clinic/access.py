"""Who may open a page at all. What a person may see of one case is decided in each app's own ``access.py``.

Four small tools, used by both apps:

- ``@roles_required(Role.NURSE, …)`` on a view: anybody else gets 403. The roles stay readable on the view
  (``view.allowed_roles``), which is what the role matrix test compares.
- ``require(actor, Role.DIRECTOR)`` in a service: the same rule where the change is made.
- ``need(row)``: the row, or 404. What a person may not see does not exist for them.
- ``record_read(request, …)`` in a view that shows patients: who looked at whom is kept.

The administrator keeps users, not patients: ``CHART_ROLES`` and ``STAFF_ROLES`` do not contain that role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from django.db.models import Model
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from clinic import audit
from clinic.actor import Actor
from clinic.errors import NotPermitted
from clinic.htmx import is_refresh
from clinic.roles import CLINICAL, STAFF, Role

#: May open a chart: nurse, physician, director.
CHART_ROLES: tuple[Role, ...] = tuple(sorted(CLINICAL))
#: May see identity and booking: the above and the scheduler.
STAFF_ROLES: tuple[Role, ...] = tuple(sorted(STAFF))
#: Everybody who can log in.
ALL_ROLES: tuple[Role, ...] = tuple(Role)

Row = TypeVar("Row")


class RoleView(Protocol):
    """A view that says who may open it."""

    allowed_roles: frozenset[Role]

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


def actor_of(request: HttpRequest) -> Actor:
    """The person behind a request. Raises NotPermitted when nobody is logged in."""
    user = request.user
    if not user.is_authenticated:
        raise NotPermitted("Please log in first.")
    return Actor.person(user)


def require(who: HttpRequest | Actor, *roles: Role) -> Actor:
    """The actor, who holds at least one of ``roles``. Raises NotPermitted otherwise."""
    actor = who if isinstance(who, Actor) else actor_of(who)
    if not actor.has(*roles):
        raise NotPermitted
    return actor


def need(row: Row | None) -> Row:
    """The row. Raises Http404 when there is none, so that *hidden* and *absent* look the same."""
    if row is None:
        raise Http404
    return row


def roles_required(*roles: Role) -> Callable[[Callable[..., HttpResponseBase]], RoleView]:
    """Let only holders of one of ``roles`` into a view; everybody else gets the 403 page."""
    if not roles:
        raise ValueError("name at least one role")

    def decorate(view: Callable[..., HttpResponseBase]) -> RoleView:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            require(request, *roles)
            return view(request, *args, **kwargs)

        marked = cast(RoleView, checked)
        marked.allowed_roles = frozenset(roles)
        return marked

    return decorate


def record_read(
    request: HttpRequest,
    *,
    page: str,
    patient_ids: Iterable[int],
    subject: Model | None = None,
    polled: bool = False,
) -> None:
    """One audit entry for one page somebody opened: the chart's patient, or everybody on the list; none for nobody.

    ``polled``: the page asks for itself again and again; such a poll is no second look. A page that does not poll is
    always written down, whatever header a request carries: nobody reads a chart unseen by calling it a refresh.
    """
    ids = set(patient_ids)
    if ids and not (polled and is_refresh(request)):
        audit.record_read(actor=actor_of(request), page=page, patient_ids=ids, subject=subject)
