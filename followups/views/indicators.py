"""How well the loop closes: figures of a period, on a page and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import clock, spreadsheets
from clinic.access import actor_of, roles_required
from clinic.htmx import is_refresh
from clinic.roles import Role
from followups import ladder_words
from followups.domain.figures import Share, Times
from followups.indicator_words import DEFINITIONS
from followups.selectors import indicators as selector
from followups.services import exports
from followups.views import periods
from followups.views.polls import poll_url, unchanged

PAGE = "followups:indicators"


@require_safe
@roles_required(Role.DIRECTOR)
def indicators(request: HttpRequest) -> HttpResponse:
    """Time to acknowledge, overdue, lost, corrected, not reached, turnaround; each with what it is out of."""
    now = clock.now()
    form = periods.asked(request, now)
    if not form.is_valid():
        return render(request, "followups/loop/indicators.html", periods.context(form, PAGE), status=422)
    marker = selector.marker(form.period, now)
    if unchanged(request, marker):
        return HttpResponse(status=204)
    kept = selector.remembered(form.period, marker, now)
    found = kept.found
    context = {
        **periods.context(form, PAGE),
        "found": found,
        "read_at": kept.at,
        "kinds": [(ladder_words.kind(kind), share) for kind, share in found.overdue_by_kind],
        "words": DEFINITIONS,
        "poll": poll_url(request, marker),
    }
    name = "indicators_list" if is_refresh(request) else "indicators"
    return render(request, f"followups/loop/{name}.html", context)


@require_safe
@roles_required(Role.DIRECTOR)
def indicators_file(request: HttpRequest) -> HttpResponseBase:
    """The same figures for a spreadsheet. About nobody: numbers alone."""
    now = clock.now()
    form = periods.asked(request, now)
    if not form.is_valid():
        return render(request, "followups/loop/indicators.html", periods.context(form, PAGE), status=422)
    period = form.period
    rows = list(_rows(selector.of(period, now)))
    asked = {"first": period.first.isoformat(), "last": period.last.isoformat()}
    exports.record(actor=actor_of(request), what="indicators", rows=len(rows), asked=asked)
    head = [
        _("Figure"), _("Of"), _("Counted"), _("Out of"), _("Still in time"), _("Median, minutes"),
        _("90th percentile, minutes"), _("Usual hours"), _("Limit, hours"),
    ]  # fmt: skip
    return spreadsheets.download(f"indicators-{period.first}-{period.last}", head, rows)


def _rows(found: selector.Indicators) -> Iterator[list[Any]]:
    """One line per figure, in the order of the page."""
    for row in (found.acknowledged, *found.by_level):
        name = row.level or _("all results")
        yield ["acknowledged", name, *_share(row.share), row.waiting, *_times(row.times), "", _hours(row.limit)]
    yield ["overdue", _("all promises"), *_share(found.overdue)]
    for kind, share in found.overdue_by_kind:
        yield ["overdue", kind, *_share(share)]
    for name in ("lost", "rejected", "corrected", "unreached"):
        yield [name, "", *_share(getattr(found, name))]
    for test in found.turnaround:
        yield [
            "turnaround", test.code, *_share(test.in_outer), "", *_times(test.times),
            _hours(test.usual), _hours(test.outer),
        ]  # fmt: skip


def _share(share: Share) -> list[int]:
    return [share.part, share.whole]


def _times(times: Times) -> list[Any]:
    return [_minutes(times.median), _minutes(times.p90)]


def _minutes(length: timedelta | None) -> Any:
    return "" if length is None else round(length / timedelta(minutes=1))


def _hours(length: timedelta | None) -> Any:
    return "" if length is None else round(length / timedelta(hours=1))
