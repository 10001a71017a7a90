"""How staff log in: django-allauth, closed to anybody whom an administrator has not added."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.translation import gettext_lazy as _

from clinic import audit, navigation
from clinic.actor import Actor
from clinic.models import User

SAID_BY_THE_PAGE = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """No sign-up, no e-mail addresses to confirm; each role lands on its own page."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _(
            "This user name and password do not go together. After several wrong tries the log-in is locked."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        user = request.user
        assert user.is_authenticated
        return resolve_url(navigation.home_name(user))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url("home")

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """The owner's own new password: from here on nobody else knows it."""
        assert isinstance(user, User)
        user.set_password(password)
        user.password_temporary = False
        with transaction.atomic():
            user.save(update_fields=["password", "password_temporary"])
            audit.record(action="user.password_changed", actor=Actor.person(user), subject=user)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Only what a person must read: that they are in, or out, the page shows anyway."""
        if message_template in SAID_BY_THE_PAGE:
            return
        super().add_message(request, level, message_template, *args, **kwargs)
