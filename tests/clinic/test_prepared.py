"""Two rooms prepare statements on one connection, and a transaction that is taken back takes neither's away."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction

from clinic import prepared
from clinic.models import User
from clinic.one_statement import OneStatement, Parts
from tests import make

pytestmark = pytest.mark.django_db


def test_a_rollback_forgets_no_prepared_statement() -> None:
    def people(pk: Any) -> Parts:
        return {"people": User.objects.filter(pk=pk)}

    one, person = OneStatement(people), make.user()
    for _ in range(2):
        assert one.rows(pk=person.pk)["people"] == [person]
        assert prepared.fetch_one("SELECT %s::int, '100%%'", [7]) == (7, "100%")
        with suppress(ValueError), transaction.atomic():
            raise ValueError
