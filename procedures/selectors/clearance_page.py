"""What the clearance page shows: findings in words, safe free slots, and a message to the prescriber."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import timewords
from clinic.models import Room
from clinic.one_statement import OneStatement, Parts, Rows
from procedures.domain import safety
from procedures.domain.clearance import Standing, Stood
from procedures.domain.findings import Change, Finding, Severity
from procedures.domain.slots import Slot
from procedures.models import ClearanceDecision, Procedure, SafetyRun
from procedures.selectors import banner, checklists, clearance
from procedures.selectors import safety as live
from procedures.selectors import slots as calendar
from procedures.selectors.clearance import Clearance

#: How many free slots are offered.
OFFERED = 4
#: Standing of a finding: the look and the word of its chip.
CHIPS = {
    Standing.OPEN: ("due", gettext_lazy("Nobody has decided")),
    Standing.TO_SIGN: ("overdue", gettext_lazy("Second signature missing")),
    Standing.PUT_OFF: ("waiting", gettext_lazy("Put off")),
    Standing.CLEARED: ("clear", gettext_lazy("Cleared")),
}
KINDS = {
    "new": gettext_lazy("New"),
    "gone": gettext_lazy("Gone"),
    "harder": gettext_lazy("Harder"),
    "softer": gettext_lazy("Softer"),
    "other": gettext_lazy("Changed"),
}


@dataclass(frozen=True, kw_only=True)
class Words:
    """A finding as people read it."""

    key: str
    severity: str
    title: str
    evidence: tuple[str, ...]
    why: str
    todo: str
    source: str
    year: int | None
    approved_by: str
    earliest: datetime | None
    choices: tuple[Any, ...] = ()  # LocalChoice
    chip: tuple[str, Any] | None = None
    decision: ClearanceDecision | None = None


def words(finding: Finding, now: datetime) -> Words:
    """The finding in the reader's language."""

    def say(text: Any) -> str:
        return str(text.render(_, lambda moment: timewords.when(moment, now, timezone.get_current_timezone())))

    return Words(
        key=finding.key,
        severity=str(finding.severity),
        title=say(finding.title),
        evidence=tuple(say(text) for text in finding.evidence),
        why=say(finding.why),
        todo=say(finding.todo),
        source=finding.source.source,
        year=finding.year,
        approved_by=finding.approved_by,
        earliest=finding.earliest_safe_at,
    )


def shown(found: Clearance, decisions: Iterable[ClearanceDecision], now: datetime) -> list[Words]:
    """Every finding, the hardest first, with what was decided about it."""
    by_id = {row.pk: row for row in decisions}
    return [_shown(stood, found, by_id, now) for stood in found.stood]


def _shown(stood: Stood, found: Clearance, by_id: dict[int, ClearanceDecision], now: datetime) -> Words:
    said = words(stood.finding, now)
    known = found.version.parsed.choices
    return Words(
        **{
            **said.__dict__,
            "choices": tuple(known[code] for code in stood.finding.choices if code in known),
            "chip": CHIPS.get(stood.standing),
            "decision": by_id.get(stood.decided.id) if stood.decided else None,
        }
    )


def changed(found: Iterable[Change], now: datetime) -> list[dict[str, Any]]:
    """Differences between two runs, each with its word and the findings before and after."""
    return [
        {
            "kind": KINDS[change.kind],
            "before": words(change.before, now) if change.before else None,
            "after": words(change.after, now) if change.after else None,
        }
        for change in found
    ]


def read(procedure: Procedure) -> Rows:
    """What the page shows of a case with the patient's banner, in one query."""
    statement = _statement(tuple(banner.codes_of(procedure)))
    return statement.rows(case=procedure.pk, patient=procedure.patient_id)


@cache  # for the questions that a protocol names
def _statement(codes: tuple[str, ...]) -> OneStatement:
    def write(case: Any, patient: Any) -> Parts:
        runs = SafetyRun.objects.filter(procedure=case).select_related("rule_set", "seen__by")
        return {
            **clearance.parts(case),
            **banner.parts(patient, codes),
            "runs": runs.defer("rule_set__data").order_by("-pk"),
            "history": clearance.history(case),
        }

    return OneStatement(write)


def safe_slots(
    procedure: Procedure,
    found: Clearance,
    now: datetime,
    *,
    rows: Rows | None = None,
    rooms: Sequence[Room] | None = None,
) -> list[Slot]:
    """The next free slots at which, by the medicines alone, the needle is safe; none where no time makes it so.

    ``rows`` and ``rooms``: what ``read`` and ``slots.rooms_for`` gave, where they were asked.
    """
    rules = found.version.parsed
    shot = live.snapshot_of_round(procedure, rules, now, checklists.round_in(read(procedure) if rows is None else rows))
    earliest = safety.earliest_safe(shot, rules, now).at
    waiting = [f.earliest_safe_at for f in found.findings if f.severity is Severity.STOP and f.earliest_safe_at]
    if earliest is None:
        return []
    after = max([earliest, *waiting, now])
    return calendar.next_free(
        procedure=procedure, after=after, now=now, operator=procedure.operator, count=OFFERED, rooms=rooms
    )


def to_prescriber(procedure: Procedure, found: Clearance, now: datetime) -> str:
    """A message to copy: which medicines, what for, until when, from which source. Empty without one to ask about."""
    asked = [s.finding for s in found.stood if s.finding.code.startswith("medicine_") and _is_asked(s)]
    if not asked:
        return ""
    protocol, patient = procedure.protocol_version.parsed, procedure.patient
    when = (
        timewords.when(procedure.stay.lower, now, timezone.get_current_timezone()) if procedure.stay else _("no slot")
    )
    lines = [
        _("%(name)s, born %(born)s, MRN %(mrn)s")
        % {"name": patient.name, "born": f"{patient.birth_date:%d %b %Y}", "mrn": patient.mrn},
        _("Planned: %(what)s, %(when)s.") % {"what": protocol.label, "when": when},
        "",
    ]
    for said in (words(finding, now) for finding in asked):
        year = f" ({said.year})" if said.year else ""
        lines += [said.title, *said.evidence, said.why, _("Source: %(source)s") % {"source": said.source + year}, ""]
    lines += [
        _("May it be paused for the procedure, from when, with bridging or without? Who restarts it, and when?"),
        _("We tell the patient nothing before you have agreed."),
        procedure.responsible.display_name,
    ]
    return "\n".join(lines)


def _is_asked(stood: Stood) -> bool:
    return stood.standing in (Standing.OPEN, Standing.TO_SIGN, Standing.PUT_OFF)
