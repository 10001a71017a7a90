"""Where a promise is kept: the page that its line in a list leads to."""

from __future__ import annotations

from functools import lru_cache

from django.urls import reverse

from followups.domain import kinds
from followups.domain.kinds import Kind, Subject
from followups.models import FollowUp


def url(follow_up: FollowUp, code: str = "") -> str:
    """The address of the page on which this promise is kept; ``code`` is its case's, where it has one."""
    spec = kinds.of(Kind(follow_up.kind))
    if follow_up.subject_kind == Subject.MESSAGE and spec.subject is not Subject.MESSAGE:  # its plan cannot be made
        return _address("procedures:inbound_message", follow_up.subject_id)
    known = {"code": code, "subject": follow_up.subject_id, **follow_up.about}
    return _address(spec.page, *(known[name] for name in spec.args))


@lru_cache(maxsize=8192)
def _address(page: str, *args: int | str) -> str:
    """Looked up once: what is open stands on one list after the other."""
    return reverse(page, args=args)
