"""A series: all of them, one, a new one, and its next bookings."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from clinic import clock
from clinic.access import STAFF_ROLES, actor_of, record_read, roles_required
from clinic.errors import Conflict, DomainError, Invalid
from clinic.responses import see_other
from clinic.roles import CLINICAL, Role
from clinic.wording import add_to_form, translated
from procedures import access
from procedures.domain import series as rules
from procedures.domain.series import Timing, Wanted
from procedures.forms.series import USUAL_COUNT, WEEK, CountForm, SeriesForm
from procedures.models import Patient, Procedure, ProtocolVersion, Series
from procedures.models.procedures import new_code
from procedures.selectors import bookings as booking_selector
from procedures.selectors import patients as patient_selector
from procedures.selectors import series as selector
from procedures.selectors import slots as slot_selector
from procedures.services import series as service
from procedures.services.bookings import SomeRefused
from procedures.views import series_lines
from procedures.views.bookings import protocol_segments
from procedures.views.patients import bookers, page, staff
from procedures.views.series_lines import Choices, Lines

SOME_TAKEN = gettext_lazy("Some of these cannot be booked as they stand. Nothing was booked.")
#: Series on a page of the list.
LISTED = 25
#: In weeks, where nothing says otherwise.
USUAL_EVERY = 2


@require_safe
@staff
def series_list(request: HttpRequest) -> HttpResponse:
    """Every series that goes on: what must be booked first stands first."""
    shown = Paginator(selector.active(clock.now()), LISTED).get_page(request.GET.get("page"))
    lines = list(shown)
    record_read(request, page="series list", patient_ids=[line.series.patient_id for line in lines])
    context = {"page": shown, "lines": lines, "may_book": actor_of(request).has(*access.BOOK)}
    return render(request, "procedures/series/list.html", context)


@require_safe
@roles_required(*STAFF_ROLES)
def show(request: HttpRequest, code: str) -> HttpResponse:
    """Past and coming ones, distances and drift. Only who sees charts sees what the records say."""
    actor = actor_of(request)
    row = access.series_for(actor, code)
    chart = actor.has(*CLINICAL)
    record_read(request, page="series", patient_ids=[row.patient_id], subject=row)
    context = {
        **about(row),
        "whole": selector.whole(row, clock.now(), chart=chart),
        "chart": chart,
        "may_book": actor.has(*access.BOOK),
    }
    return render(request, "procedures/series/series.html", context)


@page
@bookers
@sensitive_post_parameters("note")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan a series: its rhythm, the dates that gives, and one button that books them all."""
    actor = actor_of(request)
    patient = access.patient_for(actor, pk, need=access.BOOK)
    if request.method != "POST":
        record_read(request, page="series_new", patient_ids=[patient.pk], subject=patient)
    first = _first_case(request, patient)
    versions = booking_selector.protocols()
    version = _version(request, versions, first)
    if version is None:
        return render(request, "procedures/bookings/no_protocol.html", {"patient": patient})
    planner = Planner(request, patient, version, first)
    if request.method == "POST" and (made := planner.post()) is not None:
        count = made.taps.count()
        words = ngettext("The series is booked: %(n)d procedure.", "The series is booked: %(n)d procedures.", count)
        messages.success(request, words % {"n": count})
        return see_other("procedures:series", made.code)
    segments = [] if first else protocol_segments(versions, version.protocol.code)
    running = selector.open_for(patient, version.protocol.code)
    context = {**planner.context(), "segments": segments, "running": running}
    return render(request, "procedures/series/new.html", context, status=planner.status)


@page
@bookers
def book(request: HttpRequest, code: str) -> HttpResponse:
    """The next ones of a series: proposed, changed where that is wanted, and booked together."""
    actor = actor_of(request)
    row = access.series_for(actor, code, need=access.BOOK)
    if request.method != "POST":
        record_read(request, page="series_book", patient_ids=[row.patient_id], subject=row)
    if not row.is_active:
        messages.info(request, _("This series has ended."))
        return see_other("procedures:series", row.code)
    extension = Extension(request, row)
    if request.method == "POST" and extension.post():
        messages.success(request, _("Booked."))
        return see_other("procedures:series", row.code)
    return render(
        request, "procedures/series/book.html", {**about(row), **extension.context()}, status=extension.status
    )


def about(row: Series) -> dict[str, Any]:
    """The series in the protocol's words."""
    version = selector.newest(row)
    protocol = version.parsed
    known = {i.code: i.label for i in protocol.indications}
    return {
        "series": row,
        "patient": row.patient,
        "protocol": protocol,
        "indication": known.get(row.indication, row.indication),
        "location": next((c.label for c in protocol.locations if c.code == row.location), row.location),
    }


def _first_case(request: HttpRequest, patient: Patient) -> Procedure | None:
    """The case that the series is begun from."""
    code = request.POST.get("from_case") or request.GET.get("case")
    if not code:
        return None
    case = access.procedure_for(actor_of(request), code, chart=False)
    return case if case.patient_id == patient.pk and case.series_id is None else None


