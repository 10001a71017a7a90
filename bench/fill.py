"""A database as it is after years: thousands of cases, most of them closed.

A few model cases are made row by row and planned by the product itself; PostgreSQL then copies them, with other
patients, other rooms and other days. Every copy has its own patient, checklist, record, specimens, results, reviews,
calls and promises. Open copies are planned one by one, so their promises are exactly what the product would make.

What is open stays what a clinic has open (``OPEN_OF`` procedures' share), however long its history grows; with
``open_share`` it grows as well. A history beyond the first year is that of a group: forty rooms, and people who have
left; of its answers one in ``SLIM`` is kept and of its messages too, because no list reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from io import StringIO

from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from bench import indexes
from bench.model_cases import Maker
from clinic import clock
from clinic.models import Absence, AuditEntry, ClinicHours, Heartbeat, Room, User
from clinic.roles import Role
from followups import models as f
from followups import reconcile
from procedures import models as p

#: In the order of their foreign keys.
CLONED: tuple[type[models.Model], ...] = (
    p.Patient,
    p.PatientIdentifier,
    p.Procedure,
    p.Checklist,
    p.Answer,
    p.MedicineEntry,
    p.AllergyEntry,
    p.StageSignature,
    p.ProcedureRecord,
    p.Hold,
    p.Specimen,
    p.LabTest,
    p.ResultVersion,
    f.Review,
    f.Action,
    f.PatientContact,
    f.SymptomCheck,
    f.SymptomAnswer,
    f.FollowUp,
    f.Message,
    p.InboundMessage,
    p.InboundItem,
    f.TextMessage,
)
#: Of whose rows a long history keeps one in so many.
SLIM = 5
SLIMMED: frozenset[type[models.Model]] = frozenset({p.Answer, f.SymptomAnswer, f.Message, p.InboundItem, f.TextMessage})
#: What is open is a tenth of so many, unless it is to grow with the history.
OPEN_OF = 10_000
#: From so many procedures at once it pays to make the indexes anew.
MANY = 20_000
ROOMS = 4
GROUP_ROOMS = 40
AUDIT_ROWS = 12
# fmt: off
GIVEN = (
    "Ada", "Ben", "Clara", "Dan", "Ella", "Finn", "Gina", "Hugo", "Ivy", "Jon",
    "Kira", "Leo", "Mia", "Nils", "Olga", "Paul", "Rosa", "Sven", "Tara", "Udo",
)
FAMILY = (
    "Abel", "Bauer", "Costa", "Dietz", "Evans", "Fuchs", "Garcia", "Huber", "Ito",
    "Jensen", "Kaya", "Lopez", "Maier", "Novak", "Okafor", "Patel", "Quist",
)
# fmt: on


@dataclass(frozen=True)
class Group:
    """Model cases that are copied together. ``share`` of all cases; copies move ``step`` working days apart."""

    name: str
    make: Callable[[Maker, datetime], None]
    share: float
    first_day: int  # working days from today
    step: int


GROUPS = (
    Group("closed", Maker.closed_day, 0.90, -260, -1),
    Group("results", Maker.recent_day, 0.08, -1, -1),
    Group("booked", Maker.booked_day, 0.015, 0, 1),
    Group("requested", Maker.requests, 0.005, 0, 0),
)


class Filler:
    """Fills one database step by step: ``to(10_000)``, measure, ``to(1_000_000)``, measure."""

    def __init__(self) -> None:
        self.people = staff()
        self.rooms = [Room.objects.create(name=f"Room {n}") for n in range(1, ROOMS + 1)]
        for weekday in range(5):
            ClinicHours.objects.create(weekday=weekday, opens=time(8), closes=time(18))
        call_command("load_protocols", stdout=StringIO())
        Heartbeat.objects.create(name="engine", at=clock.real_now() + timedelta(days=1))  # no page says it is late
        self.ranges: dict[str, dict[type[models.Model], tuple[int, int]]] = {}
        self.size: dict[str, int] = {}
        self.copies = {group.name: 1 for group in GROUPS}
        for group in GROUPS:
            self._model(group)
        _laboratories()
        _absences(self.people)
        _series(self.people)

    def to(self, procedures: int, *, open_share: bool = False) -> None:
        """Copy until there are about so many cases; plan the open ones; let PostgreSQL look at what it has."""
        before = _largest(p.Procedure), _largest(p.InboundMessage)
        opened = procedures if open_share else min(procedures, OPEN_OF)
        closed = next(group for group in GROUPS if group.name == "closed")
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
            for group in GROUPS:
                if group is not closed:
                    self._grow(group, round(opened * group.share / self.size[group.name]), self.rooms, self.people)
            wanted = round((procedures - opened * (1 - closed.share)) / self.size["closed"])
            self._history(closed, wanted)
            for pk in p.Procedure.objects.filter(pk__gt=before[0], closed_at__isnull=True).values_list("pk", flat=True):
                reconcile.procedure(pk)
            for pk in p.InboundMessage.objects.filter(pk__gt=before[1], state="waiting").values_list("pk", flat=True):
                reconcile.message(pk)
            cursor.execute("SET synchronous_commit = on")
            cursor.execute("VACUUM ANALYZE")

    def _history(self, group: Group, wanted: int) -> None:
        """The first year is this clinic's; what lies before it a group's, whose people have left."""
        first_year = round(OPEN_OF * group.share / self.size[group.name])
        self._grow(group, min(wanted, first_year), self.rooms, self.people)
        more = (wanted - self.copies[group.name]) * self.size[group.name]
        if more <= 0:
            return
        rooms, people = _former()
        with indexes.left_out([*CLONED, AuditEntry] if more > MANY else []):
            self._grow(group, wanted, rooms, people)

    def _grow(self, group: Group, wanted: int, rooms: Sequence[Room], people: dict[str, list[User]]) -> None:
        first, before = self.copies[group.name], _largest(p.Procedure)
        if wanted > first:
            self._copy(group, first, wanted, rooms, people)
            self.copies[group.name] = wanted
            with connection.cursor() as cursor:
                _audit(cursor, before)

    def _model(self, group: Group) -> None:
        lows = {model: _largest(model) for model in CLONED}
        maker = Maker(people=self.people, room=self.rooms[0])
        group.make(maker, _working_day(group.first_day))
        for procedure in maker.made:
            reconcile.procedure(procedure.pk)
            if group.name == "closed":
                _check_closed(procedure)
                maker.past_promises(procedure)
        self.size[group.name] = len(maker.made)
        self.ranges[group.name] = {model: (lows[model], _largest(model)) for model in CLONED}

    def _copy(self, group: Group, first: int, until: int, rooms: Sequence[Room], people: dict[str, list[User]]) -> None:
        """Copies number ``first`` to ``until - 1`` of a group: one statement per table."""
        ranges = self.ranges[group.name]
        tops = {model: _largest(model) for model in CLONED}
        copier = _Copier(group, ranges, tops, first, rooms, people)
        with connection.cursor() as cursor:
            for model in CLONED:
                low, high = ranges[model]
                open_promise = model in (f.FollowUp, f.Message) and group.name != "closed"
                if high > low and not open_promise:
                    cursor.execute(copier.statement(model), [first, until - 1, low, high])
                    table = model._meta.db_table
                    cursor.execute(
                        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                    )


class _Copier:
    """INSERT … SELECT for one table: keys move by a stride, times by working days, names and rooms go round."""

    def __init__(
        self,
        group: Group,
        ranges: dict[type[models.Model], tuple[int, int]],
        tops: dict[type[models.Model], int],
        first: int,
        rooms: Sequence[Room],
        people: dict[str, list[User]],
    ) -> None:
        self.ranges, self.tops, self.first = ranges, tops, first
        self.slim = len(rooms) > ROOMS
        # the days of a group's history begin where the clinic's own end
        days = f"({first // ROOMS + 1} + (k - {first}) / {len(rooms)})" if self.slim else f"(k / {len(rooms)})"
        # working days only: five of them are a week
        self.shift = f"({group.step} * make_interval(days => ({days} / 5) * 7 + {days} %% 5))"
        self.rooms = _cycle([room.pk for room in rooms])
        self.operators = _cycle([user.pk for user in people["physicians"][: len(rooms)]])
        self.responsible = _cycle([user.pk for user in people["physicians"]])
        # a group that begins on a Friday steps back through a week, one that begins on a Monday steps forward

    def statement(self, model: type[models.Model]) -> str:
        fields = model._meta.concrete_fields
        columns = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join(self._value(model, field) for field in fields)
        return (
            f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {values} '
            f'FROM "{model._meta.db_table}" t, generate_series(%s::int, %s::int) k WHERE t.id > %s AND t.id <= %s'
            + (f" AND t.id %% {SLIM} = 0" if self.slim and model in SLIMMED else "")
        )

    def _value(self, model: type[models.Model], field: models.Field) -> str:
        special = self._special(model, field)
        if special:
            return special
        column = f't."{field.column}"'
        if field.primary_key:
            return self._key(model, column)
        if field.is_relation and field.related_model in self.ranges:
            return self._key(field.related_model, column)
        if isinstance(field, models.DateTimeField):
            return f"{column} + {self.shift}"
        if field.get_internal_type() == "DateTimeRangeField":
            return f"tstzrange(lower({column}) + {self.shift}, upper({column}) + {self.shift})"
        return column

    def _key(self, model: type[models.Model], column: str) -> str:
        low, high = self.ranges[model]
        return f"{column} + {self.tops[model] - high} + (k - {self.first} + 1) * {high - low}"

    def _special(self, model: type[models.Model], field: models.Field) -> str:
        key = self._key(model, "t.id")
        case = self._key(p.Procedure, 't."subject_id"')
        version = self._key(p.ResultVersion, "v")
        given, family, number = _pick(GIVEN, key), _pick(FAMILY, f"({key} / 7)"), f"'B' || lpad(({key})::text, 7, '0')"
        return {
            (p.Patient, "given_name"): given,
            (p.Patient, "family_name"): family,
            (p.Patient, "birth_date"): f"t.birth_date - (({key}) * 37 %% 9000)::int",
            (p.Patient, "search_text"): f"upper({family} || ' ' || {given} || ' ' || {number})",
            # a patient's number is the identifier's: both tables hold one row per patient
            (p.PatientIdentifier, "value"): f"'B' || lpad(({self._key(p.Patient, 't.patient_id')})::text, 7, '0')",
            (p.Procedure, "code"): f"upper(substr(md5(({key})::text), 1, 12))",
            (p.Procedure, "room"): f"CASE WHEN t.room_id IS NULL THEN NULL ELSE {self.rooms} END",
            (p.Procedure, "operator"): f"CASE WHEN t.operator_id IS NULL THEN NULL ELSE {self.operators} END",
            (p.Procedure, "responsible"): self.responsible,
            (f.PatientContact, "told_versions"): f"ARRAY(SELECT {version} FROM unnest(t.told_versions) v)",
            (f.FollowUp, "subject_id"): case,
            (f.FollowUp, "responsible"): self.responsible,
            (f.Message, "key"): f"t.key || ':' || ({key})::text",
            (f.TextMessage, "provider_id"): f"'SM' || ({key})::text || 'c'",
            (p.InboundMessage, "control_id"): f"'C' || ({key})::text",
            (p.InboundMessage, "digest"): f"md5(({key})::text)",
        }.get((model, field.name), "")


def _cycle(keys: Sequence[int]) -> str:
    return f"(ARRAY{list(keys)})[1 + k %% {len(keys)}]"


def _pick(names: Sequence[str], number: str) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    return f"(ARRAY[{listed}])[1 + ({number})::int %% {len(names)}]"


def _largest(model: type[models.Model]) -> int:
    return model._default_manager.aggregate(top=models.Max("pk"))["top"] or 0


def _working_day(offset: int) -> datetime:
    """Eight in the morning, so many working days from the next Monday (0 and later) or the last Friday (before)."""
    today = timezone.localtime(clock.now()).replace(hour=8, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7 if today.weekday() > 4 else 0)
    if offset >= 0:
        return monday if today.weekday() > 4 else today
    return monday - timedelta(days=3) - timedelta(weeks=(-offset - 1) // 5)


def staff() -> dict[str, list[User]]:
    made: dict[str, list[User]] = {}
    for role, count in ((Role.PHYSICIAN, 6), (Role.NURSE, 6), (Role.SCHEDULER, 2), (Role.DIRECTOR, 1)):
        made[f"{role}s"] = [_person(role, number) for number in range(1, count + 1)]
    return made


def _former() -> tuple[list[Room], dict[str, list[User]]]:
    """Rooms that are used no more, and physicians who have left: one of each for each case of an hour."""
    rooms = [Room(name=f"Former room {n}", is_active=False) for n in range(1, GROUP_ROOMS + 1)]
    known = list(Room.objects.filter(is_active=False).order_by("pk"))
    if not known:
        known = Room.objects.bulk_create(rooms)
        for number in range(1, GROUP_ROOMS + 1):
            _person(Role.PHYSICIAN, 1000 + number)
        User.objects.filter(username__startswith=f"{Role.PHYSICIAN}1", pk__gt=15).update(is_active=False)
    return known, {"physicians": list(User.objects.filter(is_active=False).order_by("pk"))}


def _laboratories() -> None:
    for number in range(1, 4):
        p.Laboratory.objects.create(
            name=f"Laboratory {number}",
            sending_facility=f"LAB {number}",
            zone="America/New_York",
            is_default=number == 1,
        )
    p.InboundMessage.objects.update(laboratory=p.Laboratory.objects.order_by("pk")[0])


def _absences(people: dict[str, list[User]]) -> None:
    """Two are away now, and everybody was away and will be."""
    now, staff = clock.now(), [user for users in people.values() for user in users]
    for place, user in enumerate(staff):
        other = staff[place - 1]
        for weeks in (-30, -20, -10, 10) + ((0,) if place in (2, 8) else ()):
            begin = now + timedelta(weeks=weeks, days=-1)
            Absence.objects.create(
                user=user, surrogate=other, starts_at=begin, ends_at=begin + timedelta(days=5), accepted_at=begin
            )


def _series(people: dict[str, list[User]]) -> None:
    """Patients who come again and again: as many as a clinic has at a time, and some that have ended."""
    case = p.Procedure.objects.filter(status="requested").order_by("pk")[0]
    for number in range(60):
        patient = p.Patient.objects.create(
            given_name=GIVEN[number % len(GIVEN)], family_name="Series", birth_date=case.patient.birth_date
        )
        p.PatientIdentifier.objects.create(patient=patient, authority="CLINIC", value=f"S{number:07d}")
        ended = {"status": "ended", "ended_at": clock.now(), "ended_because": "stopped", "end_reason": "not needed"}
        row = p.Series.objects.create(
            patient=patient,
            protocol=case.protocol_version.protocol,
            indication=case.indication,
            variant=case.variant,
            location=case.location,
            responsible=people["physicians"][0],
            interval_days=14,
            at="09:00",
            started_at=clock.now() - timedelta(days=60),
            **(ended if number % 3 == 0 else {}),
        )
        reconcile.series(row.pk)


def _person(role: Role, number: int) -> User:
    user = User(username=f"{role}{number}", full_name=f"{role.title()} {number}", roles=[str(role)])
    user.email = f"{role}{number}@clinic.test"
    user.set_unusable_password()
    user.save(force_insert=True)
    return user


def _check_closed(procedure: p.Procedure) -> None:
    procedure.refresh_from_db(fields=["closed_at"])
    if procedure.closed_at is None:
        left = f.FollowUp.objects.filter(procedure=procedure, closed_at__isnull=True).values_list("key", flat=True)
        raise SystemExit(f"a model case that should be closed still promises {', '.join(left)}")


def _audit(cursor: object, before: int) -> None:
    """The trail of a case: as many rows as a quiet one leaves."""
    cursor.execute(  # type: ignore[attr-defined]
        f"INSERT INTO {AuditEntry._meta.db_table} "
        "(action, at, recorded_at, actor_id, actor_name, via, subject_type, subject_id, patient_id, data, reason) "
        "SELECT CASE n %% 3 WHEN 0 THEN 'chart.read' WHEN 1 THEN 'test.received' ELSE 'procedure.scheduled' END, "
        "c.requested_at, c.requested_at, c.responsible_id, 'Physician', 'web', 'procedures.procedure', c.id, "
        "c.patient_id, '{}', '' FROM procedures_procedure c, generate_series(1, %s) n WHERE c.id > %s",
        [AUDIT_ROWS, before],
    )
