"""The two gateways for texts: files, and a provider by HTTP with everything that can go wrong."""

from __future__ import annotations

import json
import socket
from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clinic import checks
from followups.channels import sms
from followups.channels.base import Outcome, OutgoingMessage
from followups.channels.sms.files import FileGateway
from followups.channels.sms.http import LONGEST_WAIT, Account, HttpGateway
from followups.domain.backoff import Fate
from tests.factories.outreach import provider

TEXT = OutgoingMessage(key="7:1:0:0:p:sms", to="+12025550177", subject="", body="Clinic: tiene un mensaje, mañana.")


def gateway(url: str, timeout: float = 5.0) -> HttpGateway:
    account = Account(
        url=url, account="AC1", token="t0ken", sender="+12025550100", report_to="https://x.test/sms/report/"
    )
    return HttpGateway(account, timeout)


def send(*answers: Any, timeout: float = 5.0) -> Outcome:
    with provider(*answers) as stand_in:
        return gateway(stand_in.url, timeout).send(TEXT)


def test_a_text_leaves_as_a_form_with_its_key_and_comes_back_with_the_providers_number() -> None:
    with provider((201, {"sid": "SM42"}, {})) as stand_in:
        outcome = gateway(stand_in.url).send(TEXT)
        (request,) = stand_in.requests
        form = stand_in.form()
    assert (outcome.fate, outcome.provider_id) == (Fate.SENT, "SM42")
    assert request["path"] == "/2010-04-01/Accounts/AC1/Messages.json"
    assert b64decode(request["headers"]["Authorization"].removeprefix("Basic ")) == b"AC1:t0ken"
    assert request["headers"]["Idempotency-Key"] == TEXT.key
    assert form == {
        "To": TEXT.to,
        "From": "+12025550100",
        "Body": TEXT.body,
        "StatusCallback": "https://x.test/sms/report/?key=7%3A1%3A0%3A0%3Ap%3Asms",
    }


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        ((400, {"code": 21211, "message": "The 'To' number +12025550177 is not valid"}, {}), Fate.REFUSED),
        ((404, {}, {}), Fate.REFUSED),
        ((401, {"code": 20003}, {}), Fate.NOT_NOW),
        ((403, {}, {}), Fate.NOT_NOW),
        ((429, {}, {}), Fate.NOT_NOW),
        ((500, b"<html>oops</html>", {}), Fate.NOT_NOW),
        ((503, {}, {}), Fate.NOT_NOW),
        ((302, {}, {"Location": "https://elsewhere.test/"}), Fate.NOT_NOW),
        ((502, {}, {}), Fate.UNKNOWN),
        ((504, {}, {}), Fate.UNKNOWN),
        ((201, b"not json", {}), Fate.SENT),
        ((200, [1, 2], {}), Fate.SENT),
        (None, Fate.UNKNOWN),  # taken, and the connection cut: it may have arrived
    ],
)
def test_each_answer_has_a_fate_and_its_words_repeat_no_number(answer: Any, fate: Fate) -> None:
    outcome = send(answer)
    assert outcome.fate is fate
    assert "2025550177" not in outcome.detail
    assert not outcome.opted_out


def test_a_provider_that_hangs_is_of_unknown_fate() -> None:
    assert send("hang", timeout=0.2).fate is Fate.UNKNOWN


def test_a_number_that_told_the_provider_to_stop_is_refused_and_said_so() -> None:
    outcome = send((400, {"code": 21610}, {}))
    assert (outcome.fate, outcome.opted_out) == (Fate.REFUSED, True)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("999999999", LONGEST_WAIT),
        ("Wed, 25 Nov 2026 10:00:00 GMT", timedelta(0)),
        ("-5", timedelta(0)),
    ],
)
def test_who_asks_us_to_wait_is_not_asked_sooner(header: str, wait: timedelta) -> None:
    assert send((429, {}, {"Retry-After": header})).wait == wait


@pytest.mark.parametrize("answer", [(401, {}, {}), (429, {}, {})])
def test_who_refuses_us_is_asked_once_in_a_session(answer: Any) -> None:
    with provider(answer) as stand_in:
        session = gateway(stand_in.url)
        fates = [session.send(TEXT).fate for _ in range(3)]
        asked = len(stand_in.requests)
    assert (fates, asked) == ([Fate.NOT_NOW] * 3, 1)


def test_a_provider_that_is_away_has_not_got_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        outcome = gateway(f"http://127.0.0.1:{taken.getsockname()[1]}").send(TEXT)
    assert outcome.fate is Fate.NOT_NOW


def test_a_file_for_each_message_and_one_for_both_tries(tmp_path: Path) -> None:
    folder = FileGateway(tmp_path / "sms")
    assert [folder.send(TEXT).fate for _ in range(2)] == [Fate.SENT, Fate.SENT]
    (file,) = (tmp_path / "sms").iterdir()
    assert json.loads(file.read_text("utf-8"))["body"] == TEXT.body


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "sms").write_text("in the way")
    assert FileGateway(tmp_path / "sms").send(TEXT).fate is Fate.NOT_NOW


def test_the_settings_choose_the_gateway(settings: Any) -> None:
    settings.SMS_GATEWAY = "http"
    settings.SITE_URL, settings.SMS_ACCOUNT = "https://clinic.test", "AC9"
    chosen = sms.gateway()
    assert isinstance(chosen, HttpGateway)
    assert chosen.account.report_to == "https://clinic.test/sms/report/"
    settings.SMS_GATEWAY = "file"
    assert isinstance(sms.gateway(), FileGateway)


def test_production_never_keeps_texts_in_files_and_a_demonstration_never_sends_them(settings: Any) -> None:
    def ids(**values: Any) -> set[str]:
        for name, value in values.items():
            setattr(settings, name, value)
        found = [
            *checks.production_is_complete(),
            *checks.demonstration_reaches_nobody(),
            *checks.text_gateway_is_complete(),
        ]
        return {str(problem.id) for problem in found}

    assert "clinic.E031" in ids(PRODUCTION=True, SMS_GATEWAY="file")
    assert "clinic.E031" not in ids(SMS_GATEWAY="off")
    assert ids(PRODUCTION=False, DEMO=True, SMS_GATEWAY="http", SMS_ACCOUNT="") >= {"clinic.E030", "clinic.E033"}
    assert "clinic.E032" in ids(DEMO=False, SMS_GATEWAY="pigeon")
    assert "clinic.E034" in ids(PRODUCTION=True, SMS_GATEWAY="http", SMS_URL="http://sms.test")
