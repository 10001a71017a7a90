"""Addresses of the case page."""

from __future__ import annotations

from django.urls import path

from followups.views import cases, leaflets

urlpatterns = [
    path("cases/<str:code>/", cases.case, name="case"),
    path("cases/<str:code>/summary/", cases.summary, name="case_summary"),
    path("cases/<str:code>/leaflets/before/form/", leaflets.before_form, name="before_form"),
    path("cases/<str:code>/leaflets/<slug:which>/", leaflets.leaflet, name="leaflet"),
]
