"""Text messages as files: for trying and for tests. Nothing reaches anybody."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from followups.channels import disk
from followups.channels.base import Outcome, OutgoingMessage
from followups.domain.backoff import Fate


class FileGateway:
    """One file for each message. A second try of the same message replaces its file: as a provider drops a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: OutgoingMessage) -> Outcome:
        name = hashlib.sha256(message.key.encode()).hexdigest()[:32]
        at = datetime.now(UTC).isoformat()
        content = json.dumps({"key": message.key, "to": message.to, "body": message.body, "at": at}, ensure_ascii=False)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.folder / f"{name}.part"
            draft.write_text(content, encoding="utf-8")
            draft.replace(self.folder / f"{name}.json")
        except OSError as error:
            return disk.not_written(error)
        return Outcome(Fate.SENT, _("written to a file"), provider_id=name)


def gateway() -> FileGateway:
    return FileGateway(Path(settings.SMS_FILE_PATH))
