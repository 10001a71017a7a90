"""Addresses of text messages: the provider's two, and the pages on which texts are read."""

from __future__ import annotations

from django.urls import path

from followups.views import sms, texts

urlpatterns = [
    path("sms/inbound/", sms.inbound, name="sms_inbound"),
    path("sms/report/", sms.report, name="sms_report"),
    path("texts/", texts.texts, name="texts"),
    path("texts/<int:pk>/", texts.text, name="text"),
]
