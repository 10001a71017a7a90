"""Addresses of the engine's own pages."""

from __future__ import annotations

from django.urls import path

from followups.views import engine

urlpatterns = [
    path("engine/", engine.engine, name="engine"),
    path("engine/messages/<int:pk>/send-again/", engine.send_again, name="send_again"),
    path("mail/", engine.mail, name="mail"),
    path("demo/clock/", engine.demo_clock, name="demo_clock"),
]
