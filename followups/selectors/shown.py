"""Every number that the loop board and the worklists show, by name: what a checker compares with its own."""

from __future__ import annotations

from datetime import datetime

from clinic.actor import Actor
from clinic.models import User
from followups.selectors import criticals, loop, worklists
from followups.selectors.groups import CHASE, INBOX
from followups.selectors.worklists import Of, Viewer

EVERYBODY = Viewer(None, frozenset())


def counts(now: datetime) -> dict[str, int]:
    """The board's figures, the groups of both worklists, and of each active person their share of either."""
    found = loop.counts(now)
    found |= {"criticals.unread": criticals.unread().count(), "criticals.untaken": criticals.untaken().count()}
    for page in (INBOX, CHASE):
        tally = worklists.counted(page, EVERYBODY, Of.ALL, now)
        found |= {f"{page.code}.{page.places[place].code}": number for place, number in tally.places.items()}
    for person in User.objects.filter(is_active=True).order_by("pk"):
        who = worklists.viewer(Actor.person(person), now)
        for page in (INBOX, CHASE):
            segments = worklists.counted(page, who, Of.MINE, now).segments
            for of in (Of.MINE, Of.ROLE, Of.COVERED):
                found[f"{page.code}.{of}:{person.pk}"] = segments[of]
    return found
