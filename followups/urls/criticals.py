"""Addresses of the critical results that nobody has read."""

from __future__ import annotations

from django.urls import path

from followups.views import criticals

urlpatterns = [
    path("critical/", criticals.criticals_page, name="criticals"),
    path("critical/strip/", criticals.strip, name="critical_strip"),
]
