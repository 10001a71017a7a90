"""A page about one case's chart: its reading is written down, the patient's banner stands on top."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from clinic.access import record_read
from clinic.one_statement import Rows
from procedures.models import Procedure
from procedures.selectors import banner


def show(
    request: HttpRequest,
    template: str,
    procedure: Procedure,
    context: dict[str, object],
    *,
    invalid: bool,
    rows: Rows | None = None,
) -> HttpResponse:
    """The page; 422 with everything that was typed when the form was not valid. ``rows``: with the banner's parts,
    where they were read.
    """
    record_read(request, page=template, patient_ids=[procedure.patient_id], subject=procedure)
    context["banner"] = banner.of_procedure(procedure) if rows is None else banner.of_read(procedure, rows)
    return render(request, template, context, status=422 if invalid else 200)
