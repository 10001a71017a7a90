"""The tests, tubes and results of one case with the patient's banner, in one statement: for the pages of results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from clinic.models.users import names_alone
from clinic.one_statement import OneStatement, Parts, Rows, keep_prefetched
from procedures.models import CriticalReadBack, InboundItem, LabTest, Procedure, ResultVersion
from procedures.selectors import banner, clearance


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """``tests`` by their keys; ``versions`` by the key of their test, oldest first, each with its test, the messages
    that said it and the calls that were written down about it. ``rows`` as they came.
    """

    tests: tuple[LabTest, ...]
    versions: dict[int, list[ResultVersion]]
    rows: Rows

    @property
    def ordered(self) -> set[str]:
        """Codes of the tests that are not cancelled."""
        return {test.code for test in self.tests if test.status != "cancelled"}

    def of(self, test: LabTest) -> list[ResultVersion]:
        return self.versions.get(test.pk, [])


def read(procedure: Procedure) -> Laboratory:
    """One query."""
    statement = _statement(tuple(banner.codes_of(procedure)), procedure.state in banner.BEFORE_THE_NEEDLE)
    rows = statement.rows(case=procedure.pk, patient=procedure.patient_id)
    items, calls = _by_version(rows["items"]), _by_version(rows["read_backs"])
    tests = {test.pk: test for test in rows["tests"]}
    versions: dict[int, list[ResultVersion]] = {}
    for test in tests.values():
        test.procedure = procedure
    for version in rows["versions"]:
        version.test = tests[version.test_id]
        keep_prefetched(version, "inbound_items", items.get(version.pk, []))
        keep_prefetched(version, "read_backs", calls.get(version.pk, []))
        versions.setdefault(version.test_id, []).append(version)
    return Laboratory(tests=tuple(tests.values()), versions=versions, rows=rows)


@cache  # for the questions that a protocol names
def _statement(codes: tuple[str, ...], before: bool) -> OneStatement:
    def write(case: Any, patient: Any) -> Parts:
        return {**_parts(case), **banner.parts(patient, codes), **(clearance.parts(case) if before else {})}

    return OneStatement(write)


def _parts(case: Any) -> Parts:
    versions = ResultVersion.objects.filter(test__procedure=case).select_related("entered_by")
    read_backs = CriticalReadBack.objects.filter(version__test__procedure=case).select_related("by")
    items = InboundItem.objects.filter(version__test__procedure=case).only("version", "message")
    return {
        "tests": LabTest.objects.filter(procedure=case).select_related("specimen").order_by("pk"),
        "versions": versions.defer(*names_alone("entered_by")).order_by("test_id", "number"),
        "items": items,
        "read_backs": read_backs.defer(*names_alone("by")),
    }


def _by_version(rows: list[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.version_id, []).append(row)
    return found
