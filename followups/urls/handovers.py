"""The address of handing over everything that somebody holds."""

from __future__ import annotations

from django.urls import path

from followups.views import handovers

urlpatterns = [path("users/<int:pk>/hand-over/", handovers.hand_over_all, name="hand_over_all")]
