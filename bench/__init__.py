"""Measurements. ``make bench`` runs all of them; ``python -m bench NAME …`` runs some.

Each one runs in a process of its own, with a throw-away PostgreSQL and broker of its own, and prints what it measured
on which machine. ``docs/performance.md`` keeps a real run.
"""
