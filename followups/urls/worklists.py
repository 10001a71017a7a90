"""Addresses of the boards and worklists."""

from __future__ import annotations

from django.urls import path

from followups.views import board, worklists

urlpatterns = [
    path("board/", board.board, name="board"),
    path("board/week/", board.week, name="week"),
    path("checklists/", worklists.checklists, name="checklists"),
    path("inbox/", worklists.inbox, name="inbox"),
    path("chase/", worklists.chase, name="chase"),
    path("loop/", worklists.loop, name="loop"),
]
