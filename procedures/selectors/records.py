"""The procedure record as pages and the copied note show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from procedures.domain import record as rules
from procedures.domain.protocol import Protocol, RecordField
from procedures.models import LabTest, Procedure, ProcedureRecord, Specimen


@dataclass(frozen=True)
class Line:
    """One answered field in words."""

    code: str
    label: str
    value: str


@dataclass(frozen=True)
class Section:
    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Change:
    """What one field said before and says now."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class VersionRow:
    """A signed version, or the draft, and what it changed from the one before."""

    record: ProcedureRecord
    changes: tuple[Change, ...]


def versions_of(procedure: Procedure) -> tuple[VersionRow, ...]:
    """All versions, newest first, each with its changes: one query."""
    protocol = procedure.protocol_version.parsed
    rows = list(procedure.records.select_related("operator", "signed_by", "saved_by").order_by("number"))
    before: dict[int, ProcedureRecord] = {row.pk: row for row in rows}
    found = [
        VersionRow(row, changes(protocol, before[row.supersedes_id], row) if row.supersedes_id in before else ())
        for row in rows
    ]
    return tuple(reversed(found))


def changes(protocol: Protocol, old: ProcedureRecord, new: ProcedureRecord) -> tuple[Change, ...]:
    """Field by field, in words."""
    was, now = (
        {line.code: line for section in sections(protocol, row) for line in section.lines} for row in (old, new)
    )
    codes = rules.changed({c: x.value for c, x in was.items()}, {c: x.value for c, x in now.items()})
    nothing = _("not recorded")
    return tuple(
        Change(
            label=(now.get(code) or was[code]).label,
            old=was[code].value if code in was else nothing,
            new=now[code].value if code in now else nothing,
        )
        for code in codes
    )


def sections(protocol: Protocol, record: ProcedureRecord) -> tuple[Section, ...]:
    """What the version says, in the page's order; what was not recorded is left out."""
    grouped: dict[str, list[Line]] = {}
    for item in protocol.record_fields:
        value = record.fields.get(item.code)
        if not rules.is_blank(value):
            text = words(item, value, str(record.fields.get(item.code + rules.REASON) or ""))
            grouped.setdefault(item.section, []).append(Line(item.code, item.label, text))
    return (
        Section(_("Who and when"), tuple(_common(record))),
        *(Section(label, tuple(lines)) for label, lines in grouped.items()),
        Section(_("Complications"), tuple(_complications(protocol, record))),
    )


def words(item: RecordField, value: Any, reason: str = "") -> str:
    """A stored value as people say it, with its unit."""
    if item.kind == "yes_no":
        text = {"yes": _("yes"), "no": _("no"), "unknown": _("not known")}.get(value, str(value))
    elif item.kind in ("choice", "multichoice"):
        labels = {choice.code: choice.label for choice in item.choices}
        given = value if isinstance(value, list) else [value]
        text = ", ".join(labels.get(code, str(code)) for code in given)
    elif item.kind == "datetime":
        text = moment(datetime.fromisoformat(value))
    else:
        text = f"{value} {item.unit}".strip()
    return f"{text}: {reason}" if reason else text


def moment(at: datetime | None) -> str:
    """Date and time on the clinic's wall clock, in full: a chart outlives the week it was written in."""
    return "" if at is None else date_format(timezone.localtime(at), "j M Y H:i")


def note(procedure: Procedure, record: ProcedureRecord) -> str:
    """The procedure note as plain text, written from one version and the case's tubes: two queries."""
    protocol: Protocol = procedure.protocol_version.parsed
    return "\n".join([*_note_head(procedure, record, protocol), *_note_body(protocol, record), *_note_tubes(procedure)])


def _note_head(procedure: Procedure, record: ProcedureRecord, protocol: Protocol) -> Iterator[str]:
    patient = procedure.patient
    yield protocol.label.upper()
    yield _("Patient: %(name)s, born %(born)s, MRN %(mrn)s") % {
        "name": patient.name,
        "born": date_format(patient.birth_date, "j M Y"),
        "mrn": patient.mrn,
    }
    yield _("Indication: %(indication)s") % {"indication": protocol.indication(procedure.indication).label}
    if record.signed_at is None:
        yield _("DRAFT, NOT SIGNED")
    else:
        signer = record.signed_by.display_name if record.signed_by else ""
        signed = {"name": signer, "at": moment(record.signed_at), "number": record.number}
        yield _("Signed by %(name)s, %(at)s (version %(number)s)") % signed
    if record.amendment_reason:
        yield _("Amended because: %(reason)s") % {"reason": record.amendment_reason}


def _note_body(protocol: Protocol, record: ProcedureRecord) -> Iterator[str]:
    for section in sections(protocol, record):
        yield ""
        yield section.label
        yield from (f"  {line.label}: {line.value}" for line in section.lines)


def _note_tubes(procedure: Procedure) -> Iterator[str]:
    labels = {c.code: c.label for c in procedure.protocol_version.parsed.containers}
    by_tube: dict[int | None, list[str]] = {}
    for test in LabTest.objects.filter(procedure=procedure).exclude(status="cancelled").order_by("pk"):
        by_tube.setdefault(test.specimen_id, []).append(test.label)
    tubes = list(Specimen.objects.filter(procedure=procedure))
    if not tubes:
        return
    yield ""
    yield _("Specimens")
    for tube in tubes:
        volume = f", {tube.volume_ml} mL" if tube.volume_ml is not None else ""
        tests = ", ".join(by_tube.get(tube.pk, [])) or _("no test")
        yield f"  {labels.get(tube.container, tube.container)}{volume}: {tests}"


def _common(record: ProcedureRecord) -> Iterator[Line]:
    facts = (
        ("started_at", _("Started"), moment(record.started_at)),
        ("ended_at", _("Ended"), moment(record.ended_at)),
        ("operator", _("Operator"), record.operator.display_name if record.operator else ""),
        ("supervisor", _("Supervisor"), record.supervisor),
        ("assistant", _("Assistant"), record.assistant),
    )
    yield from (Line(code, label, value) for code, label, value in facts if value)


def _complications(protocol: Protocol, record: ProcedureRecord) -> Iterator[Line]:
    labels = {c.code: c.label for c in protocol.complications}
    if record.no_complications:
        yield Line("complications", _("Complications"), _("none"))
    elif record.complications:
        named = ", ".join(labels.get(code, code) for code in record.complications)
        yield Line("complications", _("Complications"), named)
    if record.complication_note:
        yield Line("complication_note", _("What happened"), record.complication_note)
