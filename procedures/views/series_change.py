"""Changing a series: this one, this and those that follow, or all; ending it; a distance that is right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters

from clinic import clock
from clinic.access import actor_of, need, record_read
from clinic.errors import Conflict, Invalid
from clinic.models import User
from clinic.responses import see_other
from clinic.wording import add_to_form, translated
from procedures import access
from procedures.domain import series as rules
from procedures.domain.series import Wanted
from procedures.domain.slots import DAY
from procedures.forms.series import WEEK, ChangeForm, EndForm, GapForm, SeenForm
from procedures.models import Procedure, Series
from procedures.selectors import bookings as booking_selector
from procedures.selectors import series as selector
from procedures.selectors.series import Row
from procedures.services import series as service
from procedures.views import series_lines
from procedures.views.patients import bookers, page
from procedures.views.series import Page, about, as_number
from procedures.views.series_lines import Choices, Lines


@page
@bookers
@sensitive_post_parameters("reason")
def change(request: HttpRequest, code: str) -> HttpResponse:
    """What would change, from what to what, before anything is done; then one button."""
    row = _series(request, code, "series_change")
    editor = Change(request, row)
    if request.method == "POST" and (count := editor.post()):
        words = ngettext("%(n)d booking was changed.", "%(n)d bookings were changed.", count)
        if editor.form.cleaned_data["kind"] == "cancel":
            words = ngettext("%(n)d booking was cancelled.", "%(n)d bookings were cancelled.", count)
        messages.success(request, words % {"n": count})
        return see_other("procedures:series", row.code)
    return render(request, "procedures/series/change.html", {**about(row), **editor.context()}, status=editor.status)


@page
@bookers
@sensitive_post_parameters("reason")
def end(request: HttpRequest, code: str) -> HttpResponse:
    """No further one is wanted: why, and what becomes of those that are booked."""
    row = _series(request, code, "series_end")
    if not row.is_active:
        messages.info(request, _("This is done already."))
        return see_other("procedures:series", row.code)
    form = EndForm(request.POST or None, initial={"seen": row.facts_version})
    whole = selector.whole(row, clock.now(), chart=False)
    return _step(
        request,
        row,
        form,
        lambda data: service.end(
            actor=actor_of(request),
            series=row,
            reason=data["reason"],
            cancel_booked=data["booked"] == "cancel",
            seen=data["seen"],
        ),
        done=_("The series has ended."),
        template="end",
        whole=whole,
    )


@page
@bookers
def resume(request: HttpRequest, code: str) -> HttpResponse:
    """It goes on after all."""
    row = _series(request, code, "series_resume")
    if row.is_active:
        messages.info(request, _("This is done already."))
        return see_other("procedures:series", row.code)
    form = SeenForm(request.POST or None, initial={"seen": row.facts_version})
    return _step(
        request,
        row,
        form,
        lambda data: service.resume(actor=actor_of(request), series=row, seen=data["seen"]),
        done=_("The series goes on. What is missing is promised again."),
        template="resume",
    )


@page
@bookers
@sensitive_post_parameters("reason")
def accept_gap(request: HttpRequest, code: str, case: str) -> HttpResponse:
    """A distance that drifts from the interval, and is right."""
    row = _series(request, code, "series_gap")
    whole = selector.whole(row, clock.now(), chart=False)
    line = need(next((r for r in whole.rows if r.case.code == case), None))
    form = GapForm(request.POST or None, initial={"seen": row.facts_version})
    return _step(
        request,
        row,
        form,
        lambda data: service.accept_gap(actor=actor_of(request), series=row, case=line.case, **data),
        done=_("Recorded: this distance is right."),
        template="gap",
        line=line,
    )


def _series(request: HttpRequest, code: str, name: str) -> Series:
    row = access.series_for(actor_of(request), code, need=access.BOOK)
    if request.method != "POST":
        record_read(request, page=name, patient_ids=[row.patient_id], subject=row)
    return row


def _step(
    request: HttpRequest, row: Series, form: Any, do: Any, *, done: str, template: str, **context: Any
) -> HttpResponse:
    """One question, one button."""
    problem, status = "", 200
    if form.is_valid():
        try:
            do(form.cleaned_data)
        except Conflict as conflict:
            problem, status = translated(conflict), 409
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, done)
            return see_other("procedures:series", row.code)
    if form.errors:
        status = 422
    context = {**about(row), "form": form, "problem": problem, **context}
    return render(request, f"procedures/series/{template}.html", context, status=status)


class Change(Page):
    """The page that changes several bookings of a series."""

    def __init__(self, request: HttpRequest, row: Series) -> None:
        self.request, self.row, self.now = request, row, clock.now()
        self.whole = selector.whole(row, self.now, chart=False)
        self.cases = {r.case.code: r.case for r in self.whole.changeable}
        self.of = self.cases.get(request.POST.get("of") or request.GET.get("of") or "")
        self.choices = Choices.of(row.location)
        self.cancelled: list[Row] = []
        sample = Procedure(location=row.location)
        usual: dict[str, Any] = {
            "scope": request.GET.get("scope") or ("following" if self.of else "all"),
            "kind": "move",
        }
        if row.interval_days % WEEK == 0:
            usual |= {"every": row.interval_days // WEEK, "unit": WEEK}
        else:
            usual |= {"every": row.interval_days, "unit": 1}
        self.form = ChangeForm(
            request.POST if request.method == "POST" else None,
            rooms=booking_selector.rooms(sample),
            only_all=self.of is None,
            initial=usual,
        )

    def post(self) -> int:
        """How many were changed; 0 with a preview, or with the reason, on the page."""
        if not self.form.is_valid():
            self.status = 422
            return 0
        data = self.form.cleaned_data
        rows = selector.scope(self.whole.rows, self.of, data["scope"])
        if not rows:
            self.problem, self.status = _("Nothing here can be changed any more."), 409
            return 0
        fresh = "refresh" in self.request.POST
        if fresh or self.form.was_changed:
            if not fresh:
                self.problem, self.status = _("The change was changed: check what it does now, and send it again."), 422
            self._preview(rows)
            return 0
        return self._cancel(rows) if data["kind"] == "cancel" else self._move(rows)

    def context(self) -> dict[str, Any]:
        previewed = self.lines is not None or bool(self.cancelled)
        if previewed and self.form.is_bound:
            plain = {name: self.form.data.get(name) for name in self.form.data}
            self.form.data = {**plain, "shown": self.form.signature()}
        return {
            "form": self.form,
            "whole": self.whole,
            "of": self.of,
            "lines": self.lines,
            "cancelled": self.cancelled,
            "problem": self.problem,
            "kind": self.form["kind"].value(),
        }

    def _cancel(self, rows: Sequence[Row]) -> int:
        self.cancelled = list(rows)
        picked = set(self.request.POST.getlist("pick"))
        chosen = [r.case for r in rows if r.case.code in picked]
        reason = self.form.cleaned_data["reason"]
        if not reason.strip():
            self.form.add_error("reason", _("Say why."))
            self.status = 422
            return 0
        done = self._send(
            lambda: service.cancel(
                actor=actor_of(self.request),
                series=self.row,
                cases=[case.pk for case in chosen],
                reason=reason,
                seen=as_number(self.request.POST.get("seen")),
            )
        )
        return len(chosen) if done else 0

    def _move(self, rows: Sequence[Row]) -> int:
        found = series_lines.typed(self.request, self.choices, self.cases)
        self.lines = self._lines(found, rows, self.request.POST.get("warned", ""))
        self.lines.without(set((self.request.POST.get("rest") or "").split(",")))
        if not self.ready():
            return 0
        data, taps = self.form.cleaned_data, self.lines.taps(self.cases)
        kind = data["kind"]
        done = self._send(
            lambda: service.change(
                actor=actor_of(self.request),
                series=self.row,
                taps=taps,
                seen=as_number(self.request.POST.get("seen")),
                interval_days=self.form.interval() if kind == "interval" else None,
                at=data["at"] if kind == "move" else None,
                weekday=data["weekday"] if kind == "move" else None,
                room=data["to_room"] if kind == "where" else None,
                operator=data["to_operator"] if kind == "where" else None,
                lasting=data["scope"] != "this",
            )
        )
        return len(taps) if done else 0

    def _send(self, do: Any) -> bool:
        if self.lines is None:  # a cancellation has no lines
            self.lines = Lines([], 0, 0)
            done = self.send(do) is not None
            self.lines = None
            return done
        return self.send(do) is not None

    def _preview(self, rows: Sequence[Row]) -> None:
        data = self.form.cleaned_data
        if data["kind"] == "cancel":
            self.cancelled = list(rows)
            return
        rows = [row for row in rows if row.tap.at is not None]
        if not rows:
            self.problem, self.status = _("None of them has a slot that could be moved."), 422
            return
        wanted = self._wanted(rows)
        operators = [data["to_operator"] if data["kind"] == "where" else None] * len(rows)
        named: list[User | None] = [op or row.case.operator for op, row in zip(operators, rows, strict=True)]
        proposals = selector.proposals(
            patient=self.row.patient,
            version=self.whole.version,
            variant=self.row.variant,
            location=self.row.location,
            wanted=wanted,
            interval_days=self._interval(),
            now=self.now,
            after=None if data["scope"] == "this" else selector.day_before(self.whole, rows),
            rooms=[data["to_room"]] if data["kind"] == "where" and data["to_room"] else None,
            operators=dict(enumerate(named)),
            moving=[row.case.pk for row in rows],
        )
        found = series_lines.proposed(proposals, self.choices, named, [row.case for row in rows])
        self.lines = self._lines(found, rows)

    def _wanted(self, rows: Sequence[Row]) -> list[Wanted]:
        data, zone = self.form.cleaned_data, timezone.get_default_timezone()
        local = [timezone.localtime(row.tap.at, zone) for row in rows if row.tap.at]
        days, times = [m.date() for m in local], [m.time() for m in local]
        if data["kind"] == "move":
            days = rules.moved(days, shift=data["shift"] or 0, weekday=data["weekday"])
            times = [data["at"] or at for at in times]
        if data["kind"] == "interval":
            days = self._at_interval(rows, days)
        return [selector.wanted_for(row, day, at) for row, day, at in zip(rows, days, times, strict=True)]

    def _at_interval(self, rows: Sequence[Row], days: list[date]) -> list[date]:
        """From the tap before on; without one the first stays where it is."""
        interval = self._interval()
        before = selector.day_before(self.whole, rows)
        first = before + interval * DAY if before else days[0]
        return rules.ideal_days(first, interval, len(days))

    def _interval(self) -> int:
        new = self.form.interval() if self.form.cleaned_data["kind"] == "interval" else None
        return new or self.row.interval_days

    def _lines(self, found: list[series_lines.Line], rows: Sequence[Row], warned: str = "") -> Lines:
        after = selector.day_before(self.whole, rows)
        following = selector.day_after(self.whole, rows)
        tolerance = self.whole.timing.tolerance_days
        return Lines(found, self._interval(), tolerance, after=after, warned=warned, following=following)
