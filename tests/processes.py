"""Processes of the product on the database and the broker of the running test."""

from __future__ import annotations

import os
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def environment(**more: str) -> dict[str, str]:
    """What a child needs to work on this test's own database."""
    base = connection.settings_dict
    login = f"{base['USER']}:{base['PASSWORD']}" if base["PASSWORD"] else base["USER"]
    url = f"postgres://{login}@/{base['NAME']}?host={base['HOST']}&port={base['PORT']}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "clinic.settings", **more}
