"""``python -m followups.simulation``: what ``manage.py simulate`` starts, in a process with servers of its own."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from followups.simulation import ground
from followups.simulation.options import add_to, faults_of

if TYPE_CHECKING:
    from clinic.embedded_servers import Servers
    from followups.simulation.world import World
    from followups.simulation.year import Wanted, Year

WIDTH = 40


def main() -> int:
    parser = argparse.ArgumentParser(prog="manage.py simulate")
    add_to(parser)
    given = parser.parse_args()
    with ground.own(given.keep) as (var, servers):
        return _run(given, var, servers)


def _run(given: argparse.Namespace, var: Path, servers: Servers) -> int:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from followups.simulation import closing, judge, people, year

    logging.getLogger().setLevel(logging.CRITICAL)  # what is planted is expected; the checker says what is not
    call_command("migrate", interactive=False, verbosity=0)
    wanted = year.Wanted(
        procedures=given.procedures,
        days=given.days,
        seed=given.seed,
        faults=faults_of(given.faults),
        look=timedelta(minutes=given.look),
    )
    gc.freeze()  # what is loaded by now stays: the collector need not look at it for an hour
    bar = Bar(wanted)
    with bar.listening():
        made: Year = year.run(wanted, var, check=judge.judge, machines=servers, tell=bar)
    sys.stdout.write("\n".join([*closing.lines(made), ""]))
    if given.keep is not None:
        people.LOGINS = var / "demo-logins.txt"
        people.write_logins(wanted.password)
        sys.stdout.write(f"VAR_DIR={var} make run shows it; everybody logs in with {wanted.password!r}.\n")
    connection.close()
    return 0 if made.content and not bar.stopped else 1


class Bar:
    """One line on a terminal, a line a month elsewhere. Ctrl-C ends the year on that day: the checker is asked all the
    same, and the closing table says that it was no whole one.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._shown = sys.stderr.isatty()
        self._month = (0, 0)
        self.stopped = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        before = signal.signal(signal.SIGINT, self._stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            if self._shown:
                sys.stderr.write("\n")

    def _stop(self, *_signal: object) -> None:
        self.stopped = True

    def __call__(self, moment: datetime, world: World) -> None:
        """A new day begins."""
        if self.stopped:
            world.time.end = world.time.now
            sys.stderr.write(f"\nstopped on {moment:%d %b %Y}\n")
        if self._shown:
            self._draw(moment, world)
        elif (month := (moment.year, moment.month)) > self._month:
            self._month = month
            sys.stderr.write(f"{moment:%d %b %Y}: {world.figures['requested']} cases\n")
            sys.stderr.flush()

    def _draw(self, moment: datetime, world: World) -> None:
        share = min(1.0, (moment - self._wanted.begin).days / self._wanted.days)
        done = "█" * round(share * WIDTH)
        sys.stderr.write(f"\r{done:<{WIDTH}} {share:4.0%}  {moment:%d %b %Y}  {world.figures['requested']} cases ")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
