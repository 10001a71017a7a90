"""What was written to a patient about a case: when, by which way, in which language, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from followups import ladder_words
from followups.domain.kinds import MessageState
from followups.models import Message
from procedures.domain import languages
from procedures.models import Procedure

WAYS: dict[str, LazyText] = {"sms": gettext_lazy("text message"), "patient_email": gettext_lazy("e-mail")}


@dataclass(frozen=True)
class Sent:
    """One message. ``became`` in words; ``bad``: somebody should call."""

    message: Message
    about: str
    way: str
    language: str
    became: str

    @property
    def bad(self) -> bool:
        stopped = self.message.state in {MessageState.FAILED, MessageState.UNKNOWN}
        return stopped and self.message.dealt_at is None


def to_patient(procedure: Procedure) -> list[Sent]:
    """The newest first. One query."""
    return [said(row) for row in part(procedure.pk)]


def part(case: Any) -> QuerySet[Message]:
    """Their rows."""
    rows = Message.objects.filter(patient__isnull=False, follow_up__procedure=case).select_related("link")
    return rows.order_by("-created_at", "-pk")


def said(row: Message) -> Sent:
    """One of them in words."""
    return Sent(
        message=row,
        about=ladder_words.kind(row.kind),
        way=str(WAYS.get(row.channel, row.channel)),
        language=languages.NAMES.get(row.language, (row.language,))[0],
        became=_became(row),
    )


def _became(row: Message) -> str:
    if row.link is not None and row.link.spent_at:
        return _("answered")
    if row.link is not None and row.link.opened_at:
        return _("opened, not answered")
    words = {
        MessageState.QUEUED: _("not sent yet"),
        MessageState.SENDING: _("being sent"),
        MessageState.SENT: _("arrived") if row.delivered_at else _("sent; nobody knows whether it was read"),
        MessageState.FAILED: _("did not arrive: %(why)s") % {"why": row.outcome},
        MessageState.UNKNOWN: _("nobody knows whether it arrived"),
        MessageState.EXPIRED: _("not sent: too late to be of use"),
        MessageState.CANCELLED: _("not sent: %(why)s") % {"why": row.outcome},
    }
    return words[MessageState(row.state)]
