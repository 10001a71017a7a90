"""``python -m bench [NAME …]``: each measurement in a process of its own, one after another."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from collections.abc import Sequence

from bench import ground

#: In the order of running; the ones that need Django get a throw-away database first.
NAMES = ("safety_rules", "hl7_reading", "pages", "patient_search", "booking", "inbound", "memory", "engine")
WITH_DATABASE = frozenset({"pages", "patient_search", "booking", "inbound"})
#: Those that take options of their own after their name. They take long, and run only when they are named.
WITH_OPTIONS = frozenset({"engine"})


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; without one all but engine"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows: that it runs, no more")
    given, options = parser.parse_known_args(arguments)
    if unknown := sorted(set(given.names) - set(NAMES)):
        parser.error(f"no such measurement: {', '.join(unknown)}")
    if options and (len(given.names) != 1 or given.names[0] not in WITH_OPTIONS):
        parser.error(f"unknown: {' '.join(options)}")
    if len(given.names) == 1:
        return measure(given.names[0], quick=given.quick, options=options)
    failed = 0
    for name in given.names or [name for name in NAMES if name not in WITH_OPTIONS]:
        failed += bool(subprocess.run([sys.executable, "-m", "bench", name, *["--quick"] * given.quick]).returncode)
    return 1 if failed else 0


def measure(name: str, *, quick: bool, options: Sequence[str] = ()) -> int:
    """One measurement, here. Its exit code: 1 when a number is beyond what the product promises."""
    print(f"\n== {name} ==  {ground.machine()}", flush=True)
    if name in WITH_OPTIONS:
        return int(importlib.import_module(f"bench.{name}").main(quick=quick, arguments=options))
    if name not in WITH_DATABASE:
        return int(importlib.import_module(f"bench.{name}").main(quick=quick))
    with ground.throw_away():
        return int(importlib.import_module(f"bench.{name}").main(quick=quick))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
