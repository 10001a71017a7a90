"""The numbers of the loop board, for monitoring."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from clinic import clock
from followups.selectors import loop


class Command(BaseCommand):
    help = "How many promises are open, due, overdue, critical, unreviewed, untold: the numbers the pages show."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = loop.counts(clock.now())
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        for name, number in counts.items():
            self.stdout.write(f"{name:<12}{number}")
