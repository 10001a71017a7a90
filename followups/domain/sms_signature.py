"""The signature of what a provider tells us, as Twilio makes it: HMAC-SHA1 over address and sorted fields. Pure."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping


def sign(*, token: str, url: str, fields: Mapping[str, str]) -> str:
    """What the provider writes into the header."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def is_right(*, token: str, url: str, fields: Mapping[str, str], signature: str) -> bool:
    """Whether whoever wrote it knows the token. Without a token nothing is right."""
    if not token:
        return False
    return hmac.compare_digest(sign(token=token, url=url, fields=fields).encode(), signature.encode())
