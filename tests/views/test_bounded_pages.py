"""A list that is cut says so: never a number that is not true."""

from __future__ import annotations

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from procedures.models import InboundMessage
from procedures.views import inbound_messages
from procedures.views.inbound_messages import Newest
from tests.factories import inbound
from tests.factories.work import NOW

pytestmark = pytest.mark.django_db


def test_more_than_are_counted_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound_messages, "MOST", 3)
    rows = [inbound.waits(NOW) for _ in range(3)]
    found = InboundMessage.objects.order_by("-pk")
    assert " of 3<" in render_to_string("components/pagination.html", {"page": Newest(found, 2).get_page(1)})
    rows.append(inbound.waits(NOW))
    with CaptureQueriesContext(connection) as asked:
        html = render_to_string("components/pagination.html", {"page": Newest(found, 2).get_page(2)})
    assert "3–3 of more than 3" in html
    assert "LIMIT 4" in asked[0]["sql"]
    assert "of 4<" in render_to_string("components/pagination.html", {"page": Paginator(rows, 2).get_page(1)})
