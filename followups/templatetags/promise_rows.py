"""A promise as a line: ``{% promise_item row %}``, ``{% promise_brief row %}``, ``{% promise_on_paper row %}``.

A list shows dozens of them, and they are most of the page's time: so each is put together here, by one call, with words
that are looked up once for a language. Everything that comes from a row is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from phonenumber_field.phonenumber import PhoneNumber

from clinic import timewords
from clinic.templatetags.clock_text import moment_of
from followups.selectors.worklists import Row
from followups.templatetags import row_parts as parts
from followups.templatetags.row_parts import escape
from procedures.models import Patient
from procedures.models.people import ReachBy

register = template.Library()


@dataclass(frozen=True)
class Words:
    """What every line says, in one language."""

    born: str
    taken: str
    snoozed: str
    open_since: str
    take: str
    hand_over: str
    snooze: str
    note: str
    patient: str
    reach: str
    owes: str
    by: str


@cache
def _words_in(_language: str | None) -> Words:
    return Words(
        born=_("born"),
        taken=_("taken"),
        snoozed=_("snoozed until"),
        open_since=_("open since"),
        take=_("Take"),
        hand_over=_("Hand over"),
        snooze=_("Snooze"),
        note=_("Note"),
        patient=_("Patient"),
        reach=_("Reach"),
        owes=_("Who owes it"),
        by=_("By"),
    )


@register.simple_tag(takes_context=True)
def promise_item(context: Any, row: Row) -> SafeString:
    """With what can be done about it. Context: user; back (the list to return to and its query, encoded)."""
    now, words, back = moment_of(context), _words_in(get_language()), context.get("back", "")
    promise, mark, patient = row.follow_up, row.mark, row.patient
    pk, label = promise.pk, escape(mark.label)
    what = f'<span class="item__what">{label}</span>'
    if mark.url:
        what = f'<a class="item__what" id="promise-{pk}" href="{escape(mark.url)}">{label}</a>'
    who = ""
    if patient:
        name = (
            f'<a class="item__who" id="promise-{pk}-case" href="{parts.case_url(row.code)}">{escape(patient.name)}</a>'
        )
        who = f"{name}, {words.born} {parts.day(patient.birth_date)} · {escape(row.short)} · "
    about = f"{who}{escape(mark.owner)}{f' ({words.taken})' if promise.taken_by_id else ''}"
    if promise.snoozed_until and promise.snoozed_until > now:
        about += f" · {words.snoozed} {parts.when(promise.snoozed_until, now)}"
    if row.given:
        given = '<span class="given"><i class="bi bi-arrow-left-right" aria-hidden="true"></i>'
        about += f" {given} {escape(row.given)}</span>"
    if row.calls and patient:
        about += f" {_reach(row, patient)}"
    state = f"{parts.due(mark.due, mark.state, now)} {_acts(row, words, context.get('user'), back)}"
    return mark_safe(
        f'<li class="item item--{mark.state}" data-row>{what} <span class="item__about">{about}</span> '
        f'<span class="item__state">{state}</span></li>'
    )


@register.simple_tag(takes_context=True)
def promise_brief(context: Any, row: Row, *, opened: bool = False) -> SafeString:
    """In one line, for the loop board; with ``opened`` since when it is open."""
    now, words = moment_of(context), _words_in(get_language())
    promise, mark, patient = row.follow_up, row.mark, row.patient
    label = escape(mark.label)
    what = f'<span class="item__what">{label}</span>'
    if row.code:
        what = f'<a class="item__what" href="{parts.case_url(row.code)}">{label}</a>'
    about = ""
    if patient:
        about = f"{escape(patient.name)}, {words.born} {parts.day(patient.birth_date)} · {escape(row.short)} · "
    about += f"{escape(mark.owner)}{f' ({words.taken})' if promise.taken_by_id else ''}"
    if opened:
        ago = parts.time_tag(promise.opened_at, timewords.relative(promise.opened_at, now))
        about += f" · {words.open_since} {parts.when(promise.opened_at, now)} ({ago})"
    return mark_safe(
        f'<li class="item item--{mark.state}" data-row>{what} <span class="item__about">{about}</span> '
        f'<span class="item__state">{parts.due(mark.due, mark.state, now)}</span></li>'
    )


@register.simple_tag(takes_context=True)
def promise_on_paper(context: Any, row: Row) -> SafeString:
    """As a row of the table to print, with room for what was done."""
    now, words = moment_of(context), _words_in(get_language())
    mark, patient = row.mark, row.patient
    label = escape(mark.label)
    what = f'<a href="{escape(mark.url)}">{label}</a>' if mark.url else label
    who = reach = ""
    if patient:
        case = f'{escape(row.mrn)} · <span class="mono">{escape(row.code)}</span> · {escape(row.short)}'
        who = f"{escape(patient.name)}, {words.born} {parts.day(patient.birth_date)}"
        who += f' <span class="soft small nowrap">{case}</span>'
        reach = _reach(row, patient)
    due = parts.when(mark.due, now) if mark.due else ""
    return mark_safe(
        f'<tr data-row><th scope="row">{what}</th><td data-label="{words.patient}">{who}</td>'
        f'<td data-label="{words.reach}">{reach}</td><td data-label="{words.owes}">{escape(mark.owner)}</td>'
        f'<td data-label="{words.by}" class="nowrap">{due}</td><td class="only-print"></td></tr>'
    )


# --- its parts ------------------------------------------------------------------------------------


def _acts(row: Row, words: Words, user: Any, back: str) -> str:
    promise, then = row.follow_up, f"?back={back}" if back else ""
    name = escape(row.patient.name) if row.patient else ""
    about = f'<span class="visually-hidden">: {escape(row.mark.label)}, {name}</span>'
    acts = []
    if row.held_by != getattr(user, "pk", None) or row.is_untaken_critical:
        acts.append(("take", "t", words.take))
    acts.append(("hand_over", "h", words.hand_over))
    if promise.level != "critical":
        acts.append(("snooze", "s", words.snooze))
    acts.append(("note", "c", words.note))
    links = " ".join(
        f'<a href="{parts.act_url(f"followups:{act}", promise.pk)}{escape(then)}" '
        f'data-key="{key}" aria-keyshortcuts="{key}">{word}{about}</a>'
        for act, key, word in acts
    )
    return f'<span class="item__acts">{links}</span>'


def _reach(row: Row, patient: Patient) -> str:
    """How the patient is reached."""
    call = ""
    if patient.is_inpatient:
        how = _("inpatient: through the ward")
    elif patient.reach_by == ReachBy.CAREGIVER:
        how = _("through the caregiver, %(who)s") % {"who": patient.caregiver_name or "–"}
        call = _international(row.caregiver_phone)
    elif patient.reach_by == ReachBy.FACILITY:
        how = _("through the facility, %(who)s") % {"who": patient.facility or "–"}
    elif patient.reach_by == ReachBy.NONE:
        how = _("no way known")
    else:
        how = str(ReachBy(patient.reach_by).label)
        call = _international(row.phone)
    shown = f' <span class="nowrap">{escape(call)}</span>' if call else ""
    speaks = f" · {escape(_('interpreter'))}: {escape(patient.language)}" if patient.interpreter_needed else ""
    return f'<span class="reach"><i class="bi bi-telephone" aria-hidden="true"></i>{escape(how)}{shown}{speaks}</span>'


@lru_cache(maxsize=4096)
def _international(number: str) -> str:
    return str(PhoneNumber.from_string(number).as_international) if number else ""
