"""Write ``docs/clinical-content.md`` from the protocol and rule files, or check it. Needs no database."""

from __future__ import annotations

import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from procedures.domain import content, load, load_ruleset
from procedures.domain.protocol import Protocol
from procedures.domain.ruleset import RuleSet
from procedures.services import protocols

PROTOCOLS = Path(__file__).resolve().parents[2] / "protocols"
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "clinical-content.md"
#: Files beside the protocols that are rule sets, not kinds of procedure.
RESERVED = frozenset({"medicines.toml", "thresholds.toml"})


def read_protocols(folder: Path = PROTOCOLS) -> list[Protocol]:
    """Every protocol file of the folder, by file name. Raises ProtocolError."""
    paths = sorted(path for path in folder.glob("*.toml") if path.name not in RESERVED)
    return [load.parse(protocols.read_translated(path), name=path.name) for path in paths]


def read_rules(folder: Path = PROTOCOLS) -> RuleSet:
    """The rule set of the folder. Raises ProtocolError."""
    paths = {name: folder / f"{name}.toml" for name in load_ruleset.FILES}
    return load_ruleset.parse({name: tomllib.loads(path.read_text("utf-8")) for name, path in paths.items()})


class Command(BaseCommand):
    help = "Write docs/clinical-content.md from the protocol and rule files; --check only compares."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="exit 1 if the file is not current")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = content.render(read_protocols(), read_rules())
        if not options["check"]:
            DOCUMENT.write_text(wanted, "utf-8")
            self.stdout.write(f"{DOCUMENT.name} is written.")
        elif not DOCUMENT.exists() or DOCUMENT.read_text("utf-8") != wanted:
            raise CommandError(f"{DOCUMENT.name} is not current: run manage.py clinical_content.")
        else:
            self.stdout.write(f"{DOCUMENT.name} is current.")
