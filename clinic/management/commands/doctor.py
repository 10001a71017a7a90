"""``manage.py doctor``: what is misconfigured or not running, in words. Exit code 1 when something is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import ERROR, CheckMessage, run_checks
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from clinic import checks


class Command(BaseCommand):
    help = "Say in words what is misconfigured or not running; exit code 1 when something is."
    requires_system_checks = ()  # run below, so that the first error does not hide the others

    def handle(self, *args: Any, **options: Any) -> None:
        found = run_checks(include_deployment_checks=settings.PRODUCTION)
        self._report("The settings fit together.", found)
        for check in checks.running:
            try:
                problems = check()
            except DatabaseError:
                # The first check says that the database does not answer, or lacks its tables.
                continue
            found = [*found, *problems]
            self._report((check.__doc__ or check.__name__).strip(), problems)
        if any(message.level >= ERROR for message in found):
            raise SystemExit(1)

    def _report(self, right: str, found: list[CheckMessage]) -> None:
        if not found:
            self.stdout.write(f"ok     {right}")
        for message in found:
            word = "wrong" if message.level >= ERROR else "look"
            self.stdout.write(f"{word:<6} {message.msg} ({message.id})")
            if message.hint:
                self.stdout.write(f"       {message.hint}")
