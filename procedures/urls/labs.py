"""Addresses of orders and tubes."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import labs

urlpatterns: list[URLPattern] = [
    path("cases/<str:code>/tests/", labs.tests, name="tests"),
    path("cases/<str:code>/tests/add/", labs.test_add, name="test_add"),
    path("cases/<str:code>/tests/<int:pk>/cancel/", labs.test_cancel, name="test_cancel"),
    path("cases/<str:code>/tests/<int:pk>/recollect/", labs.test_recollect, name="test_recollect"),
    path("cases/<str:code>/specimens/", labs.specimens, name="specimens"),
    path("cases/<str:code>/specimens/labels/", labs.labels, name="labels"),
    path("cases/<str:code>/specimens/<int:pk>/hand-over/", labs.specimen_hand_over, name="specimen_hand_over"),
    path("cases/<str:code>/specimens/<int:pk>/receive/", labs.specimen_receive, name="specimen_receive"),
    path("cases/<str:code>/specimens/<int:pk>/loss/", labs.specimen_loss, name="specimen_loss"),
]
