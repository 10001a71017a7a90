"""Addresses of the patient's own pages. A token always holds a dot, so it is none of these words."""

from __future__ import annotations

from django.urls import path

from followups.views import before, gate, patient_symptoms

urlpatterns = [
    path("p/before/", before.start, name="patient_before"),
    path("p/before/check/", before.check, name="patient_before_check"),
    path("p/before/sent/", before.sent, name="patient_before_sent"),
    path("p/before/ask/<slug:question>/", before.question, name="patient_before_question"),
    path("p/you/", patient_symptoms.begin, name="patient_symptoms"),
    path("p/you/last/", patient_symptoms.last, name="patient_last"),
    path("p/you/done/", patient_symptoms.done, name="patient_done"),
    path("p/you/<slug:code>/", patient_symptoms.question, name="patient_question"),
    path("p/you/<slug:code>/now/", patient_symptoms.now, name="patient_now"),
    path("p/<str:token>/", gate.gate, name="patient_gate"),
]
