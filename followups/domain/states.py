"""The moves of a message (pure); the database trigger is generated from the table."""

from __future__ import annotations

from clinic.machine import Machine
from followups.domain.kinds import MessageState as M

MESSAGE = Machine(
    noun="A message",
    allowed={
        M.QUEUED: frozenset({M.SENDING, M.EXPIRED, M.CANCELLED}),
        M.SENDING: frozenset({M.SENT, M.FAILED, M.UNKNOWN, M.QUEUED}),  # queued again: the reaper, or a retry
        M.SENT: frozenset({M.FAILED}),  # a bounce
        M.FAILED: frozenset({M.QUEUED}),  # a person sends it again
        M.UNKNOWN: frozenset({M.SENT, M.FAILED, M.QUEUED}),  # a person decides
        M.EXPIRED: frozenset(),
        M.CANCELLED: frozenset(),
    },
)
