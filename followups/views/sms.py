"""What a provider of text messages tells us: texts that come in, and what became of those we sent.

No log-in and no cookie: each request is signed with the account's token. Nothing of it is logged but our own numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from clinic.client_address import client_address
from followups.domain import sms_report, sms_signature
from followups.models import Message
from followups.services import messages, slow_down, texts

logger = logging.getLogger(__name__)
Answer = Callable[[HttpRequest, Mapping[str, str]], HttpResponse]
SIGNATURE = "X-Twilio-Signature"


def _signed(answer: Answer) -> Callable[[HttpRequest], HttpResponse]:
    """Only what is signed gets in; an installation without a provider has no such address."""

    @csrf_exempt
    @login_not_required
    @require_POST
    @sensitive_post_parameters()
    def view(request: HttpRequest) -> HttpResponse:
        if not settings.SMS_TOKEN:
            raise Http404
        address = client_address(request)
        if slow_down.too_many(address):
            return HttpResponse(status=429, headers={"Retry-After": str(round(slow_down.WINDOW.total_seconds()))})
        fields = {name: str(request.POST[name]) for name in request.POST}
        url = settings.SITE_URL + request.get_full_path()
        signature = request.headers.get(SIGNATURE, "")
        if not sms_signature.is_right(token=settings.SMS_TOKEN, url=url, fields=fields, signature=signature):
            slow_down.count(address)
            logger.warning("sms: a request that is not signed by the provider")
            return HttpResponse(status=403)
        return answer(request, fields)

    return view


def _received(request: HttpRequest, fields: Mapping[str, str]) -> HttpResponse:
    provider_id, number = fields.get("MessageSid", "")[:64], fields.get("From", "")[:32]
    if not provider_id or not number:
        return HttpResponse(status=400)
    found = texts.receive(provider_id=provider_id, number=number, body=fields.get("Body", ""))
    words = f"<Message>{escape(found.answer)}</Message>" if found.answer else ""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{words}</Response>'
    return HttpResponse(body, content_type="text/xml; charset=utf-8")


def _reported(request: HttpRequest, fields: Mapping[str, str]) -> HttpResponse:
    report = sms_report.report(fields)
    rows = Message.objects.select_related("follow_up__procedure", "patient")
    message = rows.filter(key=request.GET.get("key", ""), channel="sms").first()
    if message is None or not report:
        logger.warning("sms: a report about no text of ours, or without a state")
        return HttpResponse(status=204)
    delivered, failed = sms_report.delivered(report), sms_report.failed(report)
    messages.reported(message=message, report=report, delivered=delivered, failed=failed)
    return HttpResponse(status=204)


inbound = _signed(_received)
report = _signed(_reported)
