"""The laboratory connection: messages by MLLP, until TERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.models import Heartbeat
from procedures.interfaces.hl7 import listener
from procedures.interfaces.hl7.service import HEARTBEAT, Service

PORT = 2575


class Command(BaseCommand):
    help = (
        "Listen for results of laboratories (HL7 v2 by MLLP). A message is kept, then acknowledged; the worker reads "
        "it. Who may connect: INBOUND_ALLOW, or --allow."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=PORT, help=f"port ({PORT}); 0 takes a free one")
        parser.add_argument("--certificate", default="", help="TLS: our certificate with its chain (PEM)")
        parser.add_argument("--key", default="", help="TLS: its key, when it is in another file")
        parser.add_argument("--client-ca", default="", help="TLS: only senders with a certificate of this authority")
        parser.add_argument("--allow", nargs="+", metavar="ADDRESS", help="addresses and networks that may connect")

        parser.add_argument(
            "--retire", action="store_true", help="no connection here any more: ends the alarm that it does not run"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["retire"]:
            Heartbeat.objects.filter(name=HEARTBEAT).delete()
            self.stdout.write("Nobody waits for the laboratory connection any more.")
            return
        logging.getLogger("asyncio").setLevel(logging.ERROR)
        try:
            allowed = listener.networks(options["allow"] or settings.INBOUND_ALLOW)
        except ValueError as error:
            raise CommandError(f"--allow, INBOUND_ALLOW: {error}") from error
        asyncio.run(self._listen(allowed, options))

    async def _listen(self, allowed: list[listener.Network], options: dict[str, Any]) -> None:
        try:
            await Service(allowed).run(options["host"], options["port"], _tls(options))
        except OSError as error:
            words = error.strerror or type(error).__name__
            raise CommandError(f"{options['host']}:{options['port']}: {words}") from error


def _tls(options: dict[str, Any]) -> Any:
    if not options["certificate"]:
        if options["key"] or options["client_ca"]:
            raise CommandError("--key and --client-ca need --certificate")
        return None
    try:
        return listener.tls(options["certificate"], options["key"], options["client_ca"])
    except OSError as error:
        raise CommandError(f"The certificate cannot be used: {error.strerror or error}") from error
