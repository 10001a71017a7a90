"""Addresses of series. A series is named by its code: no personal data in a URL."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import series, series_change

urlpatterns: list[URLPattern] = [
    path("series/", series.series_list, name="series_list"),
    path("patients/<int:pk>/series/", series.new, name="series_new"),
    path("series/<str:code>/", series.show, name="series"),
    path("series/<str:code>/book/", series.book, name="series_book"),
    path("series/<str:code>/change/", series_change.change, name="series_change"),
    path("series/<str:code>/end/", series_change.end, name="series_end"),
    path("series/<str:code>/resume/", series_change.resume, name="series_resume"),
    path("series/<str:code>/distance/<str:case>/", series_change.accept_gap, name="series_gap"),
]
