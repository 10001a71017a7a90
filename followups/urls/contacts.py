"""Addresses of the phone calls."""

from __future__ import annotations

from django.urls import path

from followups.views import contacts, reports

urlpatterns = [
    path("cases/<str:code>/tell/", contacts.tell, name="tell"),
    path("cases/<str:code>/symptoms/<slug:check_code>/", contacts.symptom_check, name="symptoms"),
    path("cases/<str:code>/reports/<int:pk>/", reports.report, name="report"),
]
