"""The bundled servers' addresses, and the traps of starting them: real processes, no stand-ins."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from clinic import embedded
from clinic.embedded import ServerError
from clinic.embedded_places import InUse, held, prepare, private_dir
from clinic.embedded_servers import Servers
from tests.plugins import servers as plugin

ROOT = Path(__file__).resolve().parent.parent.parent
AS_ROOT = os.geteuid() == 0


def connect(var: Path, name: str = embedded.DATABASE_NAME) -> psycopg.Connection:
    entry = embedded.database("", var)
    return psycopg.connect(host=entry["HOST"], port=entry["PORT"], user=entry["USER"], dbname=name)


def remove(var: Path) -> None:
    shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
    shutil.rmtree(Path("/var/tmp") / f"pt-{embedded.var_hash(var)}", ignore_errors=True)
    shutil.rmtree(var, ignore_errors=True)


@pytest.fixture
def new_var(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A var that the servers' user can reach, unlike pytest's own folders when root runs the tests."""
    var = plugin.VAR / f"own-{abs(hash(request.node.name))}"
    yield var
    remove(var)


@pytest.fixture
def closed_var(tmp_path: Path) -> Iterator[Path]:
    """A var below a folder that only its owner may enter, as root's home is."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    yield closed / "var"
    remove(closed / "var")


@pytest.fixture
def start() -> Iterator[Callable[..., Servers]]:
    started: list[Servers] = []

    def start_in(var: Path, **options: Any) -> Servers:
        var.mkdir(parents=True, exist_ok=True)
        servers = Servers(var, durable=False, **options)
        started.append(servers)
        servers.start()
        return servers

    yield start_in
    for servers in started:
        servers.stop()


# --- addresses -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p@db.example.org:5433/clinic", ("clinic", "u", "p", "db.example.org", "5433")),
        ("postgresql://u@db/clinic", ("clinic", "u", "", "db", "")),
        ("postgres://u:p%40s%2Fs@db/clinic", ("clinic", "u", "p@s/s", "db", "")),
        ("postgres://u@%2Fvar%2Frun%2FPostgreSQL/clinic", ("clinic", "u", "", "/var/run/PostgreSQL", "")),
        ("postgres://u@%2Fvar%2Frun:5433/clinic", ("clinic", "u", "", "/var/run", "5433")),
        ("postgres://u@/clinic?host=/var/run/postgresql&port=5433", ("clinic", "u", "", "/var/run/postgresql", "5433")),
        ("postgres://[::1]:5432/clinic", ("clinic", "", "", "::1", "5432")),
        ("postgres:///clinic", ("clinic", "", "", "", "")),
        ("postgres://u@db/my%20clinic", ("my clinic", "u", "", "db", "")),
    ],
)
def test_a_database_url_is_read_part_by_part(url: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    entry = embedded.database(url, tmp_path)
    assert tuple(entry[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == expected


def test_other_query_parameters_reach_libpq(tmp_path: Path) -> None:
    entry = embedded.database("postgres://u@db/clinic?sslmode=require&connect_timeout=3", tmp_path)
    assert entry["OPTIONS"] == {"sslmode": "require", "connect_timeout": "3"}


@pytest.mark.parametrize("url", ["mysql://u:secret@db/clinic", "postgres://u:secret@db", "postgres://u:se:cret@d:b/c"])
def test_a_wrong_database_url_is_refused_without_showing_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as caught:
        embedded.database(url, tmp_path)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "for_celery", "for_cache"),
    [
        ("redis://h:6379/2", "redis://h:6379/2", "redis://h:6379/3"),
        ("redis://h", "redis://h", "redis://h/1"),
        ("rediss://:pw@h:6380/0", "rediss://:pw@h:6380/0", "rediss://:pw@h:6380/1"),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0", "unix:///run/r.sock?db=1"),
        ("unix:///run/r.sock?db=4", "redis+socket:///run/r.sock?virtual_host=4", "unix:///run/r.sock?db=5"),
    ],
)
def test_cache_and_broker_never_share_a_database(url: str, for_celery: str, for_cache: str, tmp_path: Path) -> None:
    assert embedded.broker(url, tmp_path) == for_celery
    assert embedded.cache(for_celery) == for_cache


def test_a_wrong_broker_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="REDIS_URL"):
        embedded.broker("amqp://h", tmp_path)


def test_the_local_secret_stays_and_is_private(tmp_path: Path) -> None:
    first = embedded.local_secret(tmp_path / "var")
    assert embedded.local_secret(tmp_path / "var") == first
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "var" / "secret-key").stat().st_mode) == 0o600
    assert embedded.local_secret(tmp_path / "other") != first


def test_two_checkouts_have_different_sockets(tmp_path: Path) -> None:
    assert embedded.socket_dir(tmp_path / "a") != embedded.socket_dir(tmp_path / "b")


# --- folders -------------------------------------------------------------------------------
def test_a_socket_folder_that_others_can_enter_is_refused(new_var: Path) -> None:
    folder = embedded.socket_dir(new_var)
    folder.mkdir(mode=0o700)
    folder.chmod(0o755)
    with pytest.raises(ServerError, match="not a private folder"):
        prepare(new_var)


def test_a_link_in_place_of_the_socket_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServerError, match="not a private folder"):
        private_dir(tmp_path / "link", None)


def test_only_one_process_holds_a_var(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(InUse, match=str(os.getpid())), held(tmp_path):
        pass
    with held(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


# --- the traps, with real servers ----------------------------------------------------------
def test_both_servers_start_below_a_path_of_150_bytes(new_var: Path, start: Callable[..., Servers]) -> None:
    var = new_var / ("d" * (150 - len(os.fsencode(new_var))))
    start(var)
    with connect(var) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with redis.Redis.from_url(embedded.client(embedded.broker("", var))) as client:
        assert client.ping()


def test_a_closed_parent_moves_data_where_the_servers_user_reaches_it(
    closed_var: Path, start: Callable[..., Servers]
) -> None:
    said: list[str] = []
    servers = start(closed_var, broker=False, say=said.append)
    with connect(closed_var) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    if AS_ROOT:
        assert str(servers.place.data).startswith("/var/tmp/pt-")
        assert len(said) == 1
        assert "/var/tmp/pt-" in said[0]
    else:
        assert servers.place.data == closed_var / "servers"
        assert said == []


def test_closed_programs_are_copied_to_where_the_servers_user_can_run_them(
    closed_var: Path, start: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = closed_var.parent / "site-packages"
    for program in (embedded.postgres_bin(), embedded.broker_bin()):
        package = embedded.package_of(program)
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.exists():
                shutil.copytree(source, site / source.name, symlinks=True)
    closed = [
        site / path.relative_to(embedded.package_of(path).parent)
        for path in (embedded.postgres_bin(), embedded.broker_bin())
    ]
    monkeypatch.setattr(embedded, "postgres_bin", lambda: closed[0])
    monkeypatch.setattr(embedded, "broker_bin", lambda: closed[1])
    servers = start(closed_var)
    with connect(closed_var) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    if AS_ROOT:
        copies = servers.place.postgres_bin.relative_to("/var/tmp").parts[0]
        assert copies.startswith(f"pt-{embedded.var_hash(closed[0])}-")
        servers.stop()
        shutil.rmtree(Path("/var/tmp") / copies)
    else:
        assert servers.place.postgres_bin == closed[0]


def test_the_database_is_utf8_whatever_the_callers_language(
    new_var: Path, start: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LANG": "C", "LC_ALL": "POSIX", "PGPORT": "1", "PGDATA": "/nonexistent"}.items():
        monkeypatch.setenv(name, value)
    start(new_var, broker=False)
    with connect(new_var) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT upper('übelkeit')").fetchone() == ("ÜBELKEIT",)


def test_the_database_stops_at_once_with_a_client_connected(new_var: Path, start: Callable[..., Servers]) -> None:
    servers = start(new_var, broker=False)
    child = servers.children["database"]
    with connect(new_var):
        servers.stop()
    assert child.returncode == 0


def test_both_servers_are_restarted_under_their_clients(new_var: Path, start: Callable[..., Servers]) -> None:
    """One cluster for all of it: fast, as after a crash, and the broker with and without what it held."""
    servers = start(new_var)
    with connect(new_var) as connection:
        connection.execute("CREATE TABLE kept (sign text)")
    for sign in (signal.SIGINT, signal.SIGQUIT):
        client, before = connect(new_var), servers.children["database"]
        client.execute("SET synchronous_commit = on")  # without it, as in tests, a crash takes the last moment along
        client.execute("INSERT INTO kept VALUES (%s)", [sign.name])
        client.commit()
        client.execute("INSERT INTO kept VALUES ('never committed')")
        servers.restart_database(sign)
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
        client.close()
        assert before.returncode is not None
    with connect(new_var) as connection:
        assert connection.execute("SELECT sign FROM kept").fetchall() == [("SIGINT",), ("SIGQUIT",)]

    with redis.Redis.from_url(embedded.client(embedded.broker("", new_var)), db=1) as cache:
        cache.set("held", "1")
        before = servers.children["broker"]
        servers.restart_broker(empty=True)
        assert before.returncode is not None
        assert cache.get("held") is None


def test_a_broker_with_a_file_keeps_its_tasks_over_a_restart_unless_it_is_emptied(new_var: Path) -> None:
    new_var.mkdir(parents=True)
    servers = Servers(new_var, database=False)
    servers.start()
    try:
        with redis.Redis.from_url(embedded.client(embedded.broker("", new_var))) as client:
            client.lpush("celery", "task")
            servers.restart_broker(empty=False)
            assert client.llen("celery") == 1
            servers.restart_broker(empty=True)
            assert client.llen("celery") == 0
        with pytest.raises(ServerError, match="database is not a bundled one"):
            servers.restart_database()
    finally:
        servers.stop()


def test_a_stale_pid_file_with_a_living_number_does_not_stop_the_start(
    new_var: Path, start: Callable[..., Servers]
) -> None:
    servers = start(new_var, broker=False)
    servers.stop()
    pid_file = servers.place.data / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{pid_file.parent}\n")  # a live process, but no PostgreSQL
    start(new_var, broker=False)
    with connect(new_var) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_servers_die_with_a_killed_parent_even_while_a_client_is_connected(
    new_var: Path, start: Callable[..., Servers]
) -> None:
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    runner = subprocess.Popen(
        [sys.executable, "-m", "clinic.embedded_servers", "run", "--", sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "VAR_DIR": str(new_var)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert runner.stdout is not None
    assert runner.stdin is not None
    assert runner.stdout.readline() == b"up\n"
    client = connect(new_var)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    # The next start waits for what is still ending, and finds no lock and no pid file in its way.
    with held(new_var):
        start(new_var)
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
        with connect(new_var) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    client.close()
    runner.stdin.close()
    runner.stdout.close()


def test_a_command_runs_beside_servers_that_are_up_already(new_var: Path, start: Callable[..., Servers]) -> None:
    with held(new_var):
        start(new_var)
        done = subprocess.run(
            [sys.executable, "-m", "clinic.embedded_servers", "run", "--", "sh", "-c", "exit 7"],
            cwd=ROOT,
            env={**os.environ, "VAR_DIR": str(new_var)},
            check=False,
            timeout=30,
        )
        assert done.returncode == 7
        with connect(new_var) as connection:  # and they are still up
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_command_of_manage_py_says_how_to_start_the_database(new_var: Path) -> None:
    new_var.mkdir()
    done = subprocess.run(
        [sys.executable, "manage.py", "showmigrations"],
        cwd=ROOT,
        env={**os.environ, "VAR_DIR": str(new_var)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "make run" in done.stderr
    assert "Traceback" not in done.stderr
