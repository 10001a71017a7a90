"""This engine beside its alternatives, in one run on one PostgreSQL and one broker: ``python -m bench engine``."""

from __future__ import annotations

from collections.abc import Sequence


def main(*, quick: bool = False, arguments: Sequence[str] = ()) -> int:
    from bench.engine.run import main as run

    return run(quick=quick, arguments=arguments)
