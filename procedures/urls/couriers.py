"""The address of the way to a laboratory."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import couriers

urlpatterns: list[URLPattern] = [path("laboratories/<int:pk>/courier/", couriers.courier, name="laboratory_courier")]
