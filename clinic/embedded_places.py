"""Folders and programs of the bundled servers: who holds them, who owns them, who can reach them.

As root, both servers run as ``nobody`` (PostgreSQL refuses root), who must be able to reach data and binaries.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clinic import embedded
from clinic.embedded import ServerError
from clinic.processes import Account

Say = Callable[[str], None]


def quiet(_line: str) -> None:
    """Say nothing."""


# --- who holds var -------------------------------------------------------------------------
class InUse(ServerError):
    """Another process has started the servers of this var."""


@contextmanager
def held(var_dir: Path) -> Iterator[None]:
    """Hold ``var`` for ourselves; the kernel lets go when we end, however we end. Raises InUse."""
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise InUse(file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


# --- where ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Place:
    """Folders of one pair of servers, made and owned as they must be."""

    sockets: Path
    data: Path
    logs: Path
    postgres_bin: Path
    broker_bin: Path
    account: Account | None
    moved: bool


def prepare(var_dir: Path, say: Say = quiet) -> Place:
    """Make the folders. Data and binaries that ``nobody`` could not reach go below ``/var/tmp``, and we say so."""
    account = _server_account()
    logs = var_dir / "log"
    logs.mkdir(parents=True, exist_ok=True)
    sockets = private_dir(embedded.socket_dir(var_dir), account)
    postgres, broker = embedded.postgres_bin(), embedded.broker_bin()
    if account is None:
        return Place(sockets, private_dir(var_dir / "servers", None), logs, postgres, broker, None, False)
    moved = not (_reachable(var_dir.resolve(), account) and _can_give_away(var_dir, account))
    if not all(_reachable(path.resolve(), account) for path in (postgres, broker.parent)):
        postgres, broker = _copied_binaries(postgres, broker)
    if not moved:
        return Place(sockets, private_dir(var_dir / "servers", account), logs, postgres, broker, account, False)
    root = _root_dir(Path("/var/tmp") / f"pt-{embedded.var_hash(var_dir)}")  # owner and mode are checked
    say(f"{var_dir} is closed to the user who runs the bundled servers: their data is in {root}")
    return Place(sockets, private_dir(root / "servers", account), logs, postgres, broker, account, True)


def _server_account() -> Account | None:
    """``nobody`` when we are root, else ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise ServerError("As root the bundled servers run as the user 'nobody', which is missing here.") from None
    return Account(entry.pw_uid, entry.pw_gid)


def private_dir(path: Path, account: Account | None) -> Path:
    """A folder only the servers' user may enter. One that somebody else prepared is refused."""
    uid = account.uid if account else os.getuid()
    try:
        path.mkdir(mode=0o700)
        if account:
            os.chown(path, account.uid, account.gid)
    except FileExistsError:
        pass
    found = path.lstat()
    if found.st_uid == os.getuid() and account and stat.S_ISDIR(found.st_mode):  # a start that ended in between
        os.chown(path, account.uid, account.gid)
        found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) & 0o077:
        raise ServerError(f"{path} is not a private folder of the servers' user: remove it.")
    return path


def _root_dir(path: Path) -> Path:
    """A folder of root's that everybody may pass through; not one that somebody else put there."""
    try:
        path.mkdir(mode=0o755)
        path.chmod(0o755)
    except FileExistsError:
        pass
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise ServerError(f"{path} was made by somebody else: remove it.")
    return path


def _reachable(path: Path, account: Account) -> bool:
    """May the account pass through this folder and all above it?"""
    for folder in (path, *path.parents):
        try:
            found = folder.stat()
        except FileNotFoundError:
            continue
        bit = 0o001
        if found.st_uid == account.uid:
            bit = 0o100
        elif found.st_gid == account.gid:
            bit = 0o010
        if not found.st_mode & bit:
            return False
    return True


def _can_give_away(folder: Path, account: Account) -> bool:
    """Some shared file systems do not let root change an owner."""
    probe = folder / f".owner-{os.getpid()}"
    try:
        probe.mkdir()
        os.chown(probe, account.uid, account.gid)
    except OSError:
        return False
    else:
        return True
    finally:
        if probe.exists():
            probe.rmdir()


def _copied_binaries(postgres: Path, broker: Path) -> tuple[Path, Path]:
    """Both packages where ``nobody`` can run their programs; copied once per version."""
    packages = [embedded.package_of(postgres), embedded.package_of(broker)]
    version = "-".join(str(int(path.stat().st_mtime)) for path in (postgres, broker))
    root = _root_dir(Path("/var/tmp") / f"pt-{embedded.var_hash(postgres)}-{version}")  # owner and mode are checked
    programs = root / "programs"
    if not programs.exists():
        draft = root / f"draft-{os.getpid()}"
        for package in packages:
            # A wheel keeps the libraries of its programs in a folder beside it.
            for source in (package, package.with_name(f"{package.name}.libs")):
                if source.exists():
                    shutil.copytree(source, draft / source.name, symlinks=True)
        _open_to_all(draft)
        try:
            draft.rename(programs)
        except OSError:  # another start was faster
            shutil.rmtree(draft)
    moved = [
        programs / path.relative_to(package.parent) for path, package in zip((postgres, broker), packages, strict=True)
    ]
    return moved[0], moved[1]


def _open_to_all(folder: Path) -> None:
    """Readable whatever the umask was that installed it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
