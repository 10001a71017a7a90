"""Log-ins, failed ones, lock-outs and log-outs in the audit trail.

Django and axes announce them only as signals, so this is one of the two places where a signal is listened to.
What somebody typed as a user name is never kept: people type passwords there.
"""

from __future__ import annotations

from typing import Any

from axes.helpers import get_client_ip_address
from axes.signals import user_locked_out
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, clock, covers, sessions, timewords
from clinic.actor import Actor
from clinic.models import User

#: Nobody is logged in yet; the trail still needs a name to show.
NOBODY = Actor(user_id=None, name="not logged in", via="web")


def _address(request: HttpRequest | None) -> str:
    return (get_client_ip_address(request) if request is not None else None) or ""


def _named(username: str | None) -> User | None:
    return User.objects.filter(username=username).first() if username else None


@receiver(user_logged_in, dispatch_uid="clinic.logged_in")
def record_login(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    sessions.start(request.session)
    audit.record(action="login.succeeded", actor=Actor.person(user), subject=user, data={"address": _address(request)})
    _say_who_asks(request, user)


def _say_who_asks(request: HttpRequest, user: User) -> None:
    """Whoever is asked to cover hears of it with the log-in; until they answer nobody covers."""
    for absence in covers.asked_of(user, clock.now()):
        words = _("%(who)s asks you to cover from %(since)s. Please answer under “Absence and cover”.")
        since = timewords.when(absence.starts_at, clock.now(), timezone.get_current_timezone())
        # a log-in without a page, as a command does, has nowhere to say it
        messages.warning(request, words % {"who": absence.user.display_name, "since": since}, fail_silently=True)


@receiver(user_logged_out, dispatch_uid="clinic.logged_out")
def record_logout(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is None:
        return
    why = getattr(request, "session_ended", "") or "asked"
    audit.record(action="logout", actor=Actor.person(user), subject=user, data={"why": why})


@receiver(user_login_failed, dispatch_uid="clinic.login_failed")
def record_failure(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    user = _named(credentials.get("username"))
    data = {"address": _address(request), "known": user is not None}
    if user is not None and not user.is_active:
        data["inactive"] = True
    audit.record(action="login.failed", actor=NOBODY, subject=user, data=data)


@receiver(user_locked_out, dispatch_uid="clinic.locked_out")
def record_lockout(sender: Any, request: HttpRequest, username: str | None, ip_address: str, **_: Any) -> None:
    user = _named(username)
    audit.record(
        action="login.locked", actor=NOBODY, subject=user, data={"address": ip_address or "", "known": user is not None}
    )
