"""Files of a laboratory, by the same path as the laboratory connection; each message is read at once."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from procedures.interfaces.hl7 import files
from procedures.interfaces.hl7.files import Became
from procedures.interfaces.hl7.intake import Origin
from procedures.models.inbound import InboundSource

STDIN = "-"


@dataclass
class Taken:
    """One file. ``problem``: why nothing of it could be kept; ``missing``: messages that it announces and lacks."""

    name: str
    messages: list[Became] = field(default_factory=list)
    problem: str = ""
    missing: int = 0


class Command(BaseCommand):
    help = (
        "Take in files of HL7 v2 messages (- is standard input) and print what became of each message. What is here "
        "already changes nothing. Exit code 1 when something was not kept, was refused, or is missing from a batch."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a file, or - for standard input")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        taken = [_take(name) for name in options["files"]]
        if options["json"]:
            self.stdout.write(json.dumps({"files": [_data(one) for one in taken]}, indent=2))
        else:
            for one in taken:
                self._say(one)
        if any(one.problem or one.missing or any(became.reason for became in one.messages) for one in taken):
            raise SystemExit(1)

    def _say(self, one: Taken) -> None:
        self.stdout.write(f"{one.name}:{' ' + one.problem if one.problem else ''}")
        for number, became in enumerate(one.messages, start=1):
            line = f"  {number}. {became.verdict}"
            if became.message is not None:
                news = "new" if became.is_new else "here already"
                line += f" message {became.message.pk} ({news}): {became.message.get_state_display()}"
            self.stdout.write(f"{line}{'. ' + became.reason if became.reason else ''}")
        if one.missing:
            self.stdout.write(f"  {one.missing} more announced and not in the file: ask the laboratory for it again.")


def _take(name: str) -> Taken:
    most = files.FILE_LIMITS * settings.INBOUND_MAX_BYTES
    try:
        if name == STDIN:
            raw = sys.stdin.buffer.read(most + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(most + 1)
    except OSError as error:
        return Taken(name, problem=f"It cannot be read: {error.strerror}.")
    if len(raw) > most:
        return Taken(name, problem=f"It has more than {most} bytes: cut it into several files. Nothing of it was kept.")
    try:
        messages = files.take_in(raw, Origin(InboundSource.COMMAND), limit=settings.INBOUND_MAX_BYTES)
    except DatabaseError as error:
        return Taken(name, problem=f"It could not be kept ({type(error).__name__}). Import it again.")
    return Taken(name, messages, missing=files.missing(raw))


def _data(one: Taken) -> dict[str, Any]:
    messages = [_message(became) for became in one.messages]
    return {"file": one.name, "problem": one.problem, "missing": one.missing, "messages": messages}


def _message(became: Became) -> dict[str, Any]:
    row = became.message
    return {
        "answer": str(became.verdict),
        "reason": became.reason,
        "message": row.pk if row else None,
        "new": became.is_new,
        "state": row.state if row else None,
        "control_id": row.control_id if row else None,
        "problem": row.problem if row else "",
        "items": [{"place": item.place, "state": item.state, "reasons": item.reasons} for item in row.items.all()]
        if row
        else [],
    }
