"""Makers of test objects: plain functions with visible defaults."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinic import clock
from clinic.actor import Actor
from clinic.models import ClinicHours, Room, User
from clinic.roles import Role
from procedures.models import LabTest, Patient, PatientIdentifier, Procedure, ProtocolVersion, ResultVersion, Series
from procedures.services import protocols

_serial = count(1)


def user(role: Role | str = Role.NURSE, username: str = "", full_name: str = "", **extra: Any) -> User:
    n = next(_serial)
    roles = extra.pop("roles", [Role(role)])
    row = User(
        username=username or f"{role}{n}",
        full_name=full_name or f"{str(role).title()} Number{n}",
        roles=sorted(str(r) for r in roles),
        email=extra.pop("email", f"{username or f'{role}{n}'}@clinic.test"),
        **extra,
    )
    row.set_unusable_password()
    row.save()
    return row


def actor(role: Role | str = Role.NURSE) -> Actor:
    return Actor.person(user(role))


def patient(given: str = "Ada", family: str = "Zimmermann", born: date = date(1984, 5, 17), **extra: Any) -> Patient:
    n = next(_serial)
    mrn = extra.pop("mrn", f"M{n:06d}")
    row = Patient.objects.create(
        given_name=given,
        family_name=family,
        birth_date=born,
        phone=extra.pop("phone", "+12025550123"),
        search_text=f"{family} {given} {mrn}".upper(),
        **extra,
    )
    PatientIdentifier.objects.create(patient=row, authority="CLINIC", value=mrn)
    return row


def protocol_version(code: str = "paracentesis") -> ProtocolVersion:
    """The published version of a real protocol file; thoracentesis comes from the test data."""
    path = protocols.PROTOCOL_DIR / f"{code}.toml"
    if not path.exists():
        path = Path(__file__).parent / "data" / "protocols" / f"{code}.toml"
    version, _ = protocols.publish(data=_file(path), name=path.name, actor=Actor.system("tests"))
    return version


@cache
def _file(path: Path) -> dict[str, Any]:
    """Read once in each process; nobody changes what it holds."""
    return protocols.read_translated(path)


def room(name: str = "", **extra: Any) -> Room:
    return Room.objects.create(name=name or f"Room {next(_serial)}", **extra)


def opening_hours() -> None:
    """Monday to Friday, eight to six."""
    for weekday in range(5):
        ClinicHours.objects.get_or_create(weekday=weekday, opens="08:00", closes="18:00")


def procedure(
    code: str = "paracentesis", *, status: str = "requested", starts: datetime | None = None, **extra: Any
) -> Procedure:
    """A case written straight to the database in ``status`` (no services, no audit, no plan)."""
    version = extra.pop("protocol_version", None) or protocol_version(code)
    data = version.parsed
    indication = extra.pop("indication", data.indications[0].code)
    variant = extra.pop("variant", data.indication(indication).variant)
    now = clock.now()
    fields: dict[str, Any] = {
        "patient": extra.pop("patient", None) or patient(),
        "protocol_version": version,
        "indication": indication,
        "variant": variant,
        "status": status,
        "requested_at": extra.pop("requested_at", now),
        "responsible": extra.pop("responsible", None) or user(Role.PHYSICIAN),
    }
    if status in {"scheduled", "arrived", "in_progress", "completed"}:
        start = starts or now + timedelta(days=2)
        form = data.variant(variant)
        for name, minutes in (
            ("stay", form.stay_minutes),
            ("room_time", form.room_minutes),
            ("operator_time", form.operator_minutes),
        ):
            fields[name] = DateTimeTZRange(start, start + timedelta(minutes=minutes))
        fields["room"] = extra.pop("room", None) or room()
        fields["scheduled_at"] = now
        if status in {"in_progress", "completed"}:
            fields["started_at"] = start
        if status == "completed":
            fields["completed_at"] = start + timedelta(minutes=form.room_minutes)
            fields["outcome"] = "done"
            fields["disposition"] = "home"
    fields.update(extra)
    return Procedure.objects.create(**fields)


def series(status: str = "active", *, case: Procedure | None = None, **extra: Any) -> Series:
    """A fortnightly series whose first case is booked (or ``case``), straight to the database."""
    first = case or procedure(status="scheduled", variant="diagnostic")
    fields: dict[str, Any] = {
        "patient": first.patient,
        "protocol": first.protocol_version.protocol,
        "indication": first.indication,
        "variant": first.variant,
        "location": first.location,
        "responsible": first.responsible,
        "interval_days": 14,
        "at": "09:00",
        "started_at": clock.now(),
    }
    if status == "ended":
        fields |= {"ended_at": clock.now(), "ended_because": "stopped", "end_reason": "Not needed any more"}
    row = Series.objects.create(status=status, **{**fields, **extra})
    Procedure.objects.filter(pk=first.pk).update(series=row, series_place=1)
    return row


def lab_test(procedure: Procedure, code: str = "", **extra: Any) -> LabTest:
    """A collected test of the case's protocol, straight to the database."""
    data = procedure.protocol_version.parsed
    test = data.test(code) if code else data.tests[0]
    fields: dict[str, Any] = {
        "procedure": procedure,
        "code": test.code,
        "label": test.label,
        "loinc": test.loinc,
        "container": test.container,
        "usual_hours": test.usual_hours,
        "outer_hours": test.outer_hours,
        "extended": test.extended,
        "has_preliminary": test.preliminary,
        "ordered_at": procedure.requested_at,
        "collected_at": procedure.started_at or clock.now(),
        "status": "collected",
    }
    fields.update(extra)
    return LabTest.objects.create(**fields)


def result(test: LabTest, *, status: str = "final", level: str = "normal", **extra: Any) -> ResultVersion:
    """The next version of a test's result, straight to the database; the test's status follows."""
    now = clock.now()
    number = test.versions.count() + 1
    version = ResultVersion.objects.create(
        test=test,
        number=extra.pop("number", number),
        status=status,
        level=level,
        reported_at=extra.pop("reported_at", now),
        arrived_at=extra.pop("arrived_at", now),
        **extra,
    )
    if status in {"preliminary", "final", "corrected"}:
        LabTest.objects.filter(pk=test.pk).update(status=status)
        test.refresh_from_db()
    return version
