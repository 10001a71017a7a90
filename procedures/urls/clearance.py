"""Addresses of clearance: what the safety rules find, and what is decided about it."""

from __future__ import annotations

from django.urls import path

from procedures.views import clearance, rule_sets

urlpatterns = [
    path("cases/<slug:code>/clearance/", clearance.clearance, name="clearance"),
    path("cases/<slug:code>/clearance/seen/", clearance.clearance_seen, name="clearance_seen"),
    path("cases/<slug:code>/clearance/<int:pk>/sign/", clearance.clearance_sign, name="clearance_sign"),
    path("rules/", rule_sets.rule_sets, name="rule_sets"),
]
