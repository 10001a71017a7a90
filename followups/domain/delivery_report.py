"""Reading a delivery report (RFC 3464): what became of which mail. Pure.

Nothing is taken from it but the action, the status code and the numbers of the original mail: the rest repeats
addresses and what a server thought of them.
"""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email.message import Message
from email.policy import compat32

#: Every action there is. ``failed`` alone means that the mail has not arrived and will not.
ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
MESSAGE_ID = re.compile(r"<[^<>\s]+>")


class Unreadable(ValueError):
    """Why this is no delivery report that can be used."""


@dataclass(frozen=True)
class DeliveryReport:
    """``message_ids``: of the original mail, the surest first."""

    action: str
    status: str
    message_ids: tuple[str, ...]

    @property
    def failed(self) -> bool:
        return self.action == "failed"


def parse(raw: bytes) -> DeliveryReport:
    """Raises Unreadable, saying what is missing."""
    mail = email.message_from_bytes(raw, policy=compat32)
    status = next((p for p in mail.walk() if p.get_content_type() == "message/delivery-status"), None)
    if status is None:
        raise Unreadable("it has no part of the type message/delivery-status: no delivery report of RFC 3464")
    blocks = [block for block in _blocks(status) if block.get("Action")]
    actions = [str(block["Action"]).strip().lower() for block in blocks]
    known = [action for action in ACTIONS if action in actions]  # the worst that happened to any recipient
    if not known:
        raise Unreadable("its delivery status names no Action that is known")
    ids = _message_ids(mail)
    if not ids:
        raise Unreadable("it does not say about which mail it is: no Message-ID of the original")
    found = STATUS.search(str(blocks[actions.index(known[0])].get("Status", "")))
    return DeliveryReport(action=known[0], status=found[0] if found else "", message_ids=ids)


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _message_ids(mail: Message) -> tuple[str, ...]:
    """From the original or its headers, which the report carries; else from what the report answers."""
    found: list[str] = []
    for part in mail.walk():
        if part.get_content_type() == "text/rfc822-headers":
            text = part.get_payload(decode=True)
            original = email.message_from_bytes(text if isinstance(text, bytes) else b"")
            found += MESSAGE_ID.findall(str(original.get("Message-ID", "")))
        elif part is not mail and part.get_content_type() != "message/delivery-status":
            found += MESSAGE_ID.findall(str(part.get("Message-ID", "")))
    for header in ("In-Reply-To", "References", "X-Failed-Message-ID"):
        found += MESSAGE_ID.findall(str(mail.get(header, "")))
    return tuple(dict.fromkeys(found))
