"""Addresses of bookings."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import bookings, moves, starts

urlpatterns: list[URLPattern] = [
    path("new/", bookings.new, name="new"),
    path("patients/<int:pk>/request/", bookings.request_for, name="request"),
    path("cases/<str:code>/schedule/", bookings.schedule, name="schedule"),
    path("cases/<str:code>/unschedule/", moves.unschedule, name="unschedule"),
    path("cases/<str:code>/cancel/", moves.cancel, name="cancel"),
    path("cases/<str:code>/no-show/", moves.no_show, name="no_show"),
    path("cases/<str:code>/reopen/", moves.reopen, name="reopen"),
    path("cases/<str:code>/arrive/", moves.arrive, name="arrive"),
    path("cases/<str:code>/undo-arrival/", moves.undo_arrival, name="undo_arrival"),
    path("cases/<str:code>/entered-in-error/", moves.entered_in_error, name="entered_in_error"),
    path("cases/<str:code>/start/", starts.start, name="start"),
    path("cases/<str:code>/emergency/", starts.emergency, name="emergency"),
    path("cases/<str:code>/abandon-start/", starts.abandon_start, name="abandon_start"),
    path("cases/<str:code>/complete/", starts.complete, name="complete"),
    path("cases/<str:code>/continue/", starts.continue_elsewhere, name="continue"),
]
