"""What the parts of one message say of one test, as a piece of its result. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from procedures.domain import said
from procedures.domain.lab_content import Test
from procedures.domain.merging import Piece
from procedures.domain.parts import Part
from procedures.domain.report import Group, Observation, Report, Standing
from procedures.domain.said import Words
from procedures.domain.states import ResultStatus

STATUS = {
    Standing.PRELIMINARY: ResultStatus.PRELIMINARY,
    Standing.FINAL: ResultStatus.FINAL,
    Standing.CORRECTED: ResultStatus.CORRECTED,
    Standing.AMENDED: ResultStatus.CORRECTED,  # it says something else than before: it is read again
}
MOST_NOTES = 200
REASON_LENGTH = 200
CORRECTED_WITHOUT_REASON = "Corrected by the laboratory, which does not say what."
#: ``from '1280' to '640'``, ``previously reported as 5``: the sentence that says what was changed.
_CHANGE = re.compile(r"\bfrom\b.+\bto\b|previous|correct|amend|revis|change", re.IGNORECASE | re.DOTALL)


def double_numbers(test: Test, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Those whose value is a number that the message gives twice, and differently: nobody can tell which holds."""
    numbers = {component.code for component in test.components if component.kind == "number"}
    by_component: dict[str, list[Part]] = {}
    for part in parts:
        if part.which.target is not None and part.which.target.component in numbers and part.observation is not None:
            by_component.setdefault(part.which.target.component, []).append(part)
    return tuple(
        part
        for rows in by_component.values()
        if len({said.text_of(row.observation) for row in rows if row.observation}) > 1
        for part in rows
    )


def piece(test: Test, parts: Sequence[Part], words: Words, *, reported_at: datetime) -> Piece:
    """One piece of parts that have one standing and belong to one service."""
    group, standing = parts[0].group, parts[0].standing
    observations: dict[str, Observation] = {}
    lines: list[str] = []
    for part in parts:
        target, observation = part.which.target, part.observation
        if observation is None or target is None:
            continue
        if target.component and observation.document is None:
            before = observations.get(target.component)
            observations[target.component] = _joined(before, observation) if before else observation
        else:
            lines.append(_line(part, observation, alone=len(parts) == 1))
    preliminary = standing is Standing.PRELIMINARY
    values = said.values(test, observations, words, preliminary=preliminary)
    notes = _notes(group, (part.observation for part in parts))
    if not values and not any(lines):
        lines = list(notes)
    return Piece(
        status=STATUS[standing],
        values=values,
        text="\n".join(line for line in lines if line),
        reported_at=reported_at,
        said=_said(observations, notes),
        complete=group.standing in (Standing.FINAL, Standing.CORRECTED, Standing.AMENDED),
        confirmed=frozenset(observations) - frozenset(values),
        change_reason=change_reason(notes) if standing in (Standing.CORRECTED, Standing.AMENDED) else "",
    )


def _joined(before: Observation, observation: Observation) -> Observation:
    """Two organisms of one culture are one finding; the same number twice is one number."""
    if before.readings == observation.readings:
        return before
    return replace(before, readings=(*before.readings, *observation.readings))


def _line(part: Part, observation: Observation, *, alone: bool) -> str:
    text = said.text_of(observation)
    if observation.document is not None:
        text = f"{text}\n[document in the laboratory's message]".strip()
    return text if alone or not text else f"{part.label}: {text}"


def _notes(group: Group, observations: Iterable[Observation | None]) -> tuple[str, ...]:
    own = [note for observation in observations if observation is not None for note in observation.notes]
    conditions = [reason for specimen in group.specimens for reason in specimen.reject_reasons]
    notes = dict.fromkeys(note.strip() for note in (*own, *group.notes, *conditions) if note.strip())
    return tuple(notes)[:MOST_NOTES]


def _said(observations: dict[str, Observation], notes: tuple[str, ...]) -> dict[str, Any]:
    flags = {code: list(o.flags) for code, o in observations.items() if o.flags}
    ranges = {code: o.reference_range for code, o in observations.items() if o.reference_range}
    parts = {"flags": flags, "ranges": ranges, "notes": list(notes)}
    return {name: value for name, value in parts.items() if value}


def change_reason(notes: Sequence[str]) -> str:
    """What the laboratory says was changed; the old value may stand nowhere else."""
    chosen = [note for note in notes if _CHANGE.search(note)] or list(notes)
    text = " ".join(" ".join(chosen).split())
    return text[:REASON_LENGTH] or CORRECTED_WITHOUT_REASON


def reported_at(report: Report, group: Group, received_at: datetime) -> datetime:
    """When the laboratory says so: of the service, else of the message; never after it was here."""
    moments = [group.reported_at, report.sent_at]
    exact = [moment.at for moment in moments if moment and moment.at is not None and not moment.to_the_day]
    known = exact + [moment.at for moment in moments if moment and moment.at is not None]
    return min(known[0], received_at) if known else received_at


def taken_back_at(report: Report, group: Group, received_at: datetime) -> datetime:
    """As of when a result is taken back: the newest time that is named, as that of the old report may still stand."""
    times = [moment.at for moment in (group.reported_at, report.sent_at) if moment and moment.at is not None]
    return min(max(times), received_at) if times else received_at


def why_cancelled(parts: Sequence[Part]) -> str:
    """In the laboratory's words."""
    group = parts[0].group
    texts = [reason for specimen in group.specimens for reason in specimen.reject_reasons]
    for part in parts:
        if part.observation is not None:
            texts += [said.text_of(part.observation), *part.observation.notes]
    text = "; ".join(" ".join(line.split()) for line in dict.fromkeys([*texts, *group.notes]) if line.strip())
    return text[:REASON_LENGTH] or "The laboratory cancelled it and does not say why."
