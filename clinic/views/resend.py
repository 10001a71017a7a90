"""Log in again and look once more at what was typed before sending it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from clinic import resend as kept_forms
from clinic.errors import NotPermitted


@require_POST
@login_not_required
@sensitive_post_parameters("password")
def resend(request: HttpRequest) -> HttpResponse:
    """What another person has typed is not shown to whoever logs in after them."""
    kept = kept_forms.read(request.POST.get("kept", ""))
    if not request.user.is_authenticated:
        form = kept_forms.login_form(request, bound=True)
        if not form.is_valid():
            return kept_forms.logged_out_page(request, kept=kept, form=form)
        response: HttpResponse = form.login(request, redirect_url=kept.url)  # type: ignore[attr-defined]
        if not request.user.is_authenticated:  # a second factor, or an inactive person
            return response
    if kept.user_id not in {None, request.user.pk}:
        raise NotPermitted("Somebody else has typed this. It is not shown and was not saved.")
    return render(request, "account/send_again.html", {"kept": kept})
