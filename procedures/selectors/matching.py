"""What a laboratory's message is compared with: a fixed number of queries, however long the message is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q

from clinic.ready_query import ReadyQuery
from procedures.domain import identity, matching, parts
from procedures.domain.protocol import Protocol as ProtocolData
from procedures.domain.report import Report
from procedures.domain.states import ProcedureStatus, TestStatus
from procedures.domain.test_codes import Mapped, Target
from procedures.models import CodeMapping, Laboratory, LabTest, Patient, Procedure, ProtocolVersion, Specimen
from procedures.selectors import code_data

#: A result of these is still awaited.
OPEN = frozenset(TestStatus) - {TestStatus.FINAL, TestStatus.CORRECTED, TestStatus.CANCELLED}

# asked for every message: written once
CASES = ReadyQuery(
    lambda *patients: (
        Procedure.objects.filter(patient_id__in=patients)
        .select_related("protocol_version")
        .defer("protocol_version__data")
        .order_by("pk")
    )
)
TUBES = ReadyQuery(lambda *cases: Specimen.objects.filter(procedure__in=cases).order_by("pk"))
TESTS = ReadyQuery(lambda *cases: LabTest.objects.filter(procedure__in=cases).order_by("pk"))
MAPPED = ReadyQuery(
    lambda laboratory: (
        CodeMapping.objects.filter(laboratory=laboratory, is_active=True).select_related("protocol").order_by("pk")
    )
)
PROTOCOLS = ReadyQuery(
    lambda: (
        ProtocolVersion.objects.filter(protocol__is_active=True)
        .order_by("protocol_id", "-number")
        .distinct("protocol_id")
        .defer("data")
    )
)


def laboratory_of(application: str, facility: str) -> Laboratory | None:
    """The laboratory in use whose messages are marked so; the one that names both before one that names one."""
    rows = Laboratory.objects.filter(
        Q(sending_application="") | Q(sending_application=application),
        Q(sending_facility="") | Q(sending_facility=facility),
        is_active=True,
    ).exclude(sending_application="", sending_facility="")
    found = sorted(rows, key=lambda lab: (-bool(lab.sending_application) - bool(lab.sending_facility), lab.pk))
    return found[0] if found else None


def known_for(report: Report, laboratory: Laboratory | None) -> parts.Known:
    """Everything that the message is compared with."""
    authorities = dict(laboratory.authorities) if laboratory else {}
    people = [parts.person_of(report, group) for group in report.groups]
    numbers = {number for person in people if person is not None for number in identity.numbers(person, authorities)}
    patients = with_numbers(numbers)
    return parts.Known(
        authorities=authorities,
        patients=patients,
        cases=cases_of([patient.id for patient in patients]),
        owners=owners_of(parts.numbers_of(report)),
        mapped=mapped_of(laboratory),
        protocols=newest_protocols(),
        fluids=code_data.fluids(),
        words=code_data.words(),
        laboratory_known=laboratory is not None,
    )


def with_numbers(numbers: Iterable[tuple[str, str]]) -> tuple[identity.Known, ...]:
    """Whoever bears one of these (authority, number)."""
    wanted = Q(pk__in=())
    for authority, value in numbers:
        wanted |= Q(identifiers__authority=authority, identifiers__value=value)
    rows = Patient.objects.filter(wanted).distinct() if numbers else Patient.objects.none()
    return known_patients(rows.prefetch_related("identifiers"))


def known_patients(rows: Iterable[Patient]) -> tuple[identity.Known, ...]:
    return tuple(
        identity.Known(
            id=row.pk,
            numbers=frozenset((i.authority, i.value) for i in row.identifiers.all()),
            family_name=row.family_name,
            given_name=row.given_name,
            birth_date=row.birth_date,
        )
        for row in rows
    )


def born_on(report: Report) -> tuple[identity.Known, ...]:
    """Who may be meant though no number says so: born on the day, and of a name that may be the same. For people."""
    people = [person for group in report.groups if (person := parts.person_of(report, group)) is not None]
    days = {person.birth_date for person in people if person.birth_date is not None}
    rows = Patient.objects.filter(birth_date__in=days).prefetch_related("identifiers").order_by("pk")
    return tuple(patient for patient in known_patients(rows) if any(identity.may_be(p, patient) for p in people))


def cases_of(patients: Iterable[int]) -> dict[int, tuple[matching.Case, ...]]:
    """The cases of these patients. Three queries."""
    ids = list(patients)
    if not ids:
        return {}
    rows = list(CASES.of_all(ids))
    keys = [row.pk for row in rows]
    tubes: dict[int, list[Specimen]] = defaultdict(list)
    for tube in TUBES.of_all(keys):
        tubes[tube.procedure_id].append(tube)
    tests: dict[int, list[LabTest]] = defaultdict(list)
    for test in TESTS.of_all(keys):
        tests[test.procedure_id].append(test)
    found: dict[int, list[matching.Case]] = defaultdict(list)
    for row in rows:
        found[row.patient_id].append(_case(row, tubes[row.pk], tests[row.pk]))
    return {pk: tuple(cases) for pk, cases in found.items()}


def case(row: Procedure) -> matching.Case:
    """``row`` with its tubes and tests at hand."""
    return _case(row, row.specimens.all(), row.tests.all())


def _case(row: Procedure, tubes: Iterable[Specimen], tests: Iterable[LabTest]) -> matching.Case:
    protocol: ProtocolData = row.protocol_version.parsed
    fluids = {container.code: container.fluid for container in protocol.containers}
    return matching.Case(
        id=row.pk,
        code=row.code,
        protocol=protocol,
        in_error=row.status == ProcedureStatus.ENTERED_IN_ERROR,
        started_at=row.started_at,
        tubes=tuple(
            matching.Tube(
                id=tube.pk,
                number=tube.accession,
                collected_at=tube.collected_at,
                fluid=fluids.get(tube.container, ""),
            )
            for tube in tubes
        ),
        orders=tuple(
            matching.Order(
                id=test.pk,
                code=test.code,
                number=test.order_number,
                tube_id=test.specimen_id,
                collected_at=test.collected_at,
                open=TestStatus(test.status) in OPEN,
            )
            for test in tests
        ),
    )


def owners_of(numbers: Iterable[str]) -> dict[str, int]:
    """Whose tube or order each of these numbers is."""
    wanted = list(numbers)
    if not wanted:
        return {}
    tubes = Specimen.objects.filter(accession__in=wanted).values_list("accession", "procedure__patient_id")
    orders = LabTest.objects.filter(order_number__in=wanted).values_list("order_number", "procedure__patient_id")
    cases = Procedure.objects.filter(code__in=wanted).values_list("code", "patient_id")
    return dict([*cases, *orders, *tubes])


def mapped_of(laboratory: Laboratory | None) -> dict[str, tuple[Mapped, ...]]:
    """The codes that people have mapped for this laboratory, by protocol."""
    if laboratory is None:
        return {}
    found: dict[str, list[Mapped]] = defaultdict(list)
    for row in MAPPED.rows(laboratory.pk):
        found[row.protocol.code].append(Mapped(row.system, row.code, Target(row.test, row.component)))
    return {code: tuple(mapped) for code, mapped in found.items()}


def newest_protocols() -> tuple[ProtocolData, ...]:
    """The newest version of every kind of procedure in use."""
    return tuple(row.parsed for row in PROTOCOLS.rows())
