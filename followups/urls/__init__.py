"""Addresses of the promises and of the pages that show them."""

from __future__ import annotations

from followups.urls import (
    cases,
    contacts,
    criticals,
    engine,
    handovers,
    oversight,
    patient,
    promises,
    reviews,
    transfers,
    worklists,
)

app_name = "followups"
urlpatterns = [
    *cases.urlpatterns,
    *worklists.urlpatterns,
    *criticals.urlpatterns,
    *oversight.urlpatterns,
    *reviews.urlpatterns,
    *contacts.urlpatterns,
    *transfers.urlpatterns,
    *promises.urlpatterns,
    *engine.urlpatterns,
    *handovers.urlpatterns,
    *patient.urlpatterns,
]
