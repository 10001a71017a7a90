"""What was done is written down and signed."""

from __future__ import annotations

from followups.domain.kinds import Kind
from tests.domain.cases import (
    case,
    only,
)


def test_the_record_must_be_signed() -> None:
    promise = only(case(record_signed_at=None))
    assert promise.kind is Kind.SIGN_RECORD
    assert promise.responsible_id == 8  # the operator writes it
