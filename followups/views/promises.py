"""Take a promise, hand it over, put it off, note something: each a page, then back to the list or the case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import clock
from clinic.access import actor_of, record_read
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.roles import CLINICAL
from clinic.wording import add_to_form
from followups import ladder_words, wording
from followups.access import promise_for
from followups.domain import labels
from followups.forms.promises import HandOverForm, NoteForm, SeenForm, SnoozeForm
from followups.models import FollowUp
from followups.services import ladders, promises

#: Lists that a promise is opened from and that one returns to.
LISTS = frozenset({"inbox", "chase", "loop", "criticals"})

methods = require_http_methods(["GET", "HEAD", "POST"])


@methods
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """I answer for this from here on."""
    follow_up = promise_for(actor_of(request), pk)
    form = SeenForm(_typed(request), follow_up=follow_up)
    return _do(
        request,
        form,
        "take",
        lambda: promises.take(actor=actor_of(request), follow_up=form.as_seen()),
        _("You have taken this task: %(task)s."),
    )


@methods
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody else answers for this from here on."""
    follow_up = promise_for(actor_of(request), pk)
    form = HandOverForm(_typed(request), follow_up=follow_up)

    def run() -> None:
        to, text = form.cleaned_data["to"], form.cleaned_data["text"]
        promises.hand_over(actor=actor_of(request), follow_up=form.as_seen(), to=to, text=text)

    return _do(request, form, "hand_over", run, _("Handed over: %(task)s."))


@methods
def snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """No reminder for a while."""
    follow_up = promise_for(actor_of(request), pk)
    form = SnoozeForm(_typed(request), follow_up=follow_up, now=clock.now())

    def run() -> None:
        until, reason = form.cleaned_data["until"], form.cleaned_data["reason"]
        promises.snooze(actor=actor_of(request), follow_up=form.as_seen(), until=until, reason=reason)

    return _do(request, form, "snooze", run, _("No reminders for now: %(task)s. It stays on the lists."))


@methods
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something about it."""
    follow_up = promise_for(actor_of(request), pk)
    form = NoteForm(_typed(request), follow_up=follow_up)

    def run() -> None:
        promises.note(actor=actor_of(request), follow_up=form.as_seen(), text=form.cleaned_data["text"])

    return _do(request, form, "note", run, _("Noted: %(task)s."))


def _typed(request: HttpRequest) -> QueryDict | None:
    """What was sent, also when it is nothing: a button on another page sends no fields."""
    return request.POST if request.method == "POST" else None


def _do(request: HttpRequest, form: SeenForm, name: str, run: Callable[[], None], said: str) -> HttpResponse:
    """Show the form; when it is sent, act and go back. A Conflict becomes the 409 page by itself."""
    follow_up = form.follow_up
    if request.method == "POST" and form.is_valid():
        try:
            run()
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, said % {"task": ladder_words.kind(follow_up.kind)})
            return see_other(_back(request, follow_up))
    return render(
        request, f"followups/promises/{name}.html", _context(request, form), status=422 if form.errors else 200
    )


def _context(request: HttpRequest, form: SeenForm) -> dict[str, Any]:
    follow_up, now, actor = form.follow_up, clock.now(), actor_of(request)
    patient = follow_up.procedure.patient if follow_up.procedure else None
    record_read(request, page="promise", patient_ids=[patient.pk] if patient else [], subject=follow_up)
    # what was written may name answers and results: a scheduler sees who did what, not the words
    notes = follow_up.notes.select_related("by") if actor.has(*CLINICAL) else []
    return {
        "form": form,
        "promise": follow_up,
        "task": _task(follow_up),
        "patient": patient,
        "role": ladder_words.ROLES[follow_up.role],  # type: ignore[index]  # a StrEnum's value finds its key
        "state": labels.urgency(level=follow_up.level, start_at=follow_up.start_at, due_at=follow_up.due_at, now=now),
        "next_step": ladders.next_step(follow_up, now),
        "notes": notes,
        "mine": follow_up.taken_by_id == actor.user_id,
        "latest": promises.latest_snooze(follow_up, now),
        "back": _back(request, follow_up),
    }


def _task(follow_up: FollowUp) -> str:
    """What is to be done, as the case page says it."""
    procedure = follow_up.procedure
    return wording.title(follow_up, procedure.protocol_version.parsed if procedure else None)


def _back(request: HttpRequest, follow_up: FollowUp) -> str:
    """The list it was opened from, at its row; else its case."""
    if request.GET.get("back") in LISTS:
        kept = {name: request.GET[name] for name in ("of", "show", "page") if request.GET.get(name)}
        query = f"?{urlencode(kept)}" if kept else ""
        return reverse(f"followups:{request.GET['back']}") + f"{query}#promise-{follow_up.pk}"
    return resolve_url(follow_up.procedure if follow_up.procedure is not None else "home")
