"""Moments of a story, and its promises, in few words."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from followups.domain.kinds import Kind
from followups.models import FollowUp
from procedures.models import Hold, Procedure, Specimen

FIRST_DAY = date(2026, 11, 16)  # a Monday after the change of the clocks
FEW = 3  # so many tests are named one by one


def moment(day: int, at: str) -> datetime:
    """The clinic's local time on the story's ``day`` (0: the Monday), as ``"14:30"``."""
    local = datetime.combine(FIRST_DAY + timedelta(days=day), time.fromisoformat(at))
    return local.replace(tzinfo=ZoneInfo(settings.CLINIC_ZONE))


def local(when: datetime) -> str:
    return f"{when.astimezone(ZoneInfo(settings.CLINIC_ZONE)):%a %d %b %H:%M}"


def who(promise: FollowUp) -> str:
    return f"{promise.role}/{promise.responsible.username}" if promise.responsible else promise.role


def what(promise: FollowUp) -> str:
    """A promise in few words, with codes instead of keys."""
    about = promise.about
    codes = about.get("tests", [])
    tests = ", ".join(codes) if len(codes) <= FEW else f"{len(codes)} tests"
    if promise.kind == Kind.REVIEW_RESULT:
        level = "" if promise.level == "normal" else f"{promise.level} "
        return f"review {level}{about['status']} {about['test']}"
    if promise.kind == Kind.SPECIMEN_NOT_RECEIVED:
        return f"receive {Specimen.objects.get(pk=about['specimen']).container}"
    if promise.kind == Kind.RESTART_MEDICINE:
        verb = "set the restart of" if about.get("set") else "restart"
        return f"{verb} {Hold.objects.get(pk=about['hold']).ingredient}"
    if promise.kind == Kind.TELL_LAST_DOSE:
        verb = "tell that there is no need to stop" if about["off"] else "tell the last dose of"
        return f"{verb} {Hold.objects.get(pk=about['hold']).ingredient}"
    words = {
        Kind.BOOK_REQUEST: "book",
        Kind.CLEAR_FINDINGS: f"decide on {about.get('stops')} stops, {about.get('cautions')} cautions",
        Kind.SIGN_CLEARANCE: "sign the clearance",
        Kind.RERUN_SAFETY: "look at what changed",
        Kind.CARRY_OUT: f"carry out ({about.get('status')})",
        Kind.REBOOK_NO_SHOW: "rebook or end",
        Kind.SIGN_RECORD: "sign the record",
        Kind.CHECKLIST_AFTER_EMERGENCY: f"checklist {', '.join(about.get('stages', []))}",
        Kind.COUNTERSIGN_START: "countersign",
        Kind.LATER_TESTS: f"take {about.get('item')}",
        Kind.ACCEPT_TRANSFER: f"{'accept' if 'transfer' in about else 'name who accepts'} ({about.get('why')})",
        Kind.COLLECT_TESTS: f"collect {tests}",
        Kind.SPECIMEN_LOST: f"decide on {tests}",
        Kind.AWAITED_RESULT: f"await {tests}",
        Kind.DO_ACTION: str(about.get("plan")),
        Kind.TELL_PATIENT: f"tell {'now ' if promise.key == 'tell:now' else ''}{tests or 'that there is no result'}",
        Kind.SYMPTOM_CHECK: f"ask {about.get('check')}",
        Kind.CALL_SILENT: "call",
        Kind.DANGER_SIGN: f"call back ({about.get('tier')})",
        Kind.READ_WORDS: "read the words",
        Kind.BOOK_AGAIN: "offer an appointment",
        Kind.LINK_LOCKED: "call about the link",
        Kind.CHECKLIST_NOT_DONE: f"sign {', '.join(about.get('stages', []))}",
        Kind.ANSWERS_EXPIRING: f"ask again {', '.join(about.get('questions', []))}",
        Kind.REREAD_CORRECTION: f"read again {about.get('test')}",
        Kind.UNREACHABLE_PATIENT: "letter",
    }
    return words[Kind(promise.kind)]


def harmless_record(case: Procedure) -> dict[str, Any]:
    """Every required field of the pinned protocol, answered as briefly as possible."""
    typed = {"number": 1, "integer": 1, "text": "as usual", "longtext": "as usual", "yes_no": "no"}
    fields: dict[str, Any] = {}
    for item in case.protocol_version.parsed.record_fields:
        if item.required:
            fields[item.code] = item.choices[0].code if item.kind == "choice" else typed[item.kind]
    return fields
