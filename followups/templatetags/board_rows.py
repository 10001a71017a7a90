"""Lines of the boards and of the checklist queue: ``{% slot entry %}``, ``{% week_case entry %}``, ``{% waits row %}``,
``{% queued row %}``. Put together by one call each (see ``row_parts``). Nothing clinical on the boards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic import statuses, timewords
from clinic.templatetags.clock_text import moment_of
from followups.selectors.board import Entry, Waiting
from followups.selectors.checklist_queue import Row
from followups.templatetags import row_parts as parts
from followups.templatetags.row_parts import escape
from procedures.models import Patient, Procedure

register = template.Library()


@dataclass(frozen=True)
class Words:
    """What every line says, in one language."""

    born: str
    operator_open: str
    ready: str
    not_ready: str
    late: str
    deceased: str
    interpreter: str
    inpatient: str
    overbooked: str
    book: str
    case: str
    inpatient_small: str
    no_date: str
    when: str
    no_slot: str
    procedure: str
    case_of: str
    checklist: str
    here: str
    who: str


@cache
def _words_in(_language: str | None) -> Words:
    return Words(
        born=_("born"),
        operator_open=_("operator open"),
        ready=_("Ready"),
        not_ready=_("Not ready"),
        late=_("Overdue to record"),
        deceased=_("Deceased"),
        interpreter=_("Interpreter"),
        inpatient=_("Inpatient"),
        overbooked=_("Overbooked"),
        book=_("book a slot"),
        case=_("Case"),
        inpatient_small=_("inpatient"),
        no_date=_("no date planned: open the case"),
        when=_("When"),
        no_slot=_("no slot"),
        procedure=_("Procedure"),
        case_of=_("case of"),
        checklist=_("Checklist"),
        here=_("Here"),
        who=_("Who"),
    )


@register.simple_tag
def slot(entry: Entry) -> SafeString:
    """A case in a lane: time, who, what, by whom, its state."""
    words, case, patient = _words_in(get_language()), entry.procedure, entry.procedure.patient
    name = (
        f'<a class="slot__who" id="case-{case.code}" href="{parts.case_url(case.code)}">{escape(patient.name)}</a> '
        f"{parts.born(words.born, patient.birth_date)}"
    )
    by = escape(case.operator.full_name) if case.operator else words.operator_open
    return mark_safe(
        f'<li class="slot slot--{case.status}" data-row><span class="slot__time">{_clock(entry)}</span>'
        f'<div class="slot__case"><span class="slot__name">{name}</span> '
        f'<span class="slot__what"><strong>{escape(entry.short)}</strong> · {by}</span> '
        f'<span class="slot__states">{" ".join(_states(entry, words))}</span></div></li>'
    )


@register.simple_tag
def week_case(entry: Entry) -> SafeString:
    """A case in the week's table."""
    case, look = entry.procedure, statuses.status(entry.procedure.status)
    state = (
        f'<i class="bi bi-{look.icon}" aria-hidden="true"></i><span class="visually-hidden">{escape(look.word)}</span>'
    )
    return mark_safe(
        f'<li data-row><a class="week__case week__case--{look.tone}" id="case-{case.code}" '
        f'href="{parts.case_url(case.code)}"><span class="week__time">{_clock(entry)}</span> '
        f'<span class="week__who">{escape(case.patient.family_name)}</span> '
        f'<span class="week__what">{escape(entry.short)}</span> <span class="week__state">{state}</span></a></li>'
    )


