"""Addresses of the patient's own pages. A token always holds a dot, so it is none of these words."""

from __future__ import annotations

from django.urls import path

from followups.views import gate, patient_symptoms

urlpatterns = [
    path("p/you/", patient_symptoms.begin, name="patient_symptoms"),
    path("p/you/last/", patient_symptoms.last, name="patient_last"),
    path("p/you/done/", patient_symptoms.done, name="patient_done"),
    path("p/you/<slug:code>/", patient_symptoms.question, name="patient_question"),
    path("p/you/<slug:code>/now/", patient_symptoms.now, name="patient_now"),
    path("p/<str:token>/", gate.gate, name="patient_gate"),
]
