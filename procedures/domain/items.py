"""What every item of a protocol file is made of: a source, a code, a choice. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a clinical statement comes from. ``approved_by`` is empty until a clinician signs it."""

    source: str
    year: int | None = None
    approved_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Code:
    system: str  # "http://snomed.info/sct"
    code: str
    display: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer that may be picked. ``code`` is stored, ``label`` is shown."""

    code: str
    label: str
    needs_reason: bool = False
    blocks_start: bool = False  # while this is the answer nobody starts, not even in an emergency (a refusal)
