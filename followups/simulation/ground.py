"""Servers and a database of the simulation's own. No real database is ever touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinic.embedded_servers import Servers

#: Whatever of the caller's shell leads to a real clinic.
ELSEWHERE = (
    "DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE", "PRODUCTION", "EMAIL_BACKEND", "SMS_GATEWAY",
)  # fmt: skip


@contextmanager
def own(folder: Path | None) -> Iterator[tuple[Path, Servers]]:
    """Django on an empty, migrated PostgreSQL. ``folder``: kept as a ``var`` that ``make run`` can show."""
    with _var(folder) as var:
        for name in ELSEWHERE:
            os.environ.pop(name, None)
        os.environ |= {"VAR_DIR": str(var), "DEMO": "1", "DEBUG": "0", "DJANGO_SETTINGS_MODULE": "clinic.settings"}
        from clinic.embedded_places import held
        from clinic.embedded_servers import Servers

        with held(var):
            servers = Servers(var, durable=False)
            servers.start()
            try:
                yield var, servers
            finally:
                servers.stop()


@contextmanager
def _var(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "servers").exists():
            raise SystemExit(f"{folder} holds servers already: name an empty folder.")
        yield folder.resolve()
        return
    root = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    var = Path(tempfile.mkdtemp(prefix="pt-year-", dir=root))
    var.chmod(0o711)  # the bundled servers may run as another user
    try:
        yield var
    finally:
        from clinic import embedded

        shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
        shutil.rmtree(var, ignore_errors=True)
