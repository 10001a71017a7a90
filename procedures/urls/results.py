"""Addresses of results."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import results

urlpatterns: list[URLPattern] = [
    path("cases/<str:code>/tests/<int:pk>/results/", results.versions_page, name="results"),
    path("cases/<str:code>/tests/<int:pk>/results/new/", results.result_new, name="result_new"),
    path("cases/<str:code>/tests/<int:pk>/results/read-back/", results.result_read_back, name="result_read_back"),
    path("cases/<str:code>/tests/<int:pk>/results/withdraw/", results.result_withdraw, name="result_withdraw"),
]
