"""The page for a laboratory's files: what is given is kept, what became of it is said, nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from clinic.models import AuditEntry, User
from clinic.roles import Role
from procedures.interfaces.hl7 import processing
from procedures.models import InboundMessage
from procedures.services import inbound_store
from tests import make
from tests.inbound.line import message

pytestmark = pytest.mark.django_db

UPLOAD = "/results/upload/"


@pytest.fixture
def nurse() -> User:
    return make.user(Role.NURSE)


@pytest.fixture
def web(client: Client, nurse: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    def process(pk: int) -> None:
        InboundMessage.objects.filter(pk=pk).update(state="done")

    monkeypatch.setattr(processing, "process", process)
    client.force_login(nurse)
    return client


def file(raw: bytes, name: str = "results.hl7") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, raw)


def test_files_are_kept_byte_for_byte_read_and_listed(web: Client, nurse: User) -> None:
    given = [file(message("1") + message("2")), file(b"no message")]
    answer = web.post(UPLOAD, {"given": given, "text": ""})
    assert (answer.status_code, answer["Location"]) == (303, reverse("procedures:uploaded_results"))
    assert sorted(InboundMessage.objects.values_list("source", "state")) == [
        ("upload", "done"),
        ("upload", "done"),
        ("upload", "unreadable"),
    ]
    page = web.get(answer["Location"]).content.decode()
    assert "3 messages were kept." in page
    assert page.count("dealt with") == 2
    assert "cannot be read" in page
    assert "It does not begin with the header of a message (MSH)." in page
    entry = AuditEntry.objects.get(action="results.uploaded")
    assert (entry.actor_id, len(entry.data["files"])) == (nurse.pk, 2)
    assert "NOBODY" not in page


def test_pasted_text_is_taken_like_a_file_and_a_second_time_changes_nothing(web: Client) -> None:
    for _ in range(2):
        assert web.post(UPLOAD, {"text": message().decode()}).status_code == 303
    assert InboundMessage.objects.count() == 1
    assert "here already" in web.get("/results/uploaded/").content.decode()


def test_nothing_given_and_blank_text_are_said_at_the_field(web: Client) -> None:
    for text in ("", " \n "):
        answer = web.post(UPLOAD, {"text": text})
        assert answer.status_code == 422
        assert "Choose a file, or paste the text of messages." in answer.content.decode()


def test_an_empty_file_is_said_at_the_field_and_the_text_stays(web: Client) -> None:
    answer = web.post(UPLOAD, {"given": [file(b"")], "text": "MSH|typed"})
    assert answer.status_code == 422
    assert "MSH|typed" in answer.content.decode()
    assert not InboundMessage.objects.exists()


def test_more_than_the_limit_is_refused_with_both_sizes(web: Client, settings: Any) -> None:
    settings.INBOUND_MAX_BYTES = 2048
    answer = web.post(UPLOAD, {"given": [file(b"x" * 3000)], "text": ""})
    assert answer.status_code == 422
    assert "Together this is 2.9\xa0KB, and 2.0\xa0KB is the limit." in answer.content.decode()


def test_a_database_that_does_not_take_it_is_said_and_what_was_pasted_stays(
    web: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError

    monkeypatch.setattr(inbound_store, "store_all", away)
    answer = web.post(UPLOAD, {"text": message("9").decode()})
    assert answer.status_code == 503
    assert "twice does no harm" in answer.content.decode()
    assert "MSH|^~" in answer.content.decode()


def test_markup_in_a_message_is_text_on_the_page(web: Client) -> None:
    raw = message().replace(b"|LAB|", b"|<script>alert(1)</script>|")
    web.post(UPLOAD, {"text": raw.decode()})
    page = web.get("/results/uploaded/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_without_an_upload_the_page_says_what_would_be_here(web: Client) -> None:
    assert "Nothing was uploaded in this session" in web.get("/results/uploaded/").content.decode()
