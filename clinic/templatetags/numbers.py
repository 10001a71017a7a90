"""Numbers and other plain values in templates."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def thousands(number: int) -> str:
    """Group the thousands: 1204 → "1,204"."""
    return number_format(number, use_l10n=True, force_grouping=True)


@register.filter
def at(items: Sequence[object], index: int) -> object:
    """The item at an index: the column that a cell stands under."""
    return items[index]


@register.filter
def plain(value: object) -> str:
    """A stored detail in words: nothing → "–", True → "yes", a list or a mapping → its items, one after another."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or "–"
    return str(value)
