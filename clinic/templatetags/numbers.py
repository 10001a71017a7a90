"""Numbers in templates."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def thousands(number: int) -> str:
    """Group the thousands: 1204 → "1,204"."""
    return number_format(number, use_l10n=True, force_grouping=True)


@register.filter
def at(items: Sequence[object], index: int) -> object:
    """The item at an index: the column that a cell stands under."""
    return items[index]
