"""Orders and tubes: the tests page, collecting, handing over, receiving, rejected or lost, labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import clock
from clinic.access import actor_of, record_read
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from procedures import access
from procedures.domain.states import TestStatus
from procedures.forms.labs import (
    AddTestForm,
    CollectForm,
    HandOverForm,
    LossForm,
    ReasonForm,
    ReceiveForm,
    RecollectForm,
)
from procedures.models import LabTest, Procedure, Specimen
from procedures.models.labs import SpecimenLoss
from procedures.selectors import banner
from procedures.selectors import labels as label_selector
from procedures.selectors import labs as selectors
from procedures.services import labs

METHODS = ["GET", "HEAD", "POST"]


@require_safe
def tests(request: HttpRequest, code: str) -> HttpResponse:
    """What is ordered, where each test and each tube is, and what comes next."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code)
    may_change = actor.has(*access.LABORATORY)
    form = _add_form(procedure, None) if may_change else None
    return _page(request, actor, procedure, "tests.html", {"may_change": may_change, "add_form": form})


def _come(rows: Sequence[selectors.TestRow]) -> tuple[int, int]:
    """How many of the tests that are not cancelled have a result, and how many there are."""
    standing = [row for row in rows if row.state != "cancelled"]
    return sum(row.current is not None for row in standing), len(standing)


@require_POST
def test_add(request: HttpRequest, code: str) -> HttpResponse:
    """Order one more test, or a panel, with the partner tests it needs."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=access.LABORATORY)
    form = _add_form(procedure, request.POST)
    if not form.is_valid():
        return _page(request, actor, procedure, "tests.html", {"may_change": True, "add_form": form}, status=422)
    kind, _sep, name = form.cleaned_data["what"].partition(":")
    if kind == "panel":
        created = labs.order_panel(procedure=procedure, panel=name, actor=actor)
    else:
        created = labs.add_test(procedure=procedure, code=name, actor=actor)
    named = ", ".join(test.label for test in created)
    words = _("Ordered: %(tests)s.") % {"tests": named} if named else _("Everything of it is ordered already.")
    messages.success(request, words)
    return see_other("procedures:tests", code)


@require_http_methods(METHODS)
def test_cancel(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """No result is awaited any more; the reason stays."""
    actor = actor_of(request)
    test = access.test_for(actor, code, pk, need=access.LABORATORY)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if _done(form, lambda: labs.cancel_test(test=test, reason=form.cleaned_data["reason"], actor=actor)):
        messages.success(request, _("Cancelled: %(test)s.") % {"test": test.label})
        return see_other("procedures:tests", code)
    return _page(request, actor, test.procedure, "cancel.html", {"form": form, "test": test}, status=_status(form))


@require_http_methods(METHODS)
def test_recollect(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """The recorded decision about a rejected or lost test: collect again, give it up, or take the risk."""
    actor = actor_of(request)
    test = access.test_for(actor, code, pk, need=access.LABORATORY)
    rejected = test.status == TestStatus.REJECTED
    form = RecollectForm(request.POST if request.method == "POST" else None, rejected=rejected)
    if _done(form, lambda: _decide(test, form.cleaned_data, actor)):
        messages.success(request, _("The decision about %(test)s is recorded.") % {"test": test.label})
        again = form.cleaned_data["decision"] == "recollect"
        return see_other("procedures:specimens" if again else "procedures:tests", code)
    return _page(request, actor, test.procedure, "recollect.html", {"form": form, "test": test}, status=_status(form))


def _decide(test: LabTest, data: dict[str, Any], actor: Actor) -> None:
    if data["decision"] == "cancel":
        labs.cancel_test(test=test, reason=data["reason"], actor=actor)
    elif data["decision"] == "accept":
        labs.accept_flaw(test=test, note=data["reason"], actor=actor)
    else:
        labs.decide_recollection(test=test, note=data["reason"], actor=actor)


# --- tubes ----------------------------------------------------------------------------------


@require_http_methods(METHODS)
def specimens(request: HttpRequest, code: str) -> HttpResponse:
    """Record the tubes that were taken."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=access.LABORATORY)
    form = _collect_form(request, procedure)
    if request.method == "POST" and form.is_valid():
        taken = form.taken()
        try:
            tubes = [tube for _index, tube in taken]
            made = labs.collect(procedure=procedure, tubes=tubes, collected_at=form.collected(), actor=actor)
        except labs.AccessionTaken as error:
            form.add_taken_accession(error, taken)
        except Invalid as error:
            add_to_form(form, error)
        else:
            _say_collected(request, procedure, made)
            return see_other("procedures:tests", code)
    status = 422 if request.method == "POST" else 200
    return _page(request, actor, procedure, "collect.html", {"form": form}, status=status)


