#!/usr/bin/env python
"""Django's command line, for this clinic."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from clinic import embedded

    try:
        execute_from_command_line(sys.argv)
    except OperationalError:
        reason = embedded.why_not_running()
        if not reason:
            raise
        sys.exit(reason)


if __name__ == "__main__":
    main()
