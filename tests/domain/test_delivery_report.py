"""Delivery reports as mail servers write them. Pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followups.domain import delivery_report
from followups.domain.delivery_report import Unreadable
from tests.factories.delivery_reports import report


def test_a_report_of_postfix_tells_action_status_and_original() -> None:
    found = delivery_report.parse(report("<12.1.0.0.5.email@clinic.test>"))
    assert (found.action, found.status, found.failed) == ("failed", "5.1.1", True)
    assert found.message_ids == ("<12.1.0.0.5.email@clinic.test>",)


@pytest.mark.parametrize("original", ["message/rfc822", "text/rfc822-headers"])
def test_the_original_is_found_whole_or_as_its_headers(original: str) -> None:
    assert delivery_report.parse(report("<a.b@clinic.test>", original=original)).message_ids == ("<a.b@clinic.test>",)


def test_without_the_original_the_report_may_name_it_as_what_it_answers() -> None:
    raw = report("", extra="In-Reply-To: <a.b@clinic.test>\n")
    assert delivery_report.parse(raw).message_ids == ("<a.b@clinic.test>",)


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_late_or_arrived_is_no_failure(action: str) -> None:
    assert not delivery_report.parse(report("<a@clinic.test>", action=action, status="4.4.7")).failed


@pytest.mark.parametrize(
    ("raw", "missing"),
    [
        (b"", "message/delivery-status"),
        (b"Subject: out of office\n\nI am away.\n", "message/delivery-status"),
        (report("<a@clinic.test>", action="vanished"), "no Action"),
        (report(""), "no Message-ID"),
    ],
)
def test_what_cannot_be_used_says_what_is_missing(raw: bytes, missing: str) -> None:
    with pytest.raises(Unreadable, match=missing):
        delivery_report.parse(raw)


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_unreadable(noise: bytes) -> None:
    cut = report("<a@clinic.test>")
    for raw in (noise, cut[: len(noise)] + noise, noise + cut):
        try:
            delivery_report.parse(raw)
        except Unreadable:
            continue
