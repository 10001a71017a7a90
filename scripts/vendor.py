"""Bring the front-end files into ``static/vendor/``, or verify them.

``python scripts/vendor.py`` packs the pinned npm packages with the ordinary npm client, takes htmx from the installed
django-htmx wheel, copies only what the product uses and writes ``static/vendor/VENDORED.toml``.
``python scripts/vendor.py --check`` compares every file with its digest there; it needs no network and no npm.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.resources
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = VENDOR / "VENDORED.toml"
#: A reference to a source map that is not shipped makes the manifest storage of static files fail.
SOURCE_MAP = re.compile(rb"\s*(?:/\*[#@] sourceMappingURL=.*?\*/|//[#@] sourceMappingURL=[^\n]*)")


@dataclass(frozen=True)
class NpmPackage:
    """One pinned package: ``files`` maps a path in the package to the path below ``static/vendor/<name>/``."""

    name: str
    version: str
    licence: str
    files: dict[str, str]


NPM_PACKAGES = (
    # The style sheet alone: menus and folds are <details>, dialogs are <dialog>, so Bootstrap's script has no use here.
    NpmPackage(
        "bootstrap",
        "5.3.8",
        "MIT",
        {"dist/css/bootstrap.min.css": "bootstrap.min.css", "LICENSE": "LICENSE"},
    ),
    NpmPackage(
        "bootstrap-icons",
        "1.13.1",
        "MIT",
        {
            "font/bootstrap-icons.min.css": "bootstrap-icons.min.css",
            "font/fonts/bootstrap-icons.woff2": "fonts/bootstrap-icons.woff2",
            "font/fonts/bootstrap-icons.woff": "fonts/bootstrap-icons.woff",
            "LICENSE": "LICENSE",
        },
    ),
)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def stripped(name: str, content: bytes) -> bytes:
    """Text without its source map reference; fonts and licences as they are."""
    return SOURCE_MAP.sub(b"", content) if name.endswith((".css", ".js")) else content


def write(package: str, name: str, content: bytes) -> str:
    """Write one file below ``static/vendor/<package>/``; its digest."""
    target = VENDOR / package / name
    target.parent.mkdir(parents=True, exist_ok=True)
    content = stripped(name, content)
    target.write_bytes(content)
    return digest(content)


def pack(package: NpmPackage, folder: Path) -> dict[str, str]:
    """Fetch one package with npm and copy its files; name → digest."""
    done = subprocess.run(
        ["npm", "pack", f"{package.name}@{package.version}", "--silent", "--pack-destination", str(folder)],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    digests: dict[str, str] = {}
    with tarfile.open(folder / done.stdout.strip().splitlines()[-1]) as archive:
        for inside, name in package.files.items():
            member = archive.extractfile(f"package/{inside}")
            if member is None:
                raise SystemExit(f"{package.name}@{package.version} has no file {inside}")
            digests[name] = write(package.name, name, member.read())
    return digests


def htmx() -> tuple[str, dict[str, str]]:
    """Copy htmx 2 out of the django-htmx wheel; its version and name → digest."""
    source = importlib.resources.files("django_htmx") / "static" / "django_htmx" / "htmx-2.min.js"
    content = source.read_bytes()
    found = re.search(rb'version:"(2\.[0-9.]+)"', content)
    if found is None:
        raise SystemExit("the installed django-htmx holds no htmx 2")
    return found.group(1).decode(), {"htmx.min.js": write("htmx", "htmx.min.js", content)}


def section(name: str, version: str, licence: str, source: str, digests: dict[str, str]) -> str:
    """One package as TOML."""
    lines = [
        "[[package]]",
        f'name = "{name}"',
        f'version = "{version}"',
        f'licence = "{licence}"',
        f'source = "{source}"',
        "[package.sha256]",
        *(f'"{path}" = "{value}"' for path, value in sorted(digests.items())),
    ]
    return "\n".join(lines) + "\n"


def bring() -> int:
    """Replace everything below ``static/vendor/``."""
    if shutil.which("npm") is None:
        print("npm is needed to bring the packages; --check works without it", file=sys.stderr)
        return 1
    for old in VENDOR.glob("*/"):
        shutil.rmtree(old)
    sections = []
    for package in NPM_PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            digests = pack(package, Path(folder))
        sections.append(section(package.name, package.version, package.licence, "npm", digests))
    version, digests = htmx()
    wheel = importlib.metadata.version("django-htmx")
    sections.append(section("htmx", version, "0BSD", f"django-htmx {wheel}", digests))
    head = "# Written by scripts/vendor.py (make vendor). Do not edit the files it names.\n\n"
    MANIFEST.write_text(head + "\n".join(sections), encoding="utf-8")
    print(f"{len(sections)} packages in {VENDOR.name}/")
    return 0


def problems() -> list[str]:
    """What differs between the folder and its manifest, in words; empty when nothing does."""
    if not MANIFEST.exists():
        return [f"{MANIFEST.name} is missing"]
    manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    listed = {
        f"{package['name']}/{path}": value
        for package in manifest.get("package", [])
        for path, value in package["sha256"].items()
    }
    found = {
        path.relative_to(VENDOR).as_posix(): digest(path.read_bytes())
        for path in VENDOR.rglob("*")
        if path.is_file() and path != MANIFEST
    }
    return [
        *(f"{name}: listed, but not there" for name in sorted(listed.keys() - found.keys())),
        *(f"{name}: there, but not listed" for name in sorted(found.keys() - listed.keys())),
        *(f"{name}: changed" for name in sorted(listed.keys() & found.keys()) if listed[name] != found[name]),
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="verify the digests, change nothing")
    if not parser.parse_args(arguments).check:
        return bring()
    wrong = problems()
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
