"""While somebody holds anything of a patient's, or a cover or a turn, their access does not end."""

from __future__ import annotations

from clinic import clock
from clinic.guards import OpenItems, while_open
from clinic.models import User
from followups.selectors import holdings


@while_open
def open_work(user: User) -> list[OpenItems]:
    """What the hand-over screen lists, counted."""
    held = holdings.of(user, clock.now())
    return [OpenItems(str(group), holdings.words(group, len(items)), len(items)) for group, items in held.items()]
