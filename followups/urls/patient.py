"""Addresses of the patient's own pages. A token always holds a dot, which no other of these addresses does."""

from __future__ import annotations

from django.urls import path

from followups.views import gate

urlpatterns = [
    path("p/<str:token>/", gate.gate, name="patient_gate"),
]