def _version(request: HttpRequest, versions: list[ProtocolVersion], first: Procedure | None) -> ProtocolVersion | None:
    asked = request.POST.get("protocol") or request.GET.get("protocol")
    if first is not None:
        asked = first.protocol_version.protocol.code
    return next((v for v in versions if v.protocol.code == asked), versions[0] if versions else None)


class Page:
    """What the pages that book several have in common: lines, a status, and what went wrong."""

    request: HttpRequest
    lines: Lines | None = None
    status = 200
    problem = ""

    def send(self, do: Any) -> Series | None:
        """Run the service; what it refuses stands on its line, the others stay chosen."""
        assert self.lines is not None
        try:
            done: Series = do()
        except SomeRefused as refused:
            self.lines.refuse(refused.refused)
            self.problem, self.status = str(SOME_TAKEN), 409
        except Conflict as conflict:
            self.problem, self.status = translated(conflict), 409
        except Invalid as error:
            self.invalid(error)
        else:
            return done
        return None

    def invalid(self, error: DomainError) -> None:
        self.problem, self.status = translated(error), 422

    def ready(self) -> bool:
        """Whether the lines may be sent: right, and no distance beyond the tolerance without a warning."""
        assert self.lines is not None
        if not self.lines.is_valid or not self.lines.picked:
            self.problem = "" if self.lines.picked else _("Choose at least one.")
            self.status = 422
        elif self.lines.must_warn:
            self.problem = _("Check the distances that are marked, then send it again if they are meant.")
            self.status = 422
        return self.status == 200


