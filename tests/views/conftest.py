"""The full clinic, put back once for a module: what a test does to it is undone after the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from tests.factories import kept
from tests.factories.full import Full


@pytest.fixture(scope="module")
def full(django_db_setup: None, django_db_blocker: Any) -> Iterator[Full]:
    """A demonstration on Wednesday at ten. Tests that use it ask for ``db`` as well."""
    whole = transaction.atomic()
    whole._from_testcase = True  # as Django's own TestCase does: durable blocks may stand inside
    with django_db_blocker.unblock(), override_settings(DEMO=True), whole:
        yield kept.full()
        transaction.set_rollback(True)
