"""One pass of the engine by hand; in a demonstration also at another time."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clinic import clock
from clinic.actor import Actor
from clinic.errors import DomainError
from followups import engine, replay
from followups.services import demo_clock

ACTOR = Actor.system("tick")


class Command(BaseCommand):
    help = (
        "One pass of the follow-up engine. With --now (demonstrations only) the clock is moved there, and everything "
        "due on the way happens at its own time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", type=moment, metavar="ISO", help="move the demonstration's clock to this moment")
        parser.add_argument("--reset", action="store_true", help="put the demonstration's clock back first")

    def handle(self, *args: Any, now: datetime | None, reset: bool, **options: Any) -> None:
        try:
            if reset:
                demo_clock.reset(actor=ACTOR)
            if now is None:
                self._report(engine.run_pass(clock.now()))
            else:
                done = replay.move_to(actor=ACTOR, to=now)
                self.stdout.write(f"passes {done.passes}, rungs {done.rungs}, sent {done.sent}; now {now.isoformat()}")
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _report(self, report: engine.PassReport) -> None:
        self.stdout.write(
            f"rungs {report.rungs}, queued {report.queued}, sent {report.delivered.get('sent', 0)}, "
            f"reaped {report.reaped}, set aside {report.set_aside}, {report.seconds:.3f} s"
        )
        if report.empty_roles:
            self.stderr.write(f"empty ladder: nobody answers for {', '.join(report.empty_roles)}")


def moment(text: str) -> datetime:
    """An aware moment; without an offset it is the clinic's local time."""
    parsed = parse_datetime(text)
    if parsed is None:
        raise ValueError(text)
    return timezone.make_aware(parsed) if timezone.is_naive(parsed) else parsed
