"""Addresses of the patient's own pages. A token always holds a dot, which no other of these addresses does."""

from __future__ import annotations

from django.urls import path

from followups.views import gate, patient_results

urlpatterns = [
    path("p/results/", patient_results.results, name="patient_results"),
    path("p/results/read/", patient_results.read, name="patient_results_read"),
    path("p/<str:token>/", gate.gate, name="patient_gate"),
]
