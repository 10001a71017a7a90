"""Who gets what from the sheets for a patient and from the form before the visit: rows for role_matrix.py."""

from __future__ import annotations

from typing import Any

from tests import make
from tests.views.role_rows import CLOSED, READERS, WRITERS, Case, Row, allow, public


def planned(case: Case) -> dict[str, Any]:
    return {"code": make.procedure("lumbar_puncture", status="scheduled").code}


def sheet(case: Case) -> dict[str, Any]:
    return {**planned(case), "which": "before"}


def question(case: Case) -> dict[str, Any]:
    return {"question": "latex"}


#: The patient's own pages open for the browser that knew the birth date, and for no member of the staff.
LEAFLETS: dict[str, Row] = {
    "followups:leaflet": allow(*READERS, others=404, kwargs=sheet),
    "followups:leaflet writing": allow(*WRITERS, ok=303, method="post", kwargs=sheet, **CLOSED),
    "followups:before_form": allow(*READERS, others=404, kwargs=planned),
    "followups:before_form writing": allow(*WRITERS, ok=303, method="post", kwargs=planned, **CLOSED),
    "followups:patient_before": public(ok=404),
    "followups:patient_before_check": public(ok=404),
    "followups:patient_before_sent": public(ok=404),
    "followups:patient_before_question": public(ok=404, kwargs=question),
}
