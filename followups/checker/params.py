"""The moment, the limits and the clinic's zone, as every query gets them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

HERE = Path(__file__).resolve().parent


@cache
def rules() -> Mapping[str, Any]:
    """``rules.toml``."""
    return tomllib.loads((HERE / "rules.toml").read_text("utf-8"))


@cache
def ladders() -> Mapping[str, Any]:
    """``escalation.toml``, as it stands in the file."""
    return tomllib.loads((HERE.parent / "escalation.toml").read_text("utf-8"))


@dataclass(frozen=True)
class At:
    """When it is looked, and how late the engine may be."""

    now: datetime
    late: timedelta
    #: When the machine itself slept, from and until: nobody could be asked then.
    asleep: Sequence[tuple[datetime, datetime]] = ()

    def ripe_at(self, moment: datetime) -> datetime:
        """What was due by then must have been done at ``moment``: less while the machine slept and just after."""
        begins = [begin for begin, end in self.asleep if begin <= moment <= end + self.late]
        return min([moment, *begins]) - self.late

    @property
    def ripe(self) -> datetime:
        """What was due by then must have been done."""
        return self.ripe_at(self.now)

    def params(self, **more: Any) -> dict[str, Any]:
        table = rules()
        return {
            "now": self.now,
            "ripe": self.ripe,
            "late": self.late,
            "zone": settings.CLINIC_ZONE,
            "limits": json.dumps(table["limits"]),
            "noticed": timedelta(minutes=table["critical"]["noticed"]),
            "read_within": timedelta(minutes=table["inbound"]["read"]),
            "window": timedelta(minutes=table["sending"]["window"]),
            "queued": timedelta(minutes=table["sending"]["queued"]),
            **more,
        }
