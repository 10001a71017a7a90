"""``manage.py demo``: an invented clinic with six weeks behind it."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinic import users
from clinic.errors import DomainError
from clinic.models import AuditEntry
from followups.demo import build
from followups.services import demo_clock
from followups.simulation import people
from procedures.models import Patient
from procedures.services import protocols

#: All that is written out in ``plans``, and a few ordinary ones.
DEFAULT = 48


class Command(BaseCommand):
    help = (
        "Create the demonstration's people, places and cases (DEMO=1 only). The same seed makes the same clinic; the "
        "log-ins are kept in the file demo-logins.txt of the var folder."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--procedures", type=int, default=DEFAULT, metavar="N", help=f"so many cases ({DEFAULT})")
        parser.add_argument("--seed", type=int, default=1, metavar="S")
        parser.add_argument("--once", action="store_true", help="do nothing when the demonstration is there already")
        parser.add_argument("--print-logins", action="store_true", help="print user names and password")

    def handle(self, *args: Any, procedures: int, seed: int, once: bool, print_logins: bool, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Invented patients are only for a demonstration: set DEMO=1.")
        if people.existing():
            self._already_there(once)
        else:
            self._create(procedures, seed)
        if print_logins:
            self.stdout.write(people.LOGINS.read_text(encoding="utf-8") if people.LOGINS.exists() else NO_LOGINS)

    def _already_there(self, once: bool) -> None:
        if not AuditEntry.objects.filter(action=build.CREATED).exists():
            demo_clock.reset(actor=build.ACTOR)
            raise CommandError(INTERRUPTED)
        if not once:
            raise CommandError("The demonstration is there already.")

    def _create(self, procedures: int, seed: int) -> None:
        if Patient.objects.exists():
            raise CommandError("There are patients here who are not the demonstration's. Use an empty database.")
        missing = [path.stem for path in protocols.files() if protocols.newest(path.stem) is None]
        if missing:
            raise CommandError(f"No protocol is published ({', '.join(missing)}): run manage.py load_protocols first.")
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # the clock is put back on the way out
        try:
            password = users.one_time_password()
            self.stdout.write(f"Creating {procedures} invented cases …")
            build.create(procedures=procedures, seed=seed, password=password, tell=self._tell)
        except DomainError as error:
            raise CommandError(str(error)) from error
        finally:
            signal.signal(signal.SIGTERM, before)
        people.write_logins(password)
        self.stdout.write("The demonstration is ready.")

    def _tell(self, line: str) -> None:
        if line.startswith("Mon"):
            self.stdout.write(f"  week of {line}")


NO_LOGINS = "The file with the log-ins is gone: give somebody a new password on the users page."
INTERRUPTED = "The demonstration was interrupted while it was made. Remove the var folder (make clean) and start again."
