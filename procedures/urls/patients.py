"""Addresses of patients: a row's number names nobody."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import consents, patients

urlpatterns: list[URLPattern] = [
    path("patients/", patients.patients, name="patients"),
    path("patients/new/", patients.patient_new, name="patient_new"),
    path("patients/<int:pk>/", patients.patient, name="patient"),
    path("patients/<int:pk>/edit/", patients.patient_edit, name="patient_edit"),
    path("patients/<int:pk>/deceased/", patients.patient_deceased, name="patient_deceased"),
    path("patients/<int:pk>/messages/", consents.consents, name="consents"),
    path("patients/<int:pk>/encounter/", patients.patient_encounter, name="patient_encounter"),
]