class Planner(Page):
    """The page of a new series: the plan at the left, its dates at the right."""

    def __init__(
        self, request: HttpRequest, patient: Patient, version: ProtocolVersion, first: Procedure | None
    ) -> None:
        self.request, self.patient, self.version, self.first = request, patient, version, first
        self.now = clock.now()
        self.protocol = version.parsed
        self.timing = Timing.of(self.protocol)
        if request.method == "POST":
            self.form = SeriesForm(request.POST, protocol=self.protocol)
        else:
            self.form = SeriesForm(protocol=self.protocol, initial=self._initial())
            self._propose(self._wish(dict(self.form.initial)))

    def post(self) -> Series | None:
        """The series, or None with the reason on the page. ``refresh``: propose dates for the plan as it is now."""
        if not self.form.is_valid():
            self.status = 422
            self._keep_lines()
            return None
        wish = self._wish(self.form.cleaned_data)
        if "refresh" in self.request.POST or self.form.was_changed:
            if "refresh" not in self.request.POST:
                self.problem, self.status = _("The plan was changed: check the new dates, and send it again."), 422
            self._propose(wish)
            return None
        self._keep_lines()
        if self.lines is None:
            self._propose(wish)
            return None
        if not self.ready():
            return None
        taps = self.lines.taps()
        return self.send(
            lambda: service.start(
                actor=actor_of(self.request),
                patient=self.patient,
                plan=self._plan(),
                taps=taps,
                code=self.form.cleaned_data["code"],
                first=self.first,
            )
        )

    def invalid(self, error: DomainError) -> None:
        add_to_form(self.form, error)
        self.status = 422

    def context(self) -> dict[str, Any]:
        if self.lines is not None:
            self.form.data = {**_flat(self.form.data), "shown": self.form.signature()} if self.form.is_bound else {}
            self.form.initial["shown"] = self.form.signature()
        return {
            "form": self.form,
            "lines": self.lines,
            "patient": self.patient,
            "protocol": self.protocol,
            "first": self.first,
            "problem": self.problem,
            "timing": self.timing,
            "warnings": patient_selector.warnings(self.patient),
        }

    def _initial(self) -> dict[str, Any]:
        """Two weeks after the case it begins with, or the next free start."""
        case, zone = self.first, timezone.get_default_timezone()
        indication = case.indication if case else self.protocol.indications[0].code
        location = case.location if case else self.protocol.locations[0].code
        actor = actor_of(self.request)
        mine = actor.user_id if actor.has(Role.PHYSICIAN) else None
        if case is not None and case.needle_at is not None:
            local = timezone.localtime(case.needle_at, zone)
            earliest = timezone.localdate(self.now) + timedelta(days=1)
            first, at = max(local.date() + timedelta(days=USUAL_EVERY * WEEK), earliest), local.time()
        else:
            first, at = self._next_free(indication, location)
        return {
            "protocol": self.protocol.code,
            "code": new_code(),
            "indication": indication,
            "variant": case.variant if case else "",
            "responsible": case.responsible_id if case else mine,
            "location": location,
            "every": USUAL_EVERY,
            "unit": WEEK,
            "count": USUAL_COUNT,
            "first": first,
            "at": at.replace(second=0, microsecond=0),
            "by": case.operator_id if case else None,
            "in_room": None,
        }

    def _next_free(self, indication: str, location: str) -> tuple[date, time]:
        variant = self.protocol.indication(indication).variant
        case = Procedure(patient=self.patient, protocol_version=self.version, variant=variant, location=location)
        tomorrow = self.now + timedelta(days=1)
        free = slot_selector.next_free(procedure=case, after=tomorrow, now=self.now, count=1)
        local = timezone.localtime(free[0].start if free else tomorrow, timezone.get_default_timezone())
        return local.date(), local.time()

    def _wish(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values that decide the dates, from a form or from its beginning."""
        by = values.get("by")
        if isinstance(by, int):
            by = self.first.operator if self.first else None
        return {**values, "by": by, "interval": values["every"] * values["unit"]}

    def _propose(self, wish: dict[str, Any]) -> None:
        days = rules.ideal_days(wish["first"], wish["interval"], wish["count"])
        room = wish["in_room"]
        wanted = [Wanted(day=day, at=wish["at"], room=room.pk if room else None) for day in days]
        after = selector.local_day(self.first.needle_at) if self.first and self.first.needle_at else None
        proposals = selector.proposals(
            patient=self.patient,
            version=self.version,
            variant=wish["variant"] or self.protocol.indication(wish["indication"]).variant,
            location=wish["location"],
            wanted=wanted,
            interval_days=wish["interval"],
            now=self.now,
            after=after,
            rooms=[room] if room else None,
            operators=wish["by"],
        )
        choices = Choices.of(wish["location"])
        found = series_lines.proposed(proposals, choices, [wish["by"]] * len(proposals))
        self.lines = self._lines(found, wish["interval"])

    def _keep_lines(self) -> None:
        """What was sent, as it was sent."""
        location = self.form["location"].value() or ""
        found = series_lines.typed(self.request, Choices.of(str(location)))
        if found:
            interval = self.form.interval() or 0
            self.lines = self._lines(found, interval, self.request.POST.get("warned", ""))
            self.lines.without(_rows(self.request))

    def _lines(self, found: list[series_lines.Line], interval: int, warned: str = "") -> Lines:
        after = selector.local_day(self.first.needle_at) if self.first and self.first.needle_at else None
        return Lines(found, interval, self.timing.tolerance_days, after=after, warned=warned)

    def _plan(self) -> service.Plan:
        data = self.form.cleaned_data
        interval = self.form.interval() or 0
        return service.Plan(
            protocol=self.protocol.code,
            interval_days=interval,
            weekday=data["first"].weekday() if interval % WEEK == 0 else None,
            operator=data["by"],
            room=data["in_room"],
            **{
                name: data[name]
                for name in ("indication", "responsible", "variant", "location", "at", "total", "until", "note")
            },
        )


class Extension(Page):
    """The page that books the next ones of a series."""

    def __init__(self, request: HttpRequest, row: Series) -> None:
        self.request, self.row, self.now = request, row, clock.now()
        self.whole = selector.whole(row, self.now, chart=False)
        self.choices = Choices.of(row.location)
        left = self.whole.course.remaining
        self.count = min(USUAL_COUNT, left) if left is not None else USUAL_COUNT
        self.form = CountForm(request.POST or None, initial={"count": self.count})
        if request.method != "POST":
            self._propose(self.count)

    def post(self) -> Series | None:
        valid = self.form.is_valid()
        if "refresh" in self.request.POST:
            self._propose(self.form.cleaned_data["count"] if valid else self.count)
            self.status = 200 if valid else 422
            return None
        found = series_lines.typed(self.request, self.choices)
        self.lines = self._lines(found, self.request.POST.get("warned", ""))
        self.lines.without(_rows(self.request))
        if not self.ready():
            return None
        taps, seen = self.lines.taps(), as_number(self.request.POST.get("seen"))
        return self.send(lambda: service.extend(actor=actor_of(self.request), series=self.row, taps=taps, seen=seen))

    def context(self) -> dict[str, Any]:
        return {"form": self.form, "lines": self.lines, "problem": self.problem, "whole": self.whole}

    def _propose(self, count: int) -> None:
        row = self.row
        wanted = selector.next_wanted(self.whole, count, self.now)
        proposals = selector.proposals(
            patient=row.patient,
            version=self.whole.version,
            variant=row.variant,
            location=row.location,
            wanted=wanted,
            interval_days=row.interval_days,
            now=self.now,
            after=self._after(),
            operators=row.operator,
        )
        self.lines = self._lines(series_lines.proposed(proposals, self.choices, [row.operator] * len(proposals)))

    def _after(self) -> date | None:
        standing = self.whole.course.standing
        return selector.local_day(standing[-1].at) if standing and standing[-1].at else None

    def _lines(self, found: list[series_lines.Line], warned: str = "") -> Lines:
        return Lines(
            found, self.row.interval_days, self.whole.timing.tolerance_days, after=self._after(), warned=warned
        )


def as_number(text: str | None) -> int:
    """A version that a page has shown; what is none never fits."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else -1


def _rows(request: HttpRequest) -> set[str]:
    """The rows that are left out because the rest was confirmed."""
    return set(request.POST["rest"].split(",")) if request.POST.get("rest") else set()


def _flat(data: Any) -> dict[str, Any]:
    return {name: data.get(name) for name in data}
