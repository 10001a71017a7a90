"""Who acted on an earlier version of a result: read it, told the patient of it, or did what was decided on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from followups.models import Action, PatientContact, Review
from followups.models.contacts import TOLD
from procedures.models import ResultVersion


@dataclass(frozen=True)
class Deed:
    """``told``: the patient heard of this version then."""

    at: datetime
    name: str
    what: str
    number: int
    told: bool = False


def on_earlier(version: ResultVersion, stored: Iterable[ResultVersion]) -> tuple[Deed, ...]:
    """Everything that was done on the versions before this one, oldest first: three queries, none where there is none.

    ``stored``: all versions of the test.
    """
    numbers = {row.pk: row.number for row in stored if row.number < version.number}
    if not numbers:
        return ()
    found = [
        Deed(row.at, row.reviewer.display_name, _("read it: %(how)s") % {"how": row.get_interpretation_display()},
             numbers[row.version_id])
        for row in Review.objects.filter(version_id__in=numbers).select_related("reviewer")
    ]  # fmt: skip
    for action in Action.objects.filter(review__version_id__in=numbers, done_at__isnull=False).select_related(
        "done_by", "review"
    ):
        if action.done_at is not None and action.done_by is not None:
            name = action.done_by.display_name
            found.append(Deed(action.done_at, name, action.what, numbers[action.review.version_id]))
    contacts = PatientContact.objects.filter(
        procedure_id=version.test.procedure_id, told_versions__overlap=list(numbers), outcome__in=TOLD
    )
    for contact in contacts.select_related("by"):
        number = max(numbers[pk] for pk in contact.told_versions if pk in numbers)
        who = contact.by.display_name if contact.by else _("a message with a link")
        found.append(Deed(contact.at, who, _("told the patient"), number, told=True))
    return tuple(sorted(found, key=lambda deed: deed.at))
