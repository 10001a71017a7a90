"""Addresses of the engine's own pages."""

from __future__ import annotations

from django.urls import path

from followups.views import engine, metrics, outbox

urlpatterns = [
    path("engine/", engine.engine, name="engine"),
    path("engine/messages/<int:pk>/send-again/", outbox.send_again, name="send_again"),
    path("engine/messages/<int:pk>/dealt-with/", outbox.dealt_with, name="dealt_with"),
    path("engine/messages/<int:pk>/came-back/", outbox.came_back, name="came_back"),
    path("metrics", metrics.metrics, name="metrics"),
    path("mail/", engine.mail, name="mail"),
    path("demo/clock/", engine.demo_clock, name="demo_clock"),
]
