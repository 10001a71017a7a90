"""The administrator's pages: who may log in, and as what. No charts here."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import guards
from clinic import users as service
from clinic.access import actor_of, roles_required
from clinic.errors import DomainError
from clinic.models import User
from clinic.responses import see_other
from clinic.roles import Role
from clinic.user_forms import NewUserForm, UserForm
from clinic.wording import add_to_form

administrators = roles_required(Role.ADMINISTRATOR)


@require_safe
@administrators
def users(request: HttpRequest) -> HttpResponse:
    """Everybody who may or could once log in."""
    people = list(User.objects.order_by("-is_active", "full_name", "pk"))
    context = {"people": people, "locked": service.locked_usernames(), "active": sum(p.is_active for p in people)}
    return render(request, "clinic/users.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators
@sensitive_variables("password")
def user_new(request: HttpRequest) -> HttpResponse:
    """Add a person. The answer shows the one-time password; it is stored nowhere, so there is no redirect."""
    form = NewUserForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        try:
            person, password = service.create(actor=actor_of(request), **form.cleaned_data)
        except DomainError as error:
            add_to_form(form, error)
            status = error.status
        else:
            return render(request, "clinic/one_time_password.html", {"person": person, "password": password})
    elif form.is_bound:
        status = 422
    return render(request, "clinic/user_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Details and roles of one person, and the doors to the rest."""
    person = get_object_or_404(User, pk=pk)
    form = UserForm.of(person, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            service.change(actor=actor_of(request), user=person, **form.cleaned_data)
        except DomainError as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Saved: %(name)s.") % {"name": person.display_name})
            return see_other("users")
    context = {"form": form, "person": person, "is_locked": person.username in service.locked_usernames()}
    return render(request, "clinic/user_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators
def user_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what will follow; then end this person's access, once nothing of theirs is open."""
    person = get_object_or_404(User, pk=pk)
    status = 200
    if request.method == "POST":
        try:
            service.deactivate(actor=actor_of(request), user=person)
        except service.StillHolds as refused:
            status = refused.status
        else:
            messages.success(request, _("%(name)s can no longer log in.") % {"name": person.display_name})
            return see_other("users")
    context = {"person": person, "held": guards.open_items(person)}
    return render(request, "clinic/user_deactivate.html", context, status=status)


@require_POST
@administrators
def user_reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    service.reactivate(actor=actor_of(request), user=person)
    messages.success(request, _("%(name)s can log in again.") % {"name": person.display_name})
    return see_other("user_edit", pk)


@require_POST
@administrators
@sensitive_variables("password")
def user_reset_password(request: HttpRequest, pk: int) -> HttpResponse:
    """A new one-time password, shown in this answer only."""
    person = get_object_or_404(User, pk=pk)
    password = service.reset_password(actor=actor_of(request), user=person)
    return render(request, "clinic/one_time_password.html", {"person": person, "password": password})


@require_POST
@administrators
def user_unlock(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    service.unlock(actor=actor_of(request), user=person)
    messages.success(request, _("%(name)s can try again now.") % {"name": person.display_name})
    return see_other("user_edit", pk)
