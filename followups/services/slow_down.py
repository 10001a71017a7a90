"""Guessing is slow: after many wrong tries from one address its next ones wait some minutes.

Counted in the cache under a keyed digest, never under the address itself. Many people may share one address, so the
limit is wide and ends by itself; what truly stops a guesser is the lock of the link. Without a cache nobody is shut
out.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
WINDOW = timedelta(minutes=10)
WRONG = 60


def too_many(address: str) -> bool:
    """Whether this address has to wait."""
    try:
        return int(cache.get(_key(address), 0)) >= WRONG
    except (RedisError, OSError):
        logger.warning("no cache: tries of an address are not counted")
        return False


def count(address: str) -> None:
    """One wrong birth date, or an address of a link that does not exist."""
    key = _key(address)
    try:
        cache.add(key, 0, WINDOW.total_seconds())
        cache.incr(key)
    except (RedisError, OSError, ValueError):  # ValueError: the window ended between the two
        return


def _key(address: str) -> str:
    return f"wrong-tries:{salted_hmac('followups.slow_down', address, algorithm='sha256').hexdigest()}"
