"""``manage.py load_protocols``: publish the protocol files and the safety rules that changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.actor import Actor
from procedures.domain.load import ProtocolError
from procedures.services import protocols, rulesets, safety


class Command(BaseCommand):
    help = "Publish each protocol file, and the safety rules, as a new immutable version if the content changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--directory", type=Path, default=protocols.PROTOCOL_DIR)

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        for path in protocols.files(options["directory"]):
            try:
                version, new = protocols.publish(
                    data=protocols.read_translated(path), name=path.name, actor=Actor.system("load_protocols")
                )
            except ProtocolError as exc:
                failed = True
                self.stderr.write(str(exc))
                continue
            word = "published" if new else "unchanged"
            self.stdout.write(f"{path.name}: {word}, version {version.number}")
        failed |= not self._rules(options["directory"])
        if failed:
            raise CommandError("Some protocol files were not published; the versions in force stay as they are.")

    def _rules(self, directory: Path) -> bool:
        """Whether the safety rules are in force; a folder without any (of a third procedure) has none to publish."""
        if not any((directory / name).exists() for name in protocols.RULE_SETS):
            return True
        try:
            version, new = rulesets.publish(data=rulesets.read(directory), actor=Actor.system("load_protocols"))
        except (ProtocolError, FileNotFoundError) as exc:
            self.stderr.write(str(exc))
            return False
        self.stdout.write(f"safety rules: {'published' if new else 'unchanged'}, version {version.number}")
        changed = safety.rules_changed(actor=Actor.system("load_protocols"))
        if new or changed:
            self.stdout.write(f"safety rules: {changed} open cases are judged otherwise")
        return True