@require_http_methods(METHODS)
def specimen_hand_over(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Tubes given to a courier; the others that wait can go with it."""
    actor = actor_of(request)
    specimen = access.specimen_for(actor, code, pk, need=access.LABORATORY)
    rows = _specimens(specimen.procedure, lambda row: row.state == "collected")
    form = HandOverForm(request.POST if request.method == "POST" else None, rows=rows, initial=_all_now(rows))
    if not rows and not form.is_bound:
        return see_other("procedures:tests", code)
    if _done(form, lambda: labs.hand_over(procedure=specimen.procedure, actor=actor, **form.cleaned_data)):
        messages.success(request, _("Handed over: %(n)s.") % {"n": len(form.cleaned_data["specimens"])})
        return see_other("procedures:tests", code)
    return _page(request, actor, specimen.procedure, "hand_over.html", {"form": form}, status=_status(form))


@require_http_methods(METHODS)
def specimen_receive(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """The laboratory said on the phone that it has the tubes, and how many."""
    actor = actor_of(request)
    specimen = access.specimen_for(actor, code, pk, need=access.LABORATORY)
    rows = _specimens(specimen.procedure, lambda row: row.specimen.received_at is None and row.state != "rejected")
    initial = _all_now([row for row in rows if row.state != "lost" or row.specimen.pk == pk])
    form = ReceiveForm(request.POST if request.method == "POST" else None, rows=rows, initial=initial)
    if not rows and not form.is_bound:
        return see_other("procedures:tests", code)
    if _done(form, lambda: labs.receive(procedure=specimen.procedure, actor=actor, **form.cleaned_data)):
        _say_received(request, specimen.procedure)
        return see_other("procedures:tests", code)
    return _page(request, actor, specimen.procedure, "receive.html", {"form": form}, status=_status(form))


@require_http_methods(METHODS)
def specimen_loss(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Rejected by the laboratory, or lost: its tests then need a decision."""
    actor = actor_of(request)
    specimen = access.specimen_for(actor, code, pk, need=access.LABORATORY)
    form = LossForm(request.POST if request.method == "POST" else None)

    def report() -> None:
        data = form.cleaned_data
        loss = SpecimenLoss(data["loss"])
        labs.report_loss(specimen=specimen, loss=loss, code=data["code"], reason=data["reason"], actor=actor)

    if _done(form, report):
        messages.warning(
            request, _("Recorded. Decide now for each of its tests: collect again, cancel, or take the risk.")
        )
        return see_other("procedures:tests", code)
    row = next(r for r in _specimens(specimen.procedure, lambda r: True) if r.specimen.pk == pk)
    return _page(request, actor, specimen.procedure, "loss.html", {"form": form, "row": row}, status=_status(form))


@require_safe
def labels(request: HttpRequest, code: str) -> HttpResponse:
    """A sheet of labels to print: the tubes there are, and those that the ordered tests still need."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code)
    now = clock.now()
    rows = selectors.tests_of(procedure, now)
    tubes = selectors.specimens_of(procedure, rows, now)
    paper = "letter" if request.GET.get("paper") == "letter" else "a4"
    context = {
        "labels": label_selector.of(procedure, tubes, selectors.suggested_tubes(procedure, rows, now)),
        "paper": paper,
        "papers": [
            {"url": f"?paper={code}", "label": name, "active": code == paper, "count": None}
            for code, name in (("a4", _("A4 paper")), ("letter", _("Letter paper")))
        ],
    }
    return _page(request, actor, procedure, "labels.html", context)


# --- small words ----------------------------------------------------------------------------


def _done(form: BaseForm, work: Callable[[], object]) -> bool:
    """Whether the form was sent, made sense and its work was done; what was refused stands in the form."""
    if not form.is_bound or not form.is_valid():
        return False
    try:
        work()
    except Invalid as error:
        add_to_form(form, error)
        return False
    return True


def _status(form: BaseForm) -> int:
    return 422 if form.errors else 200


def _page(
    request: HttpRequest,
    actor: Actor,
    procedure: Procedure,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    record_read(request, page="tests", patient_ids=[procedure.patient_id], subject=procedure)
    now = clock.now()
    rows = selectors.tests_of(procedure, now)
    tubes = selectors.specimens_of(procedure, rows, now)
    frame = {
        "procedure": procedure,
        "protocol": procedure.protocol_version.parsed,
        "banner": banner.of_procedure(procedure),
        "rows": rows,
        "come": _come(rows),
        "tube_rows": tubes,
        "tally": selectors.reconciliation(tubes),
        "to_collect": selectors.to_collect(rows),
        "later_panels": selectors.later_panels(procedure, rows),
    }
    return render(request, f"procedures/labs/{template}", {**frame, **context}, status=status)


def _specimens(procedure: Procedure, wanted: Callable[[selectors.SpecimenRow], bool]) -> list[selectors.SpecimenRow]:
    now = clock.now()
    return [row for row in selectors.specimens_of(procedure, selectors.tests_of(procedure, now), now) if wanted(row)]


def _all_now(rows: Sequence[selectors.SpecimenRow]) -> dict[str, Any]:
    return {"specimens": [row.specimen.pk for row in rows], "at": timezone.localtime(clock.now())}


def _add_form(procedure: Procedure, data: Any) -> AddTestForm:
    ordered = set(procedure.tests.exclude(status="cancelled").values_list("code", flat=True))
    return AddTestForm(data, protocol=procedure.protocol_version.parsed, ordered=ordered)


def _collect_form(request: HttpRequest, procedure: Procedure) -> CollectForm:
    rows = selectors.tests_of(procedure, clock.now())
    if not selectors.to_collect(rows) and request.method != "POST" and procedure.tests.exists():
        words = _("No ordered test waits for a tube. A tube without a test can be recorded all the same.")
        messages.info(request, words)
    return CollectForm(
        request.POST if request.method == "POST" else None,
        protocol=procedure.protocol_version.parsed,
        tests=selectors.to_collect(rows),
        suggested=selectors.suggested_tubes(procedure, rows, clock.now()),
        later=selectors.not_yet(procedure, clock.now()),
        initial={"collected_at": timezone.localtime(clock.now())},
    )


def _say_received(request: HttpRequest, procedure: Procedure) -> None:
    """How many there are now, and what is still on the way."""
    tally = selectors.reconciliation(_specimens(procedure, lambda row: True))
    words = _("The laboratory has %(received)s of %(collected)s tubes.")
    messages.success(request, words % {"received": tally.received, "collected": tally.collected})
    if tally.open:
        words = _("%(open)s are still on the way, and are asked for until they arrive or are reported as lost.")
        messages.warning(request, words % {"open": tally.open})


def _say_collected(request: HttpRequest, procedure: Procedure, made: Sequence[Specimen]) -> None:
    """What was recorded, and what a laboratory may refuse."""
    messages.success(request, _("Recorded: %(n)s tubes. Their clocks run.") % {"n": len(made)})
    containers = {c.code: c for c in procedure.protocol_version.parsed.containers}
    for specimen in made:
        container = containers[specimen.container]
        if container.minimum_ml and specimen.volume_ml is not None and specimen.volume_ml < container.minimum_ml:
            words = {"tube": container.label, "ml": f"{container.minimum_ml:g}"}
            messages.warning(request, _("%(tube)s: less than the %(ml)s mL the laboratory asks for.") % words)
        if not specimen.label_checked:
            messages.warning(request, _("%(tube)s: nobody has confirmed its label.") % {"tube": container.label})
