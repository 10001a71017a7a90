"""What must be true before web and worker start: tables, published protocols, and the demonstration's data once."""

from __future__ import annotations

import os
import sys

import django
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands
from django.db import OperationalError


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    django.setup()
    try:
        _prepare()
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    except OperationalError as error:
        print(f"The database cannot be used: {error}", file=sys.stderr)
        return 1
    return 0


def _prepare() -> None:
    known = get_commands()
    call_command("migrate", interactive=False, verbosity=0)
    if "load_protocols" in known:
        call_command("load_protocols")
    if settings.DEMO and "demo" in known:
        call_command("demo", once=True)


if __name__ == "__main__":
    sys.exit(main())
