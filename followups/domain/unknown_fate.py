"""What follows when nobody knows whether a message has arrived: by kind of message. Pure.

A reminder of a promise says it in its kind's own room (``Spec.may_repeat``), any other message here. What nobody has
thought about must not arrive twice: a person decides about it on the engine's page.
"""

from __future__ import annotations

from followups.domain import kinds
from followups.domain.kinds import Kind

#: A message that is no reminder of one promise, but of all that have been escalated to somebody.
DIGEST = "digest"
#: Messages that are no reminder of one promise: does a second copy no harm? A result for a patient would.
OTHERS: dict[str, bool] = {DIGEST: True}


def may_repeat(kind: str) -> bool:
    """Whether it goes out again under the same key; else a person decides."""
    return kinds.of(Kind(kind)).may_repeat if kind in set(Kind) else OTHERS.get(kind, False)
