"""What each figure of a period means: what counts, out of what. The same words on the page and in the file."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Definition:
    """``counts``: what is in the first number; ``out_of``: in the second."""

    title: LazyText
    counts: LazyText
    out_of: LazyText


DEFINITIONS: dict[str, Definition] = {
    "acknowledged": Definition(
        _("Read in time"),
        _(
            "Results that a physician read and signed within the hours that the case's protocol gives for their level. "
            "Opening a result is not reading it."
        ),
        _(
            "Results that arrived in the period and were read, or whose time to be read has passed. Not those that "
            "still have time, nor negative preliminary results, nor what a newer version replaced in time."
        ),
    ),
    "time": Definition(
        _("Time until it is read"),
        _("From the arrival of a result here until its first signed reading: the median, and what nine of ten kept."),
        _("Results that arrived in the period and have been read. Those not read yet are counted beside them."),
    ),
    "overdue": Definition(
        _("Became overdue"),
        _("Promises that were still open when they were due, whether they have been kept since or not."),
        _("Promises that fell due in the period, up to now. Not those that were no longer needed by then."),
    ),
    "lost": Definition(
        _("Specimens lost"),
        _("Specimens recorded as lost, at whatever time."),
        _("Specimens collected in the period."),
    ),
    "rejected": Definition(
        _("Specimens rejected"),
        _("Specimens that the laboratory rejected, at whatever time."),
        _("Specimens collected in the period."),
    ),
    "corrected": Definition(
        _("Corrected after it was read"),
        _("Corrections and withdrawals that arrived after somebody had read the result that they change."),
        _("All corrections and withdrawals that arrived in the period."),
    ),
    "unreached": Definition(
        _("Patients not reached"),
        _(
            "Cases in which no try of the period reached the patient or who answers for them. A letter or a voicemail "
            "is no answer."
        ),
        _("Cases in which somebody tried, in the period, to tell results or a cancellation."),
    ),
    "turnaround": Definition(
        _("From collection to the final result"),
        _("From the collection of the specimen until the first final result is here: the median, and nine of ten."),
        _(
            "Tests whose first final result arrived in the period. What has not come at all is not in it: it stands "
            "among the overdue. A result that was withdrawn does not count."
        ),
    ),
}
