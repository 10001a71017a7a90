"""What a patient has answered, in their own words again."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from procedures.domain.patient_content import PatientQuestion
from procedures.domain.protocol import Question
from procedures.domain.reported import Given


@dataclass(frozen=True)
class Said:
    """One question and its answer. ``missing``: it has none yet, and needs one."""

    code: str
    text: str
    lines: tuple[str, ...]
    missing: bool


def of(asked: PatientQuestion, question: Question, given: Given | None) -> Said:
    given = given or Given()
    picked = next((answer.label for answer in asked.answers if answer.code == given.pick), "")
    lines = [" – ".join(part for part in (line.name, line.more, _still(line.still)) if part) for line in given.lines]
    parts = tuple(part for part in (picked, *lines, given.words) if part)
    missing = question.kind != "text" and not picked
    return Said(asked.code, asked.text, parts, missing)


def _still(still: str) -> str:
    return {"yes": _("I take it now"), "no": _("I stopped"), "unknown": _("I do not know if I take it now")}.get(
        still, ""
    )
