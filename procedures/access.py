"""The doors to patients and procedures: 404 for what may not be seen, 403 for what may not be changed.

One clinic per installation: every clinical role sees every chart; the scheduler sees identity and booking; the
administrator sees neither.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from clinic.actor import Actor
from clinic.one_statement import OneStatement, Parts, keep_prefetched
from clinic.roles import CLINICAL, STAFF, Role
from procedures.models import LabTest, Patient, PatientIdentifier, Procedure, ResultVersion, Series, Specimen

#: Who may do what; each name is used by the views that need it.
BOOK = frozenset({Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN})
RECEIVE = frozenset({Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN})  # arrival and no-show
CHECK = frozenset({Role.NURSE, Role.PHYSICIAN})
OPERATE = frozenset({Role.PHYSICIAN})
LABORATORY = frozenset({Role.NURSE, Role.PHYSICIAN})
UPLOAD = frozenset({Role.NURSE, Role.DIRECTOR})  # files of a laboratory
REVIEW = frozenset({Role.PHYSICIAN})
CONTACT = frozenset({Role.NURSE, Role.PHYSICIAN})
INBOUND = CLINICAL  # what laboratories sent: look, place, reject
LABORATORIES = frozenset({Role.NURSE, Role.DIRECTOR, Role.ADMINISTRATOR})  # which there are, and their codes
COUNTERSIGN = frozenset({Role.PHYSICIAN, Role.DIRECTOR})  # an emergency start of somebody else


def _see(actor: Actor, roles: frozenset[Role]) -> None:
    if not actor.has(*roles):
        raise Http404


def _change(actor: Actor, roles: frozenset[Role] | None) -> None:
    if roles is not None and not actor.has(*roles):
        raise PermissionDenied


def patients(actor: Actor) -> QuerySet[Patient]:
    """All patients for staff; none (404) for an administrator."""
    _see(actor, STAFF)
    return Patient.objects.all()


def patient_for(actor: Actor, pk: int, *, need: frozenset[Role] | None = None) -> Patient:
    """The patient, for identity and booking. ``need``: roles that may change it."""
    patient = patients(actor).prefetch_related("identifiers").filter(pk=pk).first()
    if patient is None:
        raise Http404
    _change(actor, need)
    return patient


def procedure_for(actor: Actor, code: str, *, need: frozenset[Role] | None = None, chart: bool = True) -> Procedure:
    """The case by its code. ``chart=False`` is the booking side alone, which a scheduler may see."""
    _see(actor, CLINICAL if chart else STAFF)
    rows = CASE.rows(code=code)
    procedure: Procedure | None = next(iter(rows["case"]), None)
    if procedure is None:
        raise Http404
    _change(actor, need)
    keep_prefetched(procedure.patient, "identifiers", rows["identifiers"])
    return procedure


def _case(code: Any) -> Parts:
    rows = Procedure.objects.select_related(
        "patient", "protocol_version__protocol", "responsible", "operator", "room", "series"
    )
    return {
        "case": rows.defer("protocol_version__data").filter(code=code),  # large, and parsed once per process
        "identifiers": PatientIdentifier.objects.filter(patient__procedures__code=code),
    }


CASE = OneStatement(_case)


def series_for(actor: Actor, code: str, *, need: frozenset[Role] | None = None) -> Series:
    """A series by its code: identity and booking, which a scheduler may see as well."""
    _see(actor, STAFF)
    rows = Series.objects.select_related("patient", "protocol", "responsible", "operator", "room")
    series = rows.prefetch_related("patient__identifiers").filter(code=code).first()
    if series is None:
        raise Http404
    _change(actor, need)
    return series


def test_for(actor: Actor, code: str, pk: int, *, need: frozenset[Role] | None = None) -> LabTest:
    """A test of the case ``code``; one of another case is not found."""
    procedure = procedure_for(actor, code, need=need)
    test = procedure.tests.select_related("specimen").filter(pk=pk).first()
    if test is None:
        raise Http404
    test.procedure = procedure
    return test


def specimen_for(actor: Actor, code: str, pk: int, *, need: frozenset[Role] | None = None) -> Specimen:
    """A specimen of the case ``code``."""
    procedure = procedure_for(actor, code, need=need)
    specimen = procedure.specimens.filter(pk=pk).first()
    if specimen is None:
        raise Http404
    specimen.procedure = procedure
    return specimen


def result_for(actor: Actor, pk: int, *, need: frozenset[Role] | None = None) -> ResultVersion:
    """A version of a result, with its test and case."""
    _see(actor, CLINICAL)
    rows = RESULT.rows(pk=pk)
    version: ResultVersion | None = next(iter(rows["version"]), None)
    if version is None:
        raise Http404
    _change(actor, need)
    keep_prefetched(version.test.procedure.patient, "identifiers", rows["identifiers"])
    return version


def _result(pk: Any) -> Parts:
    rows = ResultVersion.objects.select_related(
        "test__procedure__patient", "test__procedure__protocol_version__protocol", "test__procedure__responsible"
    )
    return {
        "version": rows.defer("test__procedure__protocol_version__data").filter(pk=pk),
        "identifiers": PatientIdentifier.objects.filter(patient__procedures__tests__versions=pk),
    }


RESULT = OneStatement(_result)
