"""A stored message to its end: read, matched, applied. The one way for everything that came in."""

from __future__ import annotations


def process(message_pk: int) -> None:
    """Read the stored message and apply it. Again: the same outcome, nothing twice.

    Never raises for what is in a message: what cannot be read or applied is kept and waits for a person. What the
    database or the machine does (a lost connection, a stopped process) is raised and leaves the message *to be read*.
    """
    raise NotImplementedError
