"""The engine's own pages: is it alive, what did not arrive, the mails of a demonstration, and its clock."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from clinic import clock
from clinic.access import ALL_ROLES, actor_of, roles_required
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.roles import CLINICAL, Role
from followups import alarm_words, ladder_words, replay
from followups.selectors import engine as selector
from followups.selectors import mail as mail_selector
from followups.services import demo_clock as demo_clock_service

#: What the bar offers, in hours.
HOURS = frozenset({1, 4, 24, 168})
SHOWN = 100


@require_safe
@roles_required(Role.DIRECTOR, Role.ADMINISTRATOR)
def engine(request: HttpRequest) -> HttpResponse:
    """Does it keep up, and what did not arrive."""
    state = selector.state(clock.now())
    context = {
        "engine": state,
        "alarms": [(name, alarm_words.ALARMS[name]) for name in state.alarms],
        "own": selector.own_promises(clock.now()),
        "may_edit_users": actor_of(request).has(Role.ADMINISTRATOR),
        "channels": state.readings.channels.items(),
        "stopped": [(row, ladder_words.kind(row.kind)) for row in selector.stopped()[:SHOWN]],
        "sent": [(row, ladder_words.kind(row.kind)) for row in selector.sent_lately()],
        "roles": [(role, ladder_words.ROLES[Role(role)]) for role in state.empty_roles],
        "may_open_case": actor_of(request).has(*CLINICAL),
    }
    return render(request, "followups/engine/engine.html", context)


@require_safe
@roles_required(*ALL_ROLES)
def mail(request: HttpRequest) -> HttpResponse:
    """What a demonstration or a developer's machine would have sent."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    return render(request, "followups/mail/mail.html", {"mails": mail_selector.newest()})


@require_POST
@roles_required(*ALL_ROLES)
def demo_clock(request: HttpRequest) -> HttpResponse:
    """Move the demonstration's clock; what is due on the way happens at its own time."""
    if not settings.DEMO:
        raise Http404
    if request.POST.get("reset"):
        demo_clock_service.reset(actor=actor_of(request))
        messages.success(request, _("The clock shows the real time again."))
        return see_other(_local(request))
    hours = request.POST.get("hours", "")
    if not hours.isdecimal() or int(hours) not in HOURS:
        raise Invalid("The clock moves by 1, 4, 24 or 168 hours.")
    done = replay.move_to(actor=actor_of(request), to=clock.now() + timedelta(hours=int(hours)))
    messages.success(request, _("The clock has moved. %(sent)s") % {"sent": _sent(done.sent)})
    return see_other(_local(request))


def _sent(count: int) -> str:
    return ngettext("%(count)d reminder was sent.", "%(count)d reminders were sent.", count) % {"count": count}


def _local(request: HttpRequest) -> str:
    """Back to where the bar was used; never to another site."""
    for target in (request.POST.get("next", ""), request.headers.get("Referer", "")):
        if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
            return target
    return reverse("home")
