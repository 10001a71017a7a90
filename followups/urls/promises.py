"""Addresses of what people do with a promise."""

from __future__ import annotations

from django.urls import path

from followups.views import handover, promises

urlpatterns = [
    path("handover/", handover.handover, name="handover"),
    path("promises/<int:pk>/take/", promises.take, name="take"),
    path("promises/<int:pk>/hand-over/", promises.hand_over, name="hand_over"),
    path("promises/<int:pk>/snooze/", promises.snooze, name="snooze"),
    path("promises/<int:pk>/note/", promises.note, name="note"),
]
