"""``manage.py load_protocols``: publish the protocol files that changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.actor import Actor
from procedures.domain.load import ProtocolError
from procedures.services import protocols


class Command(BaseCommand):
    help = "Publish each protocol file as a new immutable version if its content changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--directory", type=Path, default=protocols.PROTOCOL_DIR)

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        for path in protocols.files(options["directory"]):
            try:
                version, new = protocols.publish(
                    data=protocols.read(path), name=path.name, actor=Actor.system("load_protocols")
                )
            except ProtocolError as exc:
                failed = True
                self.stderr.write(str(exc))
                continue
            word = "published" if new else "unchanged"
            self.stdout.write(f"{path.name}: {word}, version {version.number}")
        if failed:
            raise CommandError("Some protocol files were not published; the versions in force stay as they are.")
