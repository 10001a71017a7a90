"""Addresses of a laboratory's files, given by hand."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import uploads

urlpatterns: list[URLPattern] = [
    path("results/upload/", uploads.upload, name="upload_results"),
    path("results/uploaded/", uploads.uploaded, name="uploaded_results"),
]
