"""What the faults have in common: a mail server, and an account of what came through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from clinic import clock
from followups.channels.email import message_id
from followups.models import Message
from tests.faults import mail_server
from tests.faults.mail_server import Post

#: The mail servers and the count: (messages, doubled, lost).
Account = Callable[[Post], tuple[int, int, int]]


@pytest.fixture
def post(settings: Any) -> Iterator[Post]:
    with mail_server.running() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = server.port
        yield server


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def account(record_property: Callable[[str, object], None]) -> Account:
    """``account(post)``: how many messages there were, how many copies too many came, how many never came.

    The run's last lines give the sum over all tests.
    """

    def count(post: Post) -> tuple[int, int, int]:
        copies = post.copies()
        expected = {message_id(key): state for key, state in Message.objects.values_list("key", "state")}
        assert set(copies) <= set(expected), "a mail came that nobody wrote, or under another Message-ID"
        doubled = sum(copies.values()) - len(copies)
        lost = sum(not (name in copies and state == "sent") for name, state in expected.items())
        record_property("faults", [len(expected), doubled, lost])
        return len(expected), doubled, lost

    return count
