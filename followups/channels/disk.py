"""What a channel that writes files says when there is no room: nothing was sent, and it goes out later."""

from __future__ import annotations

import errno

from django.utils.translation import gettext as _

from followups.channels.base import Outcome
from followups.domain.backoff import Fate

#: Never said of a line to a server.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.ENOTDIR})


def has_no_room(error: BaseException) -> bool:
    """Whether a file could not be written: no silence of a server, so that nobody need ask what became of it."""
    return isinstance(error, OSError) and error.errno in NO_ROOM


def not_written(error: OSError) -> Outcome:
    """A message that should have become a file."""
    return Outcome(Fate.NOT_NOW, _("cannot be written to a file: %(why)s") % {"why": _why(error)})


def _why(error: OSError) -> str:
    """Never the system's own words, which repeat the path."""
    if error.errno in NO_ROOM:
        return _("the disk is full")
    if error.errno in NOT_OURS:
        return _("nothing may be written there")
    return type(error).__name__
