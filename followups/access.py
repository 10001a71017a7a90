"""The doors to promises, actions and checks. Charts go through ``procedures.access``."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from clinic.actor import Actor
from clinic.roles import CLINICAL, STAFF, Role
from followups.domain import kinds
from followups.models import Action, FollowUp, TextMessage

#: What a scheduler sees: booking, never an answer or a result.
BOOKING_KINDS = frozenset(spec.kind for spec in kinds.specs() if spec.booking)


def promises(actor: Actor) -> QuerySet[FollowUp]:
    """Promises the actor may see: all for clinical roles, the booking kinds for a scheduler."""
    if actor.has(*CLINICAL):
        return FollowUp.objects.all()
    if actor.has(*STAFF):
        return FollowUp.objects.filter(kind__in=[str(k) for k in BOOKING_KINDS])
    raise Http404


def promise_for(actor: Actor, pk: int, *, need: frozenset[Role] | None = None) -> FollowUp:
    """One promise. 404 when it may not be seen, 403 when it may not be changed."""
    follow_up = promises(actor).select_related("procedure__patient", "responsible", "taken_by").filter(pk=pk).first()
    if follow_up is None:
        raise Http404
    if need is not None and not actor.has(*need):
        raise PermissionDenied
    return follow_up


def text_for(actor: Actor, pk: int, *, need: frozenset[Role] | None = None) -> TextMessage:
    """A text that came in. 404 when it may not be seen, 403 when it may not be answered for."""
    if not actor.has(*CLINICAL):
        raise Http404
    text = TextMessage.objects.select_related("patient", "procedure", "read_by").filter(pk=pk).first()
    if text is None:
        raise Http404
    if need is not None and not actor.has(*need):
        raise PermissionDenied
    return text


def action_for(actor: Actor, pk: int, *, need: frozenset[Role] | None = None) -> Action:
    """What a review decided must be done."""
    if not actor.has(*CLINICAL):
        raise Http404
    action = Action.objects.select_related("procedure__patient", "review__version__test").filter(pk=pk).first()
    if action is None:
        raise Http404
    if need is not None and not actor.has(*need):
        raise PermissionDenied
    return action
