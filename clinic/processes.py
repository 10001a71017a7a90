"""Child processes that never outlive their parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec nothing may be imported.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The user a child runs as, when that is not ourselves."""

    uid: int
    gid: int


def die_with_parent(sign: int, parent: int) -> None:
    """Ask the kernel for ``sign`` when the parent ends, however it ends. Not on Linux: the next start cleans up."""
    if _LIBC is None:
        return
    _LIBC.prctl(PR_SET_PDEATHSIG, sign, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def _before_exec(sign: int, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        die_with_parent(sign, parent)

    return prepare


def start(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: int | IO[Any] = subprocess.PIPE,
    account: Account | None = None,
    death_signal: int = signal.SIGTERM,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that a Ctrl-C in the terminal reaches us alone.

    Call from the main thread: the kernel sends the death signal when the *thread* that started the child ends.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread only")
    who: dict[str, Any] = {}
    if account is not None:
        who = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        [str(part) for part in argv],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_before_exec(death_signal, os.getpid()),
        pass_fds=tuple(keep),
        **who,
    )


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """KILL for the child and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all gone; or (macOS) only zombies left
        os.killpg(child.pid, signal.SIGKILL)


def stop(child: subprocess.Popen[bytes], sign: int, *, seconds: float) -> bool:
    """Ask the parent process alone to end, wait, then KILL its group. True when it ended by itself."""
    if child.poll() is None:
        child.send_signal(sign)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        kill_group(child)
        child.wait()
        return False
    kill_group(child)  # what a crashed parent may have left
    return True
