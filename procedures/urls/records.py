"""Addresses of procedure records."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import records

urlpatterns: list[URLPattern] = [
    path("cases/<str:code>/record/", records.record, name="record"),
    path("cases/<str:code>/record/hints/", records.record_hint, name="record_hint"),
    path("cases/<str:code>/record/sign/", records.record_sign, name="record_sign"),
    path("cases/<str:code>/record/amend/", records.record_amend, name="record_amend"),
    path("cases/<str:code>/record/note/", records.record_note, name="record_note"),
]
