"""Who gets what from the pages about patients and bookings: rows for role_matrix.py."""

from __future__ import annotations

from typing import Any

from clinic.roles import Role
from tests import make
from tests.views.role_rows import WRITERS, Case, Row, allow

BOOKERS = (Role.SCHEDULER, *WRITERS)
STAFF = (*BOOKERS, Role.DIRECTOR)


def patient(case: Case) -> dict[str, Any]:
    return {"pk": make.patient().pk}


def asked(case: Case) -> dict[str, Any]:
    make.protocol_version("paracentesis")
    return patient(case)


def requested(case: Case) -> dict[str, Any]:
    return {"code": make.procedure().code}


def scheduled(case: Case) -> dict[str, Any]:
    return {"code": make.procedure(status="scheduled").code}


def series(case: Case) -> dict[str, Any]:
    return {"code": make.series().code}


def series_and_case(case: Case) -> dict[str, Any]:
    row = make.series()
    return {"code": row.code, "case": row.taps.get().code}


BOOKINGS: dict[str, Row] = {
    "procedures:patients": allow(*STAFF),
    "procedures:patient_new": allow(*BOOKERS),
    "procedures:patient": allow(*STAFF, kwargs=patient),
    "procedures:patient_edit": allow(*BOOKERS, kwargs=patient),
    "procedures:patient_deceased": allow(*BOOKERS, kwargs=patient),
    "procedures:consents": allow(*STAFF, others=404, kwargs=patient),
    "procedures:consents writing": allow(
        *BOOKERS,
        ok=303,
        method="post",
        kwargs=patient,
        data=lambda case: {"channel": "sms", "given": "no", "how": "spoken"},
        others=404,
        deviating={Role.DIRECTOR: 403},
    ),
    "procedures:patient_encounter": allow(
        *BOOKERS, ok=303, method="post", kwargs=patient, data=lambda case: {"encounter_class": "inpatient"}
    ),
    "procedures:new": allow(*BOOKERS),
    "procedures:request": allow(*BOOKERS, kwargs=asked),
    "procedures:schedule": allow(*BOOKERS, kwargs=requested),
    "procedures:unschedule": allow(*BOOKERS, ok=303, method="post", kwargs=scheduled),
    "procedures:cancel": allow(
        *BOOKERS, ok=303, method="post", kwargs=requested, data=lambda case: {"reason": "Fever"}
    ),
    "procedures:no_show": allow(*BOOKERS, ok=303, method="post", kwargs=scheduled),
    "procedures:reopen": allow(
        *BOOKERS, ok=303, method="post", kwargs=lambda case: {"code": make.procedure(status="cancelled").code}
    ),
    "procedures:arrive": allow(*BOOKERS, ok=303, method="post", kwargs=scheduled),
    "procedures:undo_arrival": allow(
        *BOOKERS, ok=303, method="post", kwargs=lambda case: {"code": make.procedure(status="arrived").code}
    ),
    "procedures:entered_in_error": allow(
        *BOOKERS, ok=303, method="post", kwargs=requested, data=lambda case: {"reason": "Wrong chart"}
    ),
    "procedures:series_list": allow(*STAFF),
    "procedures:series": allow(*STAFF, kwargs=series),
    "procedures:series_new": allow(*BOOKERS, kwargs=asked),
    "procedures:series_book": allow(*BOOKERS, kwargs=series),
    "procedures:series_change": allow(*BOOKERS, kwargs=series),
    "procedures:series_end": allow(*BOOKERS, kwargs=series),
    "procedures:series_resume": allow(
        *BOOKERS,
        ok=303,
        method="post",
        kwargs=lambda case: {"code": make.series(status="ended").code},
        data=lambda case: {"seen": 1},
    ),
    "procedures:series_gap": allow(*BOOKERS, kwargs=series_and_case),
    "procedures:start": allow(*WRITERS, kwargs=scheduled),
    "procedures:emergency": allow(Role.PHYSICIAN, kwargs=requested),
    "procedures:abandon_start": allow(
        *WRITERS, kwargs=lambda case: {"code": make.procedure(status="in_progress").code}
    ),
    "procedures:complete": allow(*WRITERS, kwargs=lambda case: {"code": make.procedure(status="in_progress").code}),
    "procedures:continue": allow(
        *WRITERS, kwargs=lambda case: {"code": make.procedure(status="completed", outcome="no_fluid").code}
    ),
}
