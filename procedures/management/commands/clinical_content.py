"""Write ``docs/clinical-content.md`` from the protocol files, or check that it is current. Needs no database."""

from __future__ import annotations

import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from procedures.domain import content, load
from procedures.domain.protocol import Protocol

PROTOCOLS = Path(__file__).resolve().parents[2] / "protocols"
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "clinical-content.md"
#: Files beside the protocols that are rule sets, not kinds of procedure.
RESERVED = frozenset({"medicines.toml", "thresholds.toml"})


def read_protocols(folder: Path = PROTOCOLS) -> list[Protocol]:
    """Every protocol file of the folder, by file name. Raises ProtocolError."""
    paths = sorted(path for path in folder.glob("*.toml") if path.name not in RESERVED)
    return [load.parse(tomllib.loads(path.read_text("utf-8")), name=path.name) for path in paths]


class Command(BaseCommand):
    help = "Write docs/clinical-content.md from the protocol files; --check only compares."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="exit 1 if the file is not current")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = content.render(read_protocols())
        if not options["check"]:
            DOCUMENT.write_text(wanted, "utf-8")
            self.stdout.write(f"{DOCUMENT.name} is written.")
        elif not DOCUMENT.exists() or DOCUMENT.read_text("utf-8") != wanted:
            raise CommandError(f"{DOCUMENT.name} is not current: run manage.py clinical_content.")
        else:
            self.stdout.write(f"{DOCUMENT.name} is current.")
