"""Addresses of reviews and of what they decided."""

from __future__ import annotations

from django.urls import path

from followups.views import reviews

urlpatterns = [
    path("results/<int:pk>/review/", reviews.review, name="review"),
    path("cases/<str:code>/review-normals/", reviews.review_normals, name="review_normals"),
    path("actions/<int:pk>/done/", reviews.action_done, name="action_done"),
]
