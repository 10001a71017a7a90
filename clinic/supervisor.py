"""``make run``: the bundled servers, web, worker and beat together, until one Ctrl-C.

Every child has a session of its own, so the terminal's Ctrl-C reaches us alone and we end them in order: first the
parents of web, worker and beat by TERM (so that a worker finishes its task), the broker, the database last. If we are
killed the kernel ends them for us (``processes.die_with_parent``).
"""

from __future__ import annotations

import http.client
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from clinic import embedded, processes
from clinic.embedded import ServerError
from clinic.embedded_places import InUse, held
from clinic.embedded_servers import Servers, log_tail

ROOT = Path(__file__).resolve().parent.parent
FIRST_PORT = 8000
PORTS_TRIED = 50
STOP_SECONDS = 15
WEB = shlex.split(
    "gunicorn clinic.wsgi --worker-class gthread --workers 1 --threads 8 --timeout 60 --graceful-timeout 10 "
    "--no-control-socket --log-level warning"
)
WORKER = shlex.split(
    "celery -A clinic --quiet worker --loglevel WARNING "  # how many processes: clinic/celery.py
    "--without-gossip --without-mingle --without-heartbeat"
)
LABORATORY_PORT = 2575
BEAT = shlex.split("celery -A clinic --quiet beat --loglevel WARNING --pidfile=")
#: Whoever runs the whole demonstration as root has been told by the system already.
AS_ROOT = "ignore:You're running the worker with superuser"
#: As many deaths in so many seconds are a fault that another start will not mend.
DEATHS, WITHIN_SECONDS = 3, 60


def tell(name: str, line: str) -> None:
    """One whole line, named; from any thread. A closed terminal must not stop us from stopping the children."""
    try:
        sys.stdout.write(f"{name:<8} | {line}\n" if name else f"{line}\n")
        sys.stdout.flush()
    except OSError:
        pass


class Signals:
    """Counts requests to stop, and wakes ``wait`` for them and for a child's end."""

    def __init__(self) -> None:
        self.stops = 0
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, self._count)
        signal.signal(signal.SIGCHLD, lambda _sign, _frame: None)

    def _count(self, _sign: int, _frame: object) -> None:
        self.stops += 1

    def wait(self, seconds: float) -> None:
        if select.select([self._read], [], [], max(seconds, 0))[0]:
            os.read(self._read, 512)


