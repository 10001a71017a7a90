"""Seal the finished days of the audit trail, and on request check every seal there is."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clinic import audit_seal, clock
from clinic.errors import DomainError
from clinic.models import AuditSeal


class Command(BaseCommand):
    help = "Seal the finished days of the audit trail. With --verify also recompute every seal; exit code 1 on a fault."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--verify", action="store_true", help="recompute everything and name what does not match")
        parser.add_argument(
            "--accept", type=date.fromisoformat, metavar="DAY", help="the first day that does not match is explained"
        )
        parser.add_argument("--reason", default="", help="with --accept: what was found out")

    def handle(self, *args: Any, verify: bool, accept: date | None, reason: str, **options: Any) -> None:
        if accept is not None:
            try:
                audit_seal.accept(day=accept, reason=reason)
            except DomainError as error:
                raise CommandError(str(error)) from error
        for seal in audit_seal.seal(clock.real_now()):
            self.stdout.write(f"{seal.day} sealed: {seal.count} entries, sha256 {seal.digest}")
        if verify or accept is not None:
            self._verify()
        last = AuditSeal.objects.order_by("day").last()
        newest = f"newest seal: {last.day}, sha256 {last.digest}" if last else "no day is over yet: there is no seal"
        self.stdout.write(newest)

    def _verify(self) -> None:
        wrong = audit_seal.seal_and_verify(everything=True)
        if wrong is not None:
            self.stderr.write(f"does not match: {wrong}")
            raise SystemExit(1)
        self.stdout.write(f"{AuditSeal.objects.count()} seals were computed again.")
