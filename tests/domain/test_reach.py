"""Who may be written to, by which way, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from followups.domain import gsm7, notices, sms_report, sms_signature
from followups.domain.inbound_text import Meaning, meaning
from followups.domain.notices import Times
from followups.domain.reach import Never, Reach, Which, never, way, ways
from followups.selectors.notice_facts import notice_times

BOTH = {"sms": True, "email": True}
ZONE = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        ({"reach_by": "text", **BOTH}, ("sms", "patient_email")),
        ({"reach_by": "phone", **BOTH}, ("sms", "patient_email")),
        ({"reach_by": "email", **BOTH}, ("patient_email", "sms")),
        ({"reach_by": "email", "sms": True}, ("sms",)),
        ({"reach_by": "text", "email": True}, ("patient_email",)),
        ({"reach_by": "text"}, ()),
        ({"reach_by": "caregiver", **BOTH}, ()),
        ({"reach_by": "facility", **BOTH}, ()),
        ({"reach_by": "none", **BOTH}, ()),
        ({"reach_by": "text", "inpatient": True, **BOTH}, ()),
        ({"reach_by": "text", "deceased": True, **BOTH}, ()),
    ],
)
def test_the_ways_are_those_that_were_agreed_to_the_preferred_one_first(
    reach: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = Reach(**reach)
    assert ways(found) == expected
    assert way(found, Which.PREFERRED) == (expected[0] if expected else "")
    assert way(found, Which.OTHER) == (expected[-1] if expected else "")
    assert (never(found) is None) == bool(expected)


def test_death_is_the_first_reason_not_to_write() -> None:
    assert never(Reach(reach_by="none", inpatient=True, deceased=True)) is Never.DECEASED


# --- texts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ñé" * 80, 1),
        ("€" * 81, 2),
        ("á" * 70, 1),
        ("á" * 71, 2),
    ],
)
def test_a_text_is_paid_by_its_letters(text: str, parts: int) -> None:
    assert gsm7.parts(text) == parts


def test_spanish_accents_that_the_alphabet_lacks_are_left_out_and_no_other_letter() -> None:
    assert gsm7.plain("Mañana, sábado: ¿más café?") == "Mañana, sabado: ¿mas café?"
    assert gsm7.septets(gsm7.plain("Mañana, sábado: ¿más café?")) is not None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("STOP", Meaning.STOP),
        (" Stop. ", Meaning.STOP),
        ("unsubscribe", Meaning.STOP),
        ("¡ALTO!", Meaning.STOP),
        ("Parar", Meaning.STOP),
        ("baja", Meaning.STOP),
        ("cancel", Meaning.STOP),
        ("end", Meaning.STOP),
        ("quit", Meaning.STOP),
        ("Please do not stop", Meaning.WORDS),
        ("I want to cancel my visit", Meaning.WORDS),
        ("START", Meaning.START),
        ("sí", Meaning.START),
        ("help", Meaning.HELP),
        ("AYUDA", Meaning.HELP),
        ("I can't breathe", Meaning.EMERGENCY),
        ("The bandage is BLEEDING", Meaning.EMERGENCY),
        ("my leg is numb", Meaning.EMERGENCY),
        ("Tengo la pierna adormecida", Meaning.EMERGENCY),
        ("me desmayé", Meaning.EMERGENCY),
        ("Thank you", Meaning.WORDS),
        ("", Meaning.WORDS),
        ("👍", Meaning.WORDS),
        ("x" * 10_000, Meaning.WORDS),
    ],
)
def test_a_command_is_the_whole_text_and_everything_else_is_for_a_person(body: str, expected: Meaning) -> None:
    assert meaning(body) is expected


# --- what the provider tells us -----------------------------------------------------------------


def test_a_signature_is_made_as_the_provider_documents_it() -> None:
    """The example of Twilio's own documentation on webhook security."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sms_signature.sign(token="12345", url=url, fields=fields) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({}, True),
        ({"token": "other"}, False),
        ({"url": "https://a.test/b"}, False),
        ({"fields": {"a": "2"}}, False),
        ({"token": ""}, False),
        ({"signature": ""}, False),
        ({"signature": "ü"}, False),
    ],
)
def test_what_is_altered_is_not_signed(changes: dict[str, Any], right: bool) -> None:
    signature = sms_signature.sign(token="t", url="https://a.test/", fields={"a": "1"})
    given: dict[str, Any] = {"token": "t", "url": "https://a.test/", "fields": {"a": "1"}, "signature": signature}
    assert sms_signature.is_right(**{**given, **changes}) is right


@pytest.mark.parametrize(
    ("fields", "expected", "delivered", "failed"),
    [
        ({"MessageStatus": "delivered"}, "delivered", True, False),
        ({"MessageStatus": "Undelivered", "ErrorCode": "30003"}, "undelivered 30003", False, True),
        ({"MessageStatus": "failed", "ErrorCode": "<b>30005"}, "failed", False, True),
        ({"MessageStatus": "sent"}, "sent", False, False),
        ({"MessageStatus": "to +1202555"}, "", False, False),
        ({}, "", False, False),
    ],
)
def test_of_a_report_only_its_state_and_number_are_taken(
    fields: dict[str, str], expected: str, delivered: bool, failed: bool
) -> None:
    found = sms_report.report(fields)
    assert (found, sms_report.delivered(found), sms_report.failed(found)) == (expected, delivered, failed)


# --- when ---------------------------------------------------------------------------------------

TIMES = notice_times()
SLOT = datetime(2026, 11, 24, 15, tzinfo=UTC)  # a Tuesday, ten in the morning


def test_the_reminder_leaves_two_working_days_before_at_nine_and_the_form_at_once() -> None:
    booked = SLOT - timedelta(days=10)
    remind, form = notices.before(slot_at=SLOT, scheduled_at=booked, times=TIMES, zone=ZONE)
    assert remind.start_at.astimezone(ZONE) == datetime(2026, 11, 20, 9, tzinfo=ZONE)  # the Friday before
    assert (form.start_at, form.due_at) == (booked, SLOT - timedelta(days=TIMES.days_to_spare))


def test_who_was_booked_yesterday_is_not_reminded() -> None:
    assert list(notices.before(slot_at=SLOT, scheduled_at=SLOT - timedelta(days=1), times=TIMES, zone=ZONE)) == []


def test_another_day_is_another_reminder_and_the_form_stays_the_same() -> None:
    booked = SLOT - timedelta(days=20)
    one, other = (
        [n.key for n in notices.before(slot_at=at, scheduled_at=booked, times=TIMES, zone=ZONE)]
        for at in (SLOT, SLOT + timedelta(days=1))
    )
    assert one[0] != other[0]
    assert one[1] == other[1]


def test_a_week_after_keeps_its_hour_over_a_change_of_the_clocks() -> None:
    found = notices.after(started_at=datetime(2026, 10, 30, 14, tzinfo=UTC), times=TIMES, zone=ZONE)
    assert found.start_at == datetime(2026, 11, 6, 9, tzinfo=ZONE)


def test_a_file_without_a_time_is_refused() -> None:
    with pytest.raises(KeyError):
        Times.of({"at": "09:00"})
