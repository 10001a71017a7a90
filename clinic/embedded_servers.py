"""The bundled PostgreSQL and Valkey as plain children of whoever starts them.

``python -m clinic.embedded_servers run -- COMMAND …`` runs one command with both servers up: it uses the running
ones, or starts them and stops them again. ``make run`` and the tests use the same classes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from clinic import embedded, processes
from clinic.embedded import ServerError
from clinic.embedded_places import InUse, Place, Say, held, prepare, private_dir, quiet

START_SECONDS = 60
STOP_SECONDS = 20


# --- one server ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Plan:
    """How one server is started and stopped."""

    name: str
    argv: tuple[str | Path, ...]
    socket: Path
    log: Path
    stop_signal: signal.Signals


def environment() -> dict[str, str]:
    """Ours, without what would change the servers' locale, port or user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LANG": "C", "TZ": "UTC"}


def database_plan(place: Place, *, durable: bool = True) -> Plan:
    """PostgreSQL on a socket only. SIGINT: a TERM would wait for every client to leave."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(place.sockets),
        "unix_socket_permissions": "0700",
        "port": embedded.DATABASE_PORT,
        "max_connections": "100",
        "shared_buffers": "64MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "lock_timeout": "3s" if durable else "10s",
        "idle_in_transaction_session_timeout": "5min",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "2GB"}
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Plan(
        "database",
        (place.postgres_bin / "postgres", "-D", place.data / "postgres", *flags),
        place.sockets / f".s.PGSQL.{embedded.DATABASE_PORT}",
        place.logs / "database.log",
        signal.SIGINT,
    )


def broker_plan(place: Place, *, durable: bool = True) -> Plan:
    """Valkey on a socket only, with an append-only file, so that a restart loses no task."""
    path = place.sockets / "broker.sock"
    argv: list[str | Path] = [place.broker_bin, "--port", "0", "--unixsocket", path, "--unixsocketperm", "700"]
    argv += ["--dir", place.data / "broker", "--save", "", "--appendonly", "yes" if durable else "no"]
    argv += ["--maxmemory-policy", "noeviction", "--daemonize", "no"]
    return Plan("broker", tuple(argv), path, place.logs / "broker.log", signal.SIGTERM)


def launch(plan: Plan, place: Place) -> subprocess.Popen[bytes]:
    """Start a server without waiting for it."""
    with plan.log.open("ab") as log:
        return processes.start(
            plan.argv,
            env=environment(),
            cwd=place.data,
            output=log,
            account=place.account,
            death_signal=plan.stop_signal,
        )


def wait_ready(plan: Plan, child: subprocess.Popen[bytes]) -> None:
    """Until the server takes connections. Raises ServerError with the end of its log when it ends or takes too long."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if child.poll() is not None:
            raise ServerError(f"The bundled {plan.name} did not start:\n{log_tail(plan.log)}")
        if embedded.answers(plan.socket) and (plan.name != "database" or _database_accepts(plan.socket.parent)):
            return
        time.sleep(0.02)
    processes.stop(child, plan.stop_signal, seconds=STOP_SECONDS)
    raise ServerError(f"The bundled {plan.name} was not ready after {START_SECONDS} s:\n{log_tail(plan.log)}")


def log_tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return "(it wrote no log)"


def _connect(sockets: Path, name: str) -> psycopg.Connection:
    return psycopg.connect(
        host=str(sockets),
        port=embedded.DATABASE_PORT,
        user=embedded.DATABASE_USER,
        dbname=name,
        autocommit=True,
        connect_timeout=5,
    )


def _database_accepts(sockets: Path) -> bool:
    try:
        _connect(sockets, "postgres").close()
    except psycopg.OperationalError:  # starting up, or recovering after a crash
        return False
    return True


# --- the database's files ------------------------------------------------------------------
def create_cluster(place: Place, *, durable: bool = True) -> None:
    """``initdb`` once. A half-made cluster of an interrupted start is made again."""
    data = place.data / "postgres"
    if (data / "made").exists():
        return
    if data.exists():
        shutil.rmtree(data)
    locale = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
    argv: list[str | Path] = [place.postgres_bin / "initdb", "-D", data, "-U", embedded.DATABASE_USER]
    # The socket's folder is the lock: only the servers' user can open it.
    argv += ["--auth=trust", "--encoding=UTF8", f"--locale={locale}", "--no-instructions"]
    if not durable:
        argv.append("--no-sync")
    child = processes.start(argv, env=environment(), cwd=place.data, account=place.account)
    said, _ = child.communicate()
    if child.returncode != 0:
        raise ServerError(f"The bundled database could not be made:\n{said.decode(errors='replace').strip()}")
    (data / "made").touch()


def end_leftover(plan: Plan, place: Place) -> None:
    """Only the holder of ``var`` may call this: no other start can own a server that still uses our files.

    After a ``kill -9`` the pid file is stale; where the kernel has no death signal the server may even live on.
    Raises ServerError when it does not end.
    """
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        if plan.name == "database" and not _end_postmaster(place.data / "postgres" / "postmaster.pid"):
            return
        if plan.name == "broker" and not _end_broker(plan.socket):
            return
        time.sleep(0.05)
    raise ServerError(f"A {plan.name} of an earlier start still runs and does not end.")


def _end_postmaster(pid_file: Path) -> bool:
    """Ask a live PostgreSQL of this folder to end; False when there is none, and then no pid file either."""
    pid = _postmaster(pid_file)
    if pid is None:
        pid_file.unlink(missing_ok=True)
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    return True


