"""Write ``docs/follow-ups.md`` from the kinds of promise and their ladders, or check that it is current."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from followups.domain import document
from followups.services import ladders

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "follow-ups.md"


class Command(BaseCommand):
    help = "Write docs/follow-ups.md from the kinds of promise and escalation.toml; --check only compares."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="exit 1 if the file is not current")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = document.render(ladders.load())
        if not options["check"]:
            DOCUMENT.write_text(wanted, "utf-8")
            self.stdout.write(f"{DOCUMENT.name} is written.")
        elif not DOCUMENT.exists() or DOCUMENT.read_text("utf-8") != wanted:
            raise CommandError(f"{DOCUMENT.name} is not current: run manage.py follow_ups.")
        else:
            self.stdout.write(f"{DOCUMENT.name} is current.")
