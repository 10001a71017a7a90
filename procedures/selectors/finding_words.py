"""What the safety rules found, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from clinic import timewords
from procedures.domain.findings import Finding, Severity, Text


@dataclass(frozen=True, kw_only=True)
class Said:
    """One finding as a person reads it. ``approved_by`` empty: no clinician has signed the rule."""

    key: str
    severity: str
    title: str
    evidence: tuple[str, ...]
    why: str
    todo: str
    source: str
    year: int | None
    approved_by: str
    beside: tuple[str, ...]
    unknown: bool

    @property
    def is_stop(self) -> bool:
        return self.severity == Severity.STOP

    @property
    def is_info(self) -> bool:
        return self.severity == Severity.INFO


def said(found: Iterable[Finding], now: datetime) -> tuple[Said, ...]:
    """The findings in their order, every moment with its weekday."""
    zone = timezone.get_current_timezone()

    def words(text: Text) -> str:
        return text.render(gettext, lambda moment: timewords.when(moment, now, zone))

    return tuple(
        Said(
            key=finding.key,
            severity=str(finding.severity),
            title=words(finding.title),
            evidence=tuple(words(text) for text in finding.evidence),
            why=words(finding.why),
            todo=words(finding.todo),
            source=finding.source.source,
            year=finding.year,
            approved_by=finding.approved_by,
            beside=finding.beside,
            unknown=finding.unknown,
        )
        for finding in found
    )
