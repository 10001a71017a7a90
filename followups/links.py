"""Where a promise is kept: the page that its line in a list leads to."""

from __future__ import annotations

from django.urls import reverse

from followups.domain import kinds
from followups.domain.kinds import Kind
from followups.models import FollowUp


def url(follow_up: FollowUp, code: str = "") -> str:
    """The address of the page on which this promise is kept; ``code`` is its case's, where it has one."""
    spec = kinds.of(Kind(follow_up.kind))
    known = {"code": code, "subject": follow_up.subject_id, **follow_up.about}
    return reverse(spec.page, args=[known[name] for name in spec.args])
