"""Addresses of what goes with the patient, and of what an emergency or a drainage leaves behind."""

from __future__ import annotations

from django.urls import path

from followups.views import starts, transfers

urlpatterns = [
    path("cases/<str:code>/countersign/", starts.countersign, name="countersign"),
    path("cases/<str:code>/later-tests/<slug:item>/", starts.later_tests, name="later_tests"),
    path("cases/<str:code>/transfer/", transfers.transfer, name="transfer"),
    path("cases/<str:code>/transfer/<int:pk>/", transfers.transfer_answer, name="transfer_answer"),
    path("cases/<str:code>/pending/", transfers.transfer_print, name="transfer_print"),
]
