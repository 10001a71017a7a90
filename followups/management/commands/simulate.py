"""``manage.py simulate``: a clinic's year in minutes, on servers of its own, judged by the checker."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from followups.simulation.options import add_to


class Command(BaseCommand):
    help = (
        "Let a clinic's year pass on throw-away servers, with laboratories, people and machines that fail; "
        "ends with 0 only when the checker has nothing to complain of. No existing database is touched."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_to(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        argv = [sys.executable, "-m", "followups.simulation"]
        for name in ("procedures", "days", "seed", "faults", "look", "keep"):
            if options[name] is not None:
                argv += [f"--{name}", str(options[name])]
        code = subprocess.run(argv, cwd=settings.BASE_DIR, check=False).returncode
        if code:
            sys.exit(code)