@dataclass
class Child:
    """One process that is started again when it ends by itself. ``needed``: without it the others end too."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    start_at: float | None = None
    deaths: list[float] = field(default_factory=list)
    needed: bool = True


def how_it_ended(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


class Supervisor:
    """One run. Everything here happens in the main thread, except reading the children's output."""

    def __init__(self, var_dir: Path, signals: Signals) -> None:
        self.var_dir = var_dir
        self.signals = signals
        self.env = dict(os.environ) | {"PYTHONUNBUFFERED": "1"}
        self.children: list[Child] = []
        self.readers: list[threading.Thread] = []
        self.laboratory_port: int | None = None

    def run(self) -> int:
        """Until asked to stop (0), or until something cannot be started (1)."""
        servers = Servers(
            self.var_dir,
            database=not embedded.url_given("DATABASE_URL"),
            broker=not embedded.url_given("REDIS_URL"),
            say=lambda line: tell("", line),
        )
        servers.start()
        listener: socket.socket | None = None
        try:
            listener = self._listen()
            if not self._prepared():
                return 0 if self.signals.stops else 1
            self._start_all(servers, listener)
            return self._watch(listener)
        finally:
            self._stop_children(servers)
            servers.stop()
            if listener:
                listener.close()
            tell("", "Stopped.")

    # --- before the children ---------------------------------------------------------------
    def _listen(self) -> socket.socket:
        """The first free port from PORT on. Held by us, so that a restarted web keeps it."""
        first, host = int(self.env.get("PORT") or FIRST_PORT), self.env.get("HOST") or "127.0.0.1"
        for port in range(first, min(first + PORTS_TRIED, 65536)):
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
                listener.listen(128)
            except OSError as error:
                listener.close()
                reason = error.strerror
                continue
            if port != first:
                tell("", f"Port {first} is taken: using {port}.")
            self.env.setdefault("SITE_URL", f"http://{host}:{port}")
            return listener
        raise ServerError(f"No port from {first} to {port} can be used on {host} ({reason}): set PORT or HOST.")

    def _prepared(self) -> bool:
        tell("", "Preparing the database …")
        child = self._spawn("setup", [sys.executable, "-m", "clinic.prepare"])
        while child.poll() is None:
            if self.signals.stops:
                processes.stop(child, signal.SIGTERM, seconds=STOP_SECONDS)
                return False
            self.signals.wait(1)
        if child.returncode and not self.signals.stops:
            tell("", f"The database could not be prepared: setup {how_it_ended(child.returncode)}.")
        return child.returncode == 0 and not self.signals.stops

    def _start_all(self, servers: Servers, listener: socket.socket) -> None:
        for plan in servers.plans:
            start = _relaunch(servers, plan.name)
            self.children.append(Child(plan.name, start, process=servers.children[plan.name]))
        fd = listener.fileno()
        schedule = ["--schedule", str(self.var_dir / "beat-schedule")]
        commands = {"web": [*WEB, "--bind", f"fd://{fd}"], "worker": WORKER, "beat": [*BEAT, *schedule]}
        for name, command in commands.items():
            argv = [sys.executable, "-W", AS_ROOT, "-m", *command]
            keep = [fd] if name == "web" else []
            self.children.append(Child(name, _starter(self, name, argv, keep), start_at=0))
        self._add_laboratory()

    def _add_laboratory(self) -> None:
        """The listener for results on this computer alone; where its port is taken, we go on without."""
        port = int(self.env.get("INBOUND_PORT") or LABORATORY_PORT)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                tell("", f"Port {port} is taken: no laboratory connection here. INBOUND_PORT names another.")
                return
        self.laboratory_port = port
        argv = [sys.executable, "manage.py", "receive_results", "--port", str(port)]
        self.children.append(Child("lab", _starter(self, "lab", argv, []), start_at=0, needed=False))

    def _spawn(self, name: str, argv: Sequence[str], keep: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        child = processes.start(argv, env=self.env, cwd=ROOT, keep=keep)
        assert child.stdout is not None
        reader = threading.Thread(target=_pass_on, args=(name, child.stdout), daemon=True)
        reader.start()
        self.readers.append(reader)
        return child

    # --- while they run --------------------------------------------------------------------
    def _watch(self, listener: socket.socket) -> int:
        host, port = listener.getsockname()
        welcomed = False
        while not self.signals.stops:
            for child in self.children:
                if not self._keep_up(child):
                    return 1
            if not welcomed and _answers(host, port):
                welcomed = True
                self._welcome()
            self.signals.wait(1 if welcomed else 0.2)
        tell("", "Stopping …")
        return 0

    def _keep_up(self, child: Child) -> bool:
        """Start what is due to start; False when it has died too often."""
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            processes.kill_group(child.process)
            child.deaths = [at for at in child.deaths if now - at < WITHIN_SECONDS] + [now]
            ended = how_it_ended(child.process.returncode)
            child.process = None
            if len(child.deaths) >= DEATHS and not child.needed:
                tell("", f"{child.name} {ended}, {DEATHS} times within {WITHIN_SECONDS} s: going on without it.")
                return True
            if len(child.deaths) >= DEATHS:
                tell("", f"{child.name} {ended}, {DEATHS} times within {WITHIN_SECONDS} s: stopping everything.")
                if child.name in {"database", "broker"}:
                    tell("", log_tail(self.var_dir / "log" / f"{child.name}.log"))
                return False
            pause = 2 ** (len(child.deaths) - 1)
            tell("", f"{child.name} {ended}: starting it again in {pause} s.")
            child.start_at = now + pause
        if child.start_at is not None and now >= child.start_at:
            child.start_at = None
            child.process = child.start()
        return True

    def _welcome(self) -> None:
        tell("", "")
        tell("", f"Running at {self.env['SITE_URL']}  (Ctrl-C stops everything)")
        if self.laboratory_port is not None:
            tell("", f"Laboratories send results (HL7 v2, MLLP) to 127.0.0.1:{self.laboratory_port}")
        try:
            tell("", (self.var_dir / "demo-logins.txt").read_text(encoding="utf-8").rstrip())
        except FileNotFoundError:
            tell("", "No demonstration here: `.venv/bin/python manage.py first_administrator` adds the first person.")
        tell("", "")

    # --- the end ---------------------------------------------------------------------------
    def _stop_children(self, servers: Servers) -> None:
        """TERM to the parents only: a worker's own children end with their task. A second Ctrl-C ends the waiting."""
        ours = [child for child in self.children if child.name not in servers.children]
        running = [child.process for child in ours if child.process is not None]
        asked = self.signals.stops
        for process in running:
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + STOP_SECONDS
        while any(process.poll() is None for process in running):
            if time.monotonic() >= until or self.signals.stops > asked:
                break
            self.signals.wait(min(0.5, until - time.monotonic()))
        for process in running:
            processes.kill_group(process)
            process.wait()
        for reader in self.readers:
            reader.join(1)


def _relaunch(servers: Servers, name: str) -> Callable[[], subprocess.Popen[bytes]]:
    """Start a bundled server again; web and worker reconnect by themselves."""
    plan = next(plan for plan in servers.plans if plan.name == name)

    def start() -> subprocess.Popen[bytes]:
        servers.launch(plan)
        return servers.children[name]

    return start


def _starter(
    supervisor: Supervisor, name: str, argv: Sequence[str], keep: Sequence[int]
) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: supervisor._spawn(name, argv, keep)


def _pass_on(name: str, output: IO[bytes]) -> None:
    with output:
        for line in output:
            tell(name, line.decode(errors="replace").rstrip())


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=1)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(arguments: Sequence[str]) -> int:
    if "--end-with-parent" in arguments:
        processes.die_with_parent(signal.SIGTERM, os.getppid())
    if os.environ.get("PRODUCTION", "0") not in {"", "0"}:
        tell("", "make run is for trying and developing. docs/operations.md says how to run this for real.")
        return 1
    var_dir = embedded.var_dir()
    signals = Signals()
    try:
        with held(var_dir):
            return Supervisor(var_dir, signals).run()
    except InUse as holder:
        tell("", f"This checkout is running already (process {holder}). Stop that one first.")
    except ServerError as error:
        tell("", str(error))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
