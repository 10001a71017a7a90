"""``manage.py import_results``: the same path as the line, and what became of each message."""

from __future__ import annotations

import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from clinic.models import Heartbeat
from procedures.interfaces.hl7 import processing
from procedures.models import InboundMessage
from procedures.services import inbound_store
from tests.inbound.line import message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What was read, in place of reading it."""
    seen: list[int] = []

    def process(pk: int) -> None:
        seen.append(pk)
        InboundMessage.objects.filter(pk=pk).update(state="done")

    monkeypatch.setattr(processing, "process", process)
    return seen


def run(*names: Any, code: int = 0) -> dict[str, Any]:
    """What the command says as JSON; it ends with ``code``."""
    out = io.StringIO()
    try:
        call_command("import_results", *map(str, names), "--json", stdout=out)
    except SystemExit as ended:
        assert ended.code == code
    else:
        assert code == 0
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "results.hl7"
    path.write_bytes(message("1") + b"\r\n" + message("2"))
    return path


def test_each_message_of_a_file_is_kept_and_read_at_once(file: Path, read: list[int]) -> None:
    (found,) = run(file)["files"]
    lines = found["messages"]
    assert [(line["control_id"], line["answer"], line["new"], line["state"]) for line in lines] == [
        ("1", "AA", True, "done"),
        ("2", "AA", True, "done"),
    ]
    assert read == [line["message"] for line in lines]
    assert set(InboundMessage.objects.values_list("source", flat=True)) == {"command"}


def test_the_same_file_again_changes_nothing(file: Path, read: list[int]) -> None:
    run(file)
    (found,) = run(file)["files"]
    assert [line["new"] for line in found["messages"]] == [False, False]
    assert len(read) == 2


def test_a_file_that_is_none_is_kept_refused_and_ends_with_1_and_the_others_are_taken(
    file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "letter.txt"
    other.write_bytes(b"Dear colleague")
    letter, results = run(other, file, code=1)["files"]
    assert [line["answer"] for line in letter["messages"]] == ["AR"]
    assert letter["messages"][0]["reason"]
    assert InboundMessage.objects.get(pk=letter["messages"][0]["message"]).state == "unreadable"
    assert len(results["messages"]) == 2


def test_a_file_that_is_not_there_ends_with_1(tmp_path: Path) -> None:
    (found,) = run(tmp_path / "none", code=1)["files"]
    assert found["problem"] == "It cannot be read: No such file or directory."


def test_a_file_beyond_the_limit_is_refused_as_a_whole(file: Path, settings: Any) -> None:
    settings.INBOUND_MAX_BYTES = 10
    (found,) = run(file, code=1)["files"]
    assert "Nothing of it was kept" in found["problem"]
    assert not InboundMessage.objects.exists()


def test_what_the_database_does_not_take_ends_with_1_and_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError

    monkeypatch.setattr(inbound_store, "store_all", away)
    (found,) = run(file, code=1)["files"]
    assert found["problem"] == "It could not be kept (OperationalError). Import it again."


def test_standard_input_is_a_file_and_people_read_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(message("1"))))
    out = io.StringIO()
    call_command("import_results", "-", stdout=out)
    number = InboundMessage.objects.get().pk
    assert out.getvalue() == f"-:\n  1. AA message {number} (new): dealt with\n"


# --- the listener's own command ------------------------------------------------------------------
@pytest.mark.parametrize(
    "options",
    [
        {"allow": ["10.0.0.300"]},
        {"key": "key.pem"},
        {"certificate": "/nowhere/cert.pem"},
    ],
)
def test_what_an_operator_gets_wrong_is_said_before_anything_listens(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError), ThreadPoolExecutor(1) as apart:  # a browser's test leaves a loop running in ours
        apart.submit(call_command, "receive_results", port=0, **options).result()


def test_a_connection_that_is_retired_is_no_alarm_any_more() -> None:
    from clinic import clock

    Heartbeat.objects.create(name="inbound", at=clock.real_now())
    call_command("receive_results", "--retire", stdout=io.StringIO())
    assert not Heartbeat.objects.filter(name="inbound").exists()
