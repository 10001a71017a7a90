"""Facts of imaginary cases for the planner's tests: frozen values with visible defaults."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import is_closed, plan
from followups.domain.promise import Promise
from procedures.domain import load
from procedures.domain.protocol import Protocol
from procedures.domain.states import EncounterClass, Outcome, ProcedureStatus, TestStatus, Urgency

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


@cache
def protocol(code: str = "paracentesis") -> Protocol:
    path = ROOT / "procedures" / "protocols" / f"{code}.toml"
    if not path.exists():
        path = ROOT / "tests" / "data" / "protocols" / f"{code}.toml"
    return load.parse(tomllib.loads(path.read_text()), name=path.name)


def case(**extra: Any) -> f.ProcedureFacts:
    """A completed paracentesis with a signed record, every symptom check answered and nothing ordered: closed."""
    data = extra.pop("protocol", None) or protocol()
    fields: dict[str, Any] = {
        "id": 1,
        "protocol": data,
        "status": ProcedureStatus.COMPLETED,
        "urgency": Urgency.ELECTIVE,
        "requested_at": NOON - hours(72),
        "slot_at": NOON,
        "slot_ends_at": NOON + hours(2),
        "arrived_at": NOON - hours(0.5),
        "started_at": NOON,
        "completed_at": NOON + hours(1),
        "ended_at": None,
        "outcome": Outcome.DONE,
        "disposition": None,
        "encounter_class": EncounterClass.OUTPATIENT,
        "deceased": False,
        "responsible_id": 7,
        "operator_id": 8,
        "emergency_start": False,
        "unsigned_stages": (),
        "record_signed_at": NOON + hours(1.5),
        "flags": frozenset({"first"}),
        "symptoms": tuple(
            f.SymptomFact(check_code=c.code, outcome="answered", worst_tier="", at=NOON + hours(c.after_hours))
            for c in data.symptom_checks
        ),
    }
    fields.update(extra)
    return f.ProcedureFacts(**fields)


def lab_fact(id: int = 1, **extra: Any) -> f.TestFact:
    """A collected cell count whose result is awaited."""
    fields: dict[str, Any] = {
        "id": id,
        "code": f"test_{id}",
        "status": TestStatus.COLLECTED,
        "specimen_id": 1,
        "collected_at": NOON,
        "usual_at": NOON + hours(4),
        "outer_at": NOON + hours(24),
        "extended": False,
        "current": None,
    }
    fields.update(extra)
    return f.TestFact(**fields)


def version(id: int = 1, **extra: Any) -> f.VersionFact:
    """A final, normal, unread result."""
    fields: dict[str, Any] = {
        "id": id,
        "number": 1,
        "status": "final",
        "level": "normal",
        "arrived_at": NOON + hours(5),
        "review": None,
        "told_at": None,
    }
    fields.update(extra)
    return f.VersionFact(**fields)


def review(**extra: Any) -> f.ReviewFact:
    fields: dict[str, Any] = {"at": NOON + hours(6), "interpretation": "normal", "plan": "none", "tell": "with_all"}
    fields.update(extra)
    return f.ReviewFact(**fields)


def finished_test(id: int = 1, **extra: Any) -> f.TestFact:
    """Final, read and told."""
    return lab_fact(
        id,
        status=TestStatus.FINAL,
        current=version(id * 10, review=review(), told_at=NOON + hours(20)),
        **extra,
    )


def specimen(id: int = 1, **extra: Any) -> f.SpecimenFact:
    fields: dict[str, Any] = {
        "id": id,
        "collected_at": NOON,
        "receipt_due_at": NOON + hours(2),
        "received": True,
        "lost_at": None,
    }
    fields.update(extra)
    return f.SpecimenFact(**fields)


def read(id: int, **extra: object) -> f.TestFact:
    fields = {"review": review(), **extra}
    return lab_fact(id, status=TestStatus.FINAL, current=version(id * 10, **fields))


def kinds(facts: f.ProcedureFacts) -> list[Kind]:
    return [p.kind for p in plan(facts)]


def only(facts: f.ProcedureFacts) -> Promise:
    """The one promise of a case that is not closed."""
    promises = plan(facts)
    assert len(promises) == 1, [p.key for p in promises]
    assert not is_closed(facts, promises)
    return promises[0]


__all__ = [
    "NOON",
    "case",
    "finished_test",
    "hours",
    "kinds",
    "lab_fact",
    "only",
    "protocol",
    "read",
    "replace",
    "review",
    "specimen",
    "version",
]
