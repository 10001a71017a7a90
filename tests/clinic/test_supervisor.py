"""``make run``'s supervisor: its decisions with small children, and the whole thing for real (marked proof)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clinic import embedded, processes, supervisor
from clinic.embedded_places import held
from clinic.supervisor import Child, Supervisor
from tests.plugins import servers as plugin

ROOT = Path(__file__).resolve().parent.parent.parent


class Counter:
    """In place of the process-wide signal handlers."""

    stops = 0

    def wait(self, seconds: float) -> None:
        pass


@pytest.fixture
def run(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path, Counter())  # type: ignore[arg-type]


def child_of(code: str) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: processes.start([sys.executable, "-c", code], env=os.environ, cwd=ROOT, output=subprocess.DEVNULL)


def die(run: Supervisor, child: Child) -> bool:
    """Start the child if it is due, let it end, and look."""
    child.start_at = 0
    assert run._keep_up(child)
    assert child.process is not None
    child.process.wait()
    return run._keep_up(child)


# --- restarting ----------------------------------------------------------------------------
def test_a_child_that_ends_is_started_again_after_a_growing_pause(run: Supervisor, capsys: Any) -> None:
    child = Child("worker", child_of("raise SystemExit(3)"))
    assert die(run, child)
    assert die(run, child)
    said = capsys.readouterr().out
    assert "worker ended with code 3: starting it again in 1 s." in said
    assert "worker ended with code 3: starting it again in 2 s." in said


def test_the_third_death_within_a_minute_stops_everything(run: Supervisor, capsys: Any) -> None:
    child = Child("web", child_of("raise SystemExit(1)"))
    assert [die(run, child) for _ in range(3)] == [True, True, False]
    assert "web ended with code 1, 3 times within 60 s: stopping everything." in capsys.readouterr().out


def test_the_laboratory_connection_that_cannot_run_stops_nothing(run: Supervisor, capsys: Any) -> None:
    child = Child("lab", child_of("raise SystemExit(1)"), needed=False)
    assert [die(run, child) for _ in range(3)] == [True, True, True]
    assert "lab ended with code 1, 3 times within 60 s: going on without it." in capsys.readouterr().out
    assert run._keep_up(child)
    assert child.process is None


def test_without_its_port_there_is_no_laboratory_connection_and_it_is_said(run: Supervisor, capsys: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run.env["INBOUND_PORT"] = str(port)
        run._add_laboratory()
    assert (run.children, run.laboratory_port) == ([], None)
    assert f"Port {port} is taken: no laboratory connection here." in capsys.readouterr().out
    run._add_laboratory()
    assert [child.name for child in run.children] == ["lab"]


def test_deaths_of_an_hour_ago_do_not_count(run: Supervisor) -> None:
    child = Child("beat", child_of("pass"), deaths=[-4000.0, -3900.0])
    assert die(run, child)
    assert len(child.deaths) == 1


def test_what_a_dead_child_left_behind_is_ended_too(run: Supervisor) -> None:
    code = "import subprocess, sys; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); sys.exit(1)"
    started = processes.start([sys.executable, "-c", code], env=os.environ, cwd=ROOT)
    assert started.stdout is not None
    grandchild = int(started.stdout.readline())
    started.wait()
    started.stdout.close()
    run._keep_up(Child("worker", child_of("pass"), process=started))
    assert not _alive(grandchild)


def _alive(pid: int) -> bool:
    """Waiting for a process that is not ours: until the kernel says it is gone or only waits to be reaped."""
    try:
        with os.fdopen(os.pidfd_open(pid)) as handle:
            import select

            return not select.select([handle], [], [], 10)[0]
    except ProcessLookupError:
        return False


# --- ports ---------------------------------------------------------------------------------
def test_a_taken_port_is_left_for_the_next_one_and_said_in_one_line(run: Supervisor, capsys: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        run.env |= {"PORT": str(taken), "HOST": "127.0.0.1"}
        run.env.pop("SITE_URL", None)
        with run._listen() as listener:
            got = listener.getsockname()[1]
    assert taken < got < taken + supervisor.PORTS_TRIED
    assert capsys.readouterr().out == f"Port {taken} is taken: using {got}.\n"
    assert run.env["SITE_URL"] == f"http://127.0.0.1:{got}"


def test_an_address_that_cannot_be_had_is_said_and_no_traceback(run: Supervisor) -> None:
    run.env |= {"PORT": "8000", "HOST": "203.0.113.1"}
    with pytest.raises(embedded.ServerError, match="set PORT or HOST"):
        run._listen()


# --- stopping ------------------------------------------------------------------------------
def test_a_child_that_does_not_end_in_time_is_killed_with_its_group() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    child = processes.start([sys.executable, "-c", code], env=os.environ, cwd=ROOT)
    assert child.stdout is not None
    assert child.stdout.readline() == b"deaf\n"
    assert processes.stop(child, signal.SIGTERM, seconds=0.2) is False
    assert child.returncode == -signal.SIGKILL
    child.stdout.close()


def test_children_are_started_from_the_main_thread_only() -> None:
    import threading

    caught: list[Exception] = []

    def try_it() -> None:
        try:
            processes.start(["true"], env={}, cwd=ROOT)
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_a_second_start_in_the_same_checkout_is_refused_in_words(tmp_path: Path) -> None:
    with held(tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "clinic.supervisor"],
            cwd=ROOT,
            env={**os.environ, "VAR_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stdout == f"This checkout is running already (process {os.getpid()}). Stop that one first.\n"
    assert done.stderr == ""


# --- the whole thing -----------------------------------------------------------------------
class Whole:
    """The supervisor as ``make run`` starts it, with a var of its own."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port = var, port
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Until the address is printed; the address."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "clinic.supervisor"],
            cwd=ROOT,
            env={**os.environ, "VAR_DIR": str(self.var), "PORT": str(self.port), "DEMO": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.match(r"Running at (http://\S+)", line):
                return found[1]
        raise AssertionError("".join(self.lines))

    def end(self, sign: int) -> int:
        assert self.process is not None
        self.process.send_signal(sign)
        rest, _ = self.process.communicate(timeout=40)
        self.lines += rest.splitlines(keepends=True)
        return self.process.returncode

    def family(self) -> list[int]:
        """Every living process that was started for this var."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and f"VAR_DIR={self.var}\0".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> Iterator[Whole]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    var = plugin.VAR / f"run-{abs(hash(request.node.name))}"
    var.mkdir()
    running = Whole(var, port)
    yield running
    if running.process is not None and running.process.poll() is None:
        running.end(signal.SIGTERM)
    shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
    shutil.rmtree(var, ignore_errors=True)


@pytest.mark.proof
def test_one_interrupt_stops_everything_and_the_next_start_finds_no_lock(whole: Whole) -> None:
    address = whole.start()
    with urllib.request.urlopen(f"{address}/readyz", timeout=10) as response:
        assert response.status == 200
    assert len(whole.family()) > 3
    assert whole.end(signal.SIGINT) == 0
    assert whole.lines[-1] == "Stopped.\n"
    assert whole.family() == []
    assert "Traceback" not in "".join(whole.lines)
    assert whole.start() == address
    assert whole.end(signal.SIGINT) == 0


@pytest.mark.proof
def test_a_killed_supervisor_leaves_nothing_and_the_next_start_works(whole: Whole) -> None:
    whole.start()
    family = whole.family()
    assert whole.end(signal.SIGKILL) == -signal.SIGKILL
    assert [pid for pid in family if _alive(pid)] == []
    whole.start()
    assert whole.end(signal.SIGINT) == 0
