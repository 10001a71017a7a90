"""Each pytest process has its own throw-away PostgreSQL and Valkey, started when the first test asks for them.

Settings are read before any conftest is: this module is named in ``addopts`` and prepares the environment at import.
TEST_DATABASE_URL and TEST_REDIS_URL bring other servers.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic import embedded
from clinic.embedded_places import InUse, held
from clinic.embedded_servers import Servers

ROOT = Path(__file__).resolve().parent.parent.parent
SETTING = re.compile(r"""env_(?:str|bool|int|list|secret)\(\s*"([A-Z0-9_]+)\"""")
PREFIX = "pt-test-"
OLD_SECONDS = 600


def _clear_environment() -> None:
    """What a developer's shell sets for the product must not reach the tests."""
    for name in SETTING.findall((ROOT / "clinic" / "settings.py").read_text(encoding="utf-8")):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)


def _own_var() -> Path:
    """A var of this process alone; the servers' user may pass through it."""
    # Not below TMPDIR, which may be private to us.
    root = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    var = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    var.chmod(0o711)
    return var


def _remove(var: Path) -> None:
    shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
    shutil.rmtree(var, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Folders of runs that were killed."""
    for var in root.glob(f"{PREFIX}*"):
        try:
            if time.time() - var.stat().st_mtime < OLD_SECONDS:
                continue
            with held(var):
                pass
        except (OSError, InUse):
            continue
        _remove(var)


_clear_environment()
VAR = _own_var()
os.environ["VAR_DIR"] = str(VAR)
for _name in ("DATABASE_URL", "REDIS_URL"):
    if os.environ.get(f"TEST_{_name}"):
        os.environ[_name] = os.environ[f"TEST_{_name}"]
_held = contextlib.ExitStack()
_held.enter_context(held(VAR))
# A run that ends before its tests begin never comes to pytest_unconfigure.
atexit.register(lambda: _clean_up())


@pytest.fixture(scope="session")
def bundled_servers() -> Iterator[Servers]:
    """PostgreSQL and Valkey of this process, or those named by TEST_DATABASE_URL and TEST_REDIS_URL."""
    servers = Servers(
        VAR,
        database="DATABASE_URL" not in os.environ,
        broker="REDIS_URL" not in os.environ,
        durable=False,
    )
    servers.start()
    yield servers
    servers.stop()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _clean_up()


def _clean_up() -> None:
    _held.close()
    _remove(VAR)
    _sweep(VAR.parent)
