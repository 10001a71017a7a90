"""Addresses that send what is not signed are heard less and less: counted in the cache under a keyed digest."""

from __future__ import annotations

import logging

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
WINDOW = 600
MOST = 30


def too_many(address: str) -> bool:
    """Whether this address has to wait. Without a cache nobody has."""
    try:
        return int(cache.get(_key(address), 0)) >= MOST
    except (RedisError, OSError):
        logger.warning("no cache: wrong signatures are not counted")
        return False


def count(address: str) -> None:
    """One more."""
    try:
        cache.add(_key(address), 0, WINDOW)
        cache.incr(_key(address))
    except (RedisError, OSError, ValueError):  # ValueError: the window ended between the two
        return


def _key(address: str) -> str:
    return f"wrong-signature:{salted_hmac('followups.sms', address, algorithm='sha256').hexdigest()}"
