"""Addresses of the loop board's other pages, and of its files."""

from __future__ import annotations

from django.urls import path

from followups.views import indicators, open_items, overrides

urlpatterns = [
    path("loop/indicators/", indicators.indicators, name="indicators"),
    path("loop/indicators.csv", indicators.indicators_file, name="indicators_file"),
    path("loop/overrides/", overrides.overrides, name="overrides"),
    path("loop/overrides.csv", overrides.overrides_file, name="overrides_file"),
    path("loop/open-items.csv", open_items.open_items_file, name="open_items_file"),
    path("open-items/", open_items.open_items, name="open_items"),
]
