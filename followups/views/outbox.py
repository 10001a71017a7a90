"""What people do about messages that did not arrive, or that came back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access import actor_of, roles_required
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form
from followups import ladder_words
from followups.forms.outbox import DealtWithForm
from followups.models import Message
from followups.services import messages as outbox

KEEPERS = (Role.DIRECTOR, Role.ADMINISTRATOR)


def _message(pk: int) -> Message:
    return get_object_or_404(Message.objects.select_related("recipient", "follow_up__procedure"), pk=pk)


@require_POST
@roles_required(*KEEPERS)
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Put one message back into the queue. A Conflict (somebody else did) becomes the 409 page."""
    outbox.send_again(actor=actor_of(request), message=_message(pk))
    messages.success(request, _("The message is in the queue again."))
    return see_other("followups:engine")


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*KEEPERS)
def dealt_with(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody was told in another way: the message waits for nobody any more."""
    message = _message(pk)
    form = DealtWithForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            outbox.dealt_with(actor=actor_of(request), message=message, reason=form.cleaned_data["reason"])
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Noted. The message is off the list."))
            return see_other("followups:engine")
    context = {"message": message, "kind": ladder_words.kind(message.kind), "form": form}
    return render(request, "followups/engine/dealt_with.html", context, status=422 if form.errors else 200)


@require_POST
@roles_required(*KEEPERS)
def came_back(request: HttpRequest, pk: int) -> HttpResponse:
    """A mail lies undelivered in the clinic's own mailbox: it counts as not arrived."""
    outbox.came_back(actor=actor_of(request), message=_message(pk), outcome=_("came back, says a person"))
    messages.success(request, _("The message counts as not delivered. Send it again, or tell the person otherwise."))
    return see_other("followups:engine")
