"""Addresses of the case page."""

from __future__ import annotations

from django.urls import path

from followups.views import cases

urlpatterns = [
    path("cases/<str:code>/", cases.case, name="case"),
    path("cases/<str:code>/summary/", cases.summary, name="case_summary"),
]