def _postmaster(pid_file: Path) -> int | None:
    """The pid of a live PostgreSQL that uses this data folder. A reused number of another program does not count."""
    try:
        pid = int(pid_file.read_text(encoding="utf-8").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if str(pid_file.parent) in _command_line(pid) else None


def _command_line(pid: int) -> str:
    """Empty for a process that is no more."""
    if not Path("/proc/self").exists():
        return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _end_broker(path: Path) -> bool:
    """Wait it out before we bind: a Valkey that ends removes the socket's file, even if that is ours by then."""
    if not embedded.answers(path):
        return False
    with contextlib.suppress(redis.RedisError):
        redis.Redis(unix_socket_path=str(path)).shutdown()
    return True


def create_database(place: Place) -> None:
    """The product's database in the running server, once."""
    with _connect(place.sockets, "postgres") as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [embedded.DATABASE_NAME]).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{embedded.DATABASE_NAME}"')


# --- both ----------------------------------------------------------------------------------
class Servers:
    """Both bundled servers, or those of them that no URL replaces. Use while holding ``var``."""

    def __init__(
        self, var_dir: Path, *, database: bool = True, broker: bool = True, durable: bool = True, say: Say = quiet
    ) -> None:
        self.place = prepare(var_dir, say)
        self.durable = durable
        self.plans: list[Plan] = []
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        if database:
            self.plans.append(database_plan(self.place, durable=durable))
        if broker:
            private_dir(self.place.data / "broker", self.place.account)
            self.plans.append(broker_plan(self.place, durable=durable))

    def start(self) -> None:
        """Both up and taking connections, or neither. Raises ServerError."""
        try:
            for plan in self.plans:
                end_leftover(plan, self.place)
                if plan.name == "database":
                    create_cluster(self.place, durable=self.durable)
                self.launch(plan)
            for plan in self.plans:
                wait_ready(plan, self.children[plan.name])
                if plan.name == "database":
                    create_database(self.place)
        except BaseException:
            self.stop()
            raise

    def launch(self, plan: Plan) -> None:
        self.children[plan.name] = launch(plan, self.place)

    def stop(self) -> None:
        """The broker first, the database last."""
        for plan in reversed(self.plans):
            self._end(plan, plan.stop_signal)

    def restart_database(self, sign: signal.Signals = signal.SIGINT) -> None:
        """End it under its clients and start it again. SIGQUIT is its crash: it recovers from its log when it starts.

        After such a crash a server that is not ``durable`` may lack what was committed in its last second, unless the
        session had ``synchronous_commit`` on. Raises ServerError when a URL names another one: not ours to end.
        """
        plan = self._plan("database")
        self._end(plan, sign)
        self._begin(plan)

    def restart_broker(self, *, empty: bool) -> None:
        """End it under its clients and start it again; ``empty``: with nothing in it, cache and tasks alike.

        Where it keeps no file (``durable=False``) it is empty in any case. Raises ServerError as above.
        """
        plan = self._plan("broker")
        if empty:
            with redis.Redis(unix_socket_path=str(plan.socket)) as client:
                client.flushall()
        self._end(plan, plan.stop_signal)
        self._begin(plan)

    def _plan(self, name: str) -> Plan:
        for plan in self.plans:
            if plan.name == name and name in self.children:
                return plan
        raise ServerError(f"The {name} is not a bundled one that this process runs.")

    def _begin(self, plan: Plan) -> None:
        end_leftover(plan, self.place)
        self.launch(plan)
        wait_ready(plan, self.children[plan.name])

    def _end(self, plan: Plan, sign: signal.Signals) -> None:
        child = self.children.pop(plan.name, None)
        if child is not None:
            processes.stop(child, sign, seconds=STOP_SECONDS)


# --- one command ---------------------------------------------------------------------------
def run(argv: Sequence[str], var_dir: Path) -> int:
    """Run a command with both servers up; its exit code. Only what no URL replaces is started."""
    database, broker = not embedded.url_given("DATABASE_URL"), not embedded.url_given("REDIS_URL")
    try:
        with held(var_dir):
            servers = Servers(var_dir, database=database, broker=broker, say=tell)
            servers.start()
            try:
                return _foreground(argv)
            finally:
                servers.stop()
    except InUse:
        _wait_for_others(var_dir, database=database, broker=broker)
        return _foreground(argv)


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _foreground(argv: Sequence[str]) -> int:
    """In our own terminal group, so that a Ctrl-C is the command's to answer."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        parent = os.getpid()

        def prepare_child() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            processes.die_with_parent(signal.SIGTERM, parent)

        child = subprocess.Popen(argv, preexec_fn=prepare_child)
        code = child.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    return code if code >= 0 else 128 - code


def _wait_for_others(var_dir: Path, *, database: bool, broker: bool) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        ready = (not database or _database_exists(embedded.socket_dir(var_dir))) and (
            not broker or embedded.answers(embedded.broker_socket(var_dir))
        )
        if ready:
            return
        time.sleep(0.1)
    raise ServerError(f"Another process holds {var_dir}, but its servers do not answer.")


def _database_exists(sockets: Path) -> bool:
    try:
        _connect(sockets, embedded.DATABASE_NAME).close()
    except psycopg.OperationalError:
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    if len(arguments) < 3 or arguments[0] != "run" or arguments[1] != "--":
        tell("usage: python -m clinic.embedded_servers run -- COMMAND …")
        return 2
    try:
        return run(arguments[2:], embedded.var_dir())
    except ServerError as error:
        tell(str(error))
        return 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda _sign, _frame: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