@register.simple_tag(takes_context=True)
def waits(context: Any, row: Waiting) -> SafeString:
    """A request without a slot. Context: may_book."""
    words, may_book, case = _words_in(get_language()), context.get("may_book"), row.procedure
    patient = case.patient
    where = parts.act_url("procedures:schedule" if may_book else "followups:case", case.code)
    hidden = f'<span class="visually-hidden">: {words.book}</span>' if may_book else ""
    about = [f"<strong>{escape(row.short)}</strong>"]
    if case.status == "no_show":
        about.append(parts.chip("no_show"))
    if case.urgency != "elective":
        about.append(parts.chip(case.urgency))
    if patient.is_inpatient:
        about.append(words.inpatient_small)
    if may_book:
        of = f'<span class="visually-hidden"> {escape(patient.name)}</span>'
        about.append(f'<a href="{parts.case_url(case.code)}">{words.case}{of}</a>')
    due = parts.due(row.due, row.state, moment_of(context)) if row.due else f'<span class="soft">{words.no_date}</span>'
    return mark_safe(
        f'<li class="item item--{row.state}" data-row><span class="slot__name">'
        f'<a class="item__what" id="waits-{case.code}" href="{where}">{escape(patient.name)}{hidden}</a> '
        f'{parts.born(words.born, patient.birth_date)}</span> <span class="item__about">{" · ".join(about)}</span> '
        f'<span class="item__state">{due}</span></li>'
    )


@register.simple_tag(takes_context=True)
def queued(context: Any, row: Row) -> SafeString:
    """A case in the queue of checklists."""
    words, case, patient = _words_in(get_language()), row.procedure, row.procedure.patient
    name = escape(patient.name)
    when = parts.when(row.at, moment_of(context)) if row.at else words.no_slot
    what = (
        f'<a href="{parts.case_url(case.code)}">{escape(row.short)}'
        f'<span class="visually-hidden">: {words.case_of} {name}</span></a>'
    )
    what += f", {escape(case.room.name)}" if case.room else ""
    what += "".join(f" {flag}" for flag in _flags(patient, words.inpatient))
    state = parts.chip(row.kind, row.words)
    if case.status == "arrived":
        state += f" {parts.chip('arrived', words.here)}"
    elif case.status == "in_progress":
        state += f" {parts.chip('in_progress')}"
    who = (case.operator.full_name if case.operator else "") or case.responsible.full_name
    link = f'<a id="checklist-{case.code}" href="{parts.act_url("procedures:checklist", case.code)}">{name}</a>'
    done = ' class="row--done"' if row.kind == "clear" else ""
    return mark_safe(
        f'<tr data-row{done}><th scope="row">{link} {parts.born(words.born, patient.birth_date)}</th>'
        f'<td data-label="{words.when}" class="queue__when">{when}</td>'
        f'<td data-label="{words.procedure}"><span>{what}</span></td>'
        f'<td data-label="{words.checklist}"><span>{state}</span></td>'
        f'<td data-label="{words.who}">{escape(who)}</td></tr>'
    )


# --- their parts ----------------------------------------------------------------------------------


def _clock(entry: Entry) -> str:
    return timewords.clock(entry.at, timezone.get_current_timezone()) if entry.at else "–"


def _flags(patient: Patient, inpatient: str) -> list[str]:
    found = [parts.flag("hospital", inpatient)] if patient.is_inpatient else []
    return found + ([parts.flag("translate", patient.language)] if patient.interpreter_needed else [])


def _states(entry: Entry, words: Words) -> list[str]:
    case, patient = entry.procedure, entry.procedure.patient
    found = [parts.chip(case.status)]
    if entry.ready is not None:
        found.append(parts.chip("clear", words.ready) if entry.ready else parts.chip("due", words.not_ready))
    if entry.late:
        found.append(parts.chip("overdue", words.late))
    if case.urgency != "elective":
        found.append(parts.chip(case.urgency))
    elif case.emergency_start:
        found.append(parts.chip("emergency"))
    if patient.deceased_at:
        found.append(parts.chip("stop", words.deceased))
    found += [parts.flag("box-seam", word, " flag--kit") for word in entry.kit]
    if patient.interpreter_needed:
        found.append(parts.flag("translate", f"{words.interpreter}: {patient.language}"))
    if patient.is_inpatient:
        found.append(parts.flag("hospital", words.inpatient))
    if _overbooked(case):
        found.append(parts.flag("layers", words.overbooked))
    return found


def _overbooked(case: Procedure) -> bool:
    return case.room_overbooked or case.operator_overbooked
