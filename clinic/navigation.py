"""Which pages a role works with, and where each role lands after logging in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic.models import User
from clinic.roles import CLINICAL, STAFF, Role


@dataclass(frozen=True)
class Entry:
    """One line of the navigation. ``icon`` is a Bootstrap icon's name."""

    url_name: str
    label: Promise
    icon: str
    roles: frozenset[Role]
    aside: bool = False  # in the menu under the person's name: what is not part of every day


ENTRIES: tuple[Entry, ...] = (
    Entry("followups:board", _("Day board"), "calendar-week", STAFF),
    Entry(
        "procedures:new",
        _("New procedure"),
        "plus-square",
        frozenset({Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN}),
    ),
    Entry("procedures:patients", _("Patients"), "people", STAFF),
    Entry("followups:checklists", _("Checklists"), "list-check", frozenset({Role.NURSE, Role.PHYSICIAN})),
    Entry("followups:inbox", _("Inbox"), "inbox", frozenset({Role.PHYSICIAN, Role.DIRECTOR})),
    Entry("followups:chase", _("Chase list"), "telephone", frozenset({Role.NURSE, Role.DIRECTOR})),
    Entry("followups:loop", _("Loop board"), "arrow-repeat", frozenset({Role.DIRECTOR})),
    Entry("followups:texts", _("Texts from patients"), "chat-dots", CLINICAL, aside=True),
    Entry(
        "followups:handover",
        _("Hand over the shift"),
        "arrow-left-right",
        frozenset({Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN}),
        aside=True,
    ),
    Entry(
        "followups:open_items",
        _("Open items, to print"),
        "printer",
        frozenset({Role.NURSE, Role.PHYSICIAN}),
        aside=True,
    ),
    Entry(
        "procedures:unmatched",
        _("Results to place"),
        "question-diamond",
        frozenset({Role.NURSE, Role.PHYSICIAN, Role.DIRECTOR}),
        aside=True,
    ),
    Entry(
        "procedures:laboratories",
        _("Laboratories"),
        "building",
        frozenset({Role.NURSE, Role.DIRECTOR, Role.ADMINISTRATOR}),
        aside=True,
    ),
    Entry(
        "procedures:upload_results", _("Upload results"), "upload", frozenset({Role.NURSE, Role.DIRECTOR}), aside=True
    ),
    Entry("followups:engine", _("Engine"), "heart-pulse", frozenset({Role.DIRECTOR, Role.ADMINISTRATOR}), aside=True),
    Entry("places", _("Rooms and hours"), "door-open", frozenset({Role.DIRECTOR, Role.SCHEDULER}), aside=True),
    Entry("on_call", _("Who is on call"), "telephone-forward", frozenset(Role), aside=True),
    Entry("absences", _("Absence and cover"), "calendar-x", frozenset(Role), aside=True),
    Entry("procedures:rule_sets", _("Rule sets"), "shield-check", frozenset({Role.DIRECTOR}), aside=True),
    Entry("audit", _("Audit"), "journal-text", frozenset({Role.DIRECTOR}), aside=True),
    Entry("users", _("Users"), "person-gear", frozenset({Role.ADMINISTRATOR})),
)

#: Where a role lands. Somebody with several roles lands where the first one in this order does: what
#: waits for a physician or a nurse is more urgent than a board.
HOMES: tuple[tuple[Role, str], ...] = (
    (Role.PHYSICIAN, "followups:inbox"),
    (Role.NURSE, "followups:checklists"),
    (Role.SCHEDULER, "followups:board"),
    (Role.DIRECTOR, "followups:loop"),
    (Role.ADMINISTRATOR, "users"),
)


def home_name(user: User) -> str:
    """The URL name of this person's own first page."""
    return next((name for role, name in HOMES if user.has(role)), "account")


def entries_for(user: User, path: str) -> list[dict[str, Any]]:
    """The navigation of this person; the entry with the longest matching address is the active one."""
    items: list[dict[str, Any]] = []
    for entry in ENTRIES:
        if not user.has(*entry.roles):
            continue
        items.append(
            {
                "url": reverse(entry.url_name),
                "label": entry.label,
                "icon": entry.icon,
                "active": False,
                "count": None,
                "aside": entry.aside,
            }
        )
    here = max(
        (item for item in items if path.startswith(item["url"])), key=lambda item: len(item["url"]), default=None
    )
    if here is not None:
        here["active"] = True
    return items
