"""Addresses of what laboratories sent. A message is named by its number: no personal data in a URL."""

from __future__ import annotations

from django.urls import URLPattern, path

from procedures.views import inbound_messages, laboratories, taken_back, unmatched

urlpatterns: list[URLPattern] = [
    path("results/unmatched/", unmatched.unmatched, name="unmatched"),
    path("results/unmatched/<int:pk>/", unmatched.unmatched_message, name="unmatched_message"),
    path("results/unmatched/<int:pk>/look/", unmatched.unmatched_look, name="unmatched_look"),
    path("results/unmatched/<int:pk>/attach/", unmatched.unmatched_attach, name="unmatched_attach"),
    path("results/unmatched/<int:pk>/reject/", unmatched.unmatched_reject, name="unmatched_reject"),
    path("results/messages/", inbound_messages.messages_page, name="inbound_messages"),
    path("results/messages/<int:pk>/", inbound_messages.message, name="inbound_message"),
    path("results/messages/<int:pk>/again/", inbound_messages.again, name="inbound_again"),
    path("results/messages/<int:pk>/close/", inbound_messages.close, name="inbound_close"),
    path("results/messages/<int:pk>/document/<int:line>/", inbound_messages.document, name="inbound_document"),
    path("results/attached/<int:pk>/undo/", inbound_messages.undo, name="inbound_undo"),
    path("results/taken-back/<int:pk>/", taken_back.taken_back, name="taken_back"),
    path("laboratories/", laboratories.laboratories, name="laboratories"),
    path("laboratories/new/", laboratories.laboratory_new, name="laboratory_new"),
    path("laboratories/<int:pk>/", laboratories.laboratory, name="laboratory"),
    path("laboratories/<int:pk>/change/", laboratories.laboratory_edit, name="laboratory_edit"),
    path("laboratories/<int:pk>/codes/add/", laboratories.code_add, name="code_add"),
    path("laboratories/<int:pk>/codes/<int:mapping>/remove/", laboratories.code_remove, name="code_remove"),
    path("laboratories/<int:pk>/again/", laboratories.replay_waiting, name="replay_waiting"),
]
