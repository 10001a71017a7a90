"""States in templates: ``{% status_of kind as look %}`` gives tone, icon and word; ``kind|status_word`` the word."""

from __future__ import annotations

from django import template

from clinic import statuses

register = template.Library()

#: Icons of the alerts that Django's messages become, by their level tag.
ALERT_ICONS = {
    "success": "check2-circle",
    "info": "info-circle",
    "debug": "info-circle",
    "warning": "exclamation-triangle-fill",
    "error": "exclamation-octagon-fill",
}


@register.simple_tag
def status_of(kind: str) -> statuses.Status:
    """Tone, icon and word of a kind."""
    return statuses.status(kind)


@register.filter
def status_word(kind: str) -> str:
    """The word of a kind, for plain text."""
    return str(statuses.status(kind).word)


@register.filter
def status_icon(kind: str) -> str:
    """The icon of a kind."""
    return statuses.status(kind).icon


@register.filter
def status_tone(kind: str) -> str:
    """The tone of a kind."""
    return statuses.status(kind).tone


@register.filter
def alert_icon(level_tag: str) -> str:
    """The icon of a message level."""
    return ALERT_ICONS.get(level_tag, "info-circle")
