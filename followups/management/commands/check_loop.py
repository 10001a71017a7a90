"""``manage.py check_loop``: is anything lost? A second reading of all rows by a checker of its own. It only reads."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from clinic import clock
from followups import checker
from followups.selectors import shown


class Command(BaseCommand):
    help = (
        "Check from the stored facts alone that nothing is lost: results, promises, ladders, messages, cases, lists, "
        "audit trail. Reads only; ends with 1 when something is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument(
            "--late",
            type=int,
            default=settings.ENGINE_LATE_SECONDS,
            metavar="SECONDS",
            help="how late the engine may be with a step (ENGINE_LATE_SECONDS)",
        )

    def handle(self, *args: Any, late: int, **options: Any) -> None:
        now = clock.now()
        with checker.snapshot():  # the numbers of the pages and those of the checker are of the same moment
            report = checker.check(now, shown=shown.counts(now), late=timedelta(seconds=late))
        if options["json"]:
            self.stdout.write(json.dumps(report.data(), default=str))
        else:
            for line in report.lines():
                self.stdout.write(line)
        if not report.content:
            sys.exit(1)
