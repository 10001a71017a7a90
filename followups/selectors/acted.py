"""Who acted on an earlier version of a result: read it, told the patient of it, or did what was decided on it."""

from __future__ import annotations

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


def on_earlier(version: ResultVersion) -> tuple[Deed, ...]:
    """Everything that was done on the versions before this one, oldest first: four queries."""
    numbers = dict(
        ResultVersion.objects.filter(test_id=version.test_id, number__lt=version.number).values_list("pk", "number")
    )
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
        found.append(Deed(contact.at, contact.by.display_name, _("told the patient"), number, told=True))
    return tuple(sorted(found, key=lambda deed: deed.at))
