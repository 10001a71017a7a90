"""Addresses of the facts of care. A case is named by its code: no personal data in a URL."""

from __future__ import annotations

from procedures.urls import (
    bookings,
    checklists,
    clearance,
    couriers,
    inbound,
    labs,
    patients,
    records,
    results,
    series,
    uploads,
)

app_name = "procedures"
urlpatterns = [
    *patients.urlpatterns,
    *bookings.urlpatterns,
    *checklists.urlpatterns,
    *clearance.urlpatterns,
    *records.urlpatterns,
    *labs.urlpatterns,
    *inbound.urlpatterns,
    *couriers.urlpatterns,
    *results.urlpatterns,
    *series.urlpatterns,
    *uploads.urlpatterns,
]
