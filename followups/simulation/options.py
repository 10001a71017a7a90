"""What can be asked of a simulated year, for the command and for the process that it starts."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

#: By each of these names alone, or several with commas between them.
FAULTS = ("worker_killed", "broker_emptied", "database_restarted", "clock_jump", "dst", "two_beats")
ALL, NONE = "all", "none"
PROCEDURES, DAYS, LOOK = 10_000, 365, 5


def add_to(parser: ArgumentParser) -> None:
    parser.add_argument("--procedures", type=int, default=PROCEDURES, metavar="N", help=f"so many cases ({PROCEDURES})")
    parser.add_argument("--days", type=int, default=DAYS, metavar="D", help=f"so many days ({DAYS})")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed makes the same year")
    parser.add_argument(
        "--faults", type=_known, default=ALL, metavar="LIST", help=f"all, none, or of: {', '.join(FAULTS)}"
    )
    parser.add_argument(
        "--look", type=int, default=LOOK, metavar="M", help=f"the engine looks every M minutes ({LOOK})"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything there: VAR_DIR=DIR make run shows it")


def faults_of(said: str) -> frozenset[str]:
    if said == NONE:
        return frozenset()
    return frozenset(FAULTS) if said == ALL else frozenset(said.split(","))


def _known(said: str) -> str:
    unknown = faults_of(said) - set(FAULTS)
    if unknown:
        raise ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return said
