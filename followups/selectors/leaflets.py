"""What stands on the two sheets that a patient takes home: before the visit, and afterwards.

Moments and words are read here; the templates in ``templates/patient/leaflets`` say them. Nothing is on a sheet that
the patient has not been told: a planned last dose only once somebody has told it, a restart only with its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from clinic.models import AuditEntry
from followups import patient_language
from followups.domain.expected_results import Awaited, Expected, expected
from procedures.domain.patient_content import PatientText
from procedures.domain.protocol import Protocol
from procedures.domain.states import Outcome, ProcedureStatus, TestStatus
from procedures.models import Hold, LabTest, Procedure, ProcedureRecord
from procedures.models.holds import RestartDecision
from procedures.selectors import checklists

GIVEN = "leaflet.given"
#: Nothing more comes of these.
CAME = frozenset({TestStatus.FINAL, TestStatus.CORRECTED})
FAILED = frozenset({TestStatus.REJECTED, TestStatus.LOST})
NOT_DONE = frozenset({ProcedureStatus.CANCELLED, ProcedureStatus.NO_SHOW, ProcedureStatus.ENTERED_IN_ERROR})
ML_PER_LITRE = 1000


@dataclass(frozen=True, kw_only=True)
class Restart:
    """A medicine that was paused. ``at`` None and not ``stays_off``: the physician has not said when."""

    name: str
    at: datetime | None
    stays_off: bool
    done: bool


def phone(procedure: Procedure) -> str:
    """Outpatients call the clinic's line, inpatients the ward."""
    return settings.WARD_PHONE if procedure.patient.is_inpatient else settings.CLINIC_PHONE_24H


def before(procedure: Procedure, protocol: Protocol) -> dict[str, Any]:
    """``protocol``: in the words of the language that is wanted."""
    answers = checklists.answers_to(procedure, ["anxiolytic", "escort"])
    holds = _holds(procedure)
    return {
        **_common(procedure, protocol),
        "comes": procedure.state not in NOT_DONE,
        "location": next((c.label for c in protocol.locations if c.code == procedure.location), ""),
        "stay": procedure.stay,
        "minutes": _minutes(procedure, protocol),
        "their_language": patient_language.their_name(procedure.patient),
        "last_doses": [h for h in holds if h.told_patient_at and h.planned_last_dose_at and not h.restart],
        "untold": [h.ingredient for h in holds if not h.told_patient_at and not h.restart],
        "escort": answers.get("escort", ""),
        "needs_escort": answers.get("anxiolytic") == "yes",
        "prepare": _text(protocol, "prepare"),
        "happens": _text(protocol, "what_happens"),
    }


def after(procedure: Procedure, protocol: Protocol) -> dict[str, Any]:
    """``protocol``: in the words of the language that is wanted."""
    tests = list(procedure.tests.exclude(status=str(TestStatus.CANCELLED)))
    restarts = [_restart(hold) for hold in _holds(procedure)]
    return {
        **_common(procedure, protocol),
        "day": procedure.completed_at or procedure.started_at,
        "afterwards": _text(protocol, "afterwards"),
        "paused": _text(protocol, "paused"),
        "results": _text(protocol, "results"),
        "call": _text(protocol, "when_to_call"),
        "emergency": _text(protocol, "emergency"),
        "expected": expected_of(tests, protocol),
        "failed": [_name(test, protocol) for test in tests if test.state in FAILED],
        "came": any(test.state in CAME for test in tests),
        "no_tests": not tests,
        "restarts": [restart for restart in restarts if not restart.done],
        "unset": [r.name for r in restarts if r.at is None and not r.stays_off and not r.done],
        "dated": any(test.collected_at for test in tests),
        "litres": litres(procedure, protocol),
        "nothing_taken": procedure.outcome in {Outcome.NO_FLUID, Outcome.NOT_ATTEMPTED},
        "next": _next(procedure),
        "series": procedure.series if procedure.series is not None and procedure.series.is_active else None,
    }


def expected_of(tests: list[LabTest], protocol: Protocol) -> list[Expected]:
    """What still comes, with its days, in the patient's words."""
    awaited = [
        Awaited(
            label=_name(test, protocol),
            outer_at=timezone.localtime(test.outer_at) if test.outer_at else None,
            extended=test.extended,
        )
        for test in tests
        if test.state not in CAME | FAILED
    ]
    return list(expected(awaited))


def litres(procedure: Procedure, protocol: Protocol) -> float | None:
    """What was drained by the newest signed record, in litres; None where nothing says so."""
    fields = [rule.field for rule in protocol.record_rules]
    if not fields:
        return None
    record = ProcedureRecord.objects.filter(procedure=procedure, signed_at__isnull=False).order_by("-number").first()
    found = record.fields.get(fields[0]) if record is not None else None
    return round(found / ML_PER_LITRE, 1) if isinstance(found, int | float) and found > 0 else None


def last_given(procedure: Procedure, which: str) -> AuditEntry | None:
    """When the sheet was last given to the patient, and by whom."""
    rows = AuditEntry.objects.filter(
        action=GIVEN, patient_id=procedure.patient_id, subject_id=procedure.pk, data__which=which
    )
    return rows.order_by("-pk").first()


def _common(procedure: Procedure, protocol: Protocol) -> dict[str, Any]:
    return {
        "procedure": procedure,
        "patient": procedure.patient,
        "name": protocol.patient_label or protocol.label,
        "phone": phone(procedure),
        "ward": procedure.patient.is_inpatient,
        "clinic_name": settings.CLINIC_NAME,
    }


def _minutes(procedure: Procedure, protocol: Protocol) -> int:
    """The whole stay: as it is booked, else as the protocol plans it."""
    if procedure.stay is not None:
        return int((procedure.stay.upper - procedure.stay.lower).total_seconds() // 60)
    return protocol.variant(procedure.variant).stay_minutes


def _holds(procedure: Procedure) -> list[Hold]:
    return list(procedure.holds.filter(withdrawn_at__isnull=True))


def _restart(hold: Hold) -> Restart:
    return Restart(
        name=hold.ingredient,
        at=hold.restart_due_at,
        stays_off=hold.restart == RestartDecision.NOT_RESTARTED,
        done=hold.restart == RestartDecision.RESTARTED,
    )


def _name(test: LabTest, protocol: Protocol) -> str:
    known = next((t for t in protocol.tests if t.code == test.code), None)
    return (known.patient_label or known.label) if known is not None else test.label


def _text(protocol: Protocol, code: str) -> PatientText | None:
    return next((text for text in protocol.texts if text.code == code), None)


def _next(procedure: Procedure) -> datetime | None:
    """The next appointment of the series that is booked."""
    if procedure.series_id is None or procedure.series_place is None:
        return None
    later = Procedure.objects.filter(
        series_id=procedure.series_id,
        series_place__gt=procedure.series_place,
        status=str(ProcedureStatus.SCHEDULED),
        stay__isnull=False,
    )
    found = later.order_by("series_place").values_list("stay", flat=True).first()
    return found.lower if found is not None else None
