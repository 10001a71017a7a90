"""The separators of a message (MSH-1 and MSH-2), as they are and as they should be."""

from __future__ import annotations

from dataclasses import dataclass

USUAL = "^~\\&"
SMALL_TILDE = "\N{SMALL TILDE}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Separators:
    """``doubled``: the backslashes of the whole message are, as of one that went through a program text."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    doubled: bool = False

    def repetitions(self, text: str) -> list[str]:
        """A small tilde (U+02DC) in MSH-2 is some editor's: the message may have either."""
        if self.repetition == SMALL_TILDE:
            return text.replace(SMALL_TILDE, "~").split("~")
        return text.split(self.repetition)

    def components(self, text: str) -> list[str]:
        return text.split(self.component)

    def subcomponents(self, text: str) -> list[str]:
        return text.split(self.subcomponent)


def of(field: str, marks: str) -> Separators:
    """From MSH-1 and MSH-2. What is missing, a letter, or there twice is taken as usual where that is still free.

    A fifth character (the truncation mark of v2.7, sent by earlier versions too) separates nothing.
    """
    doubled = marks[2:4] == "\\\\"
    if doubled:
        marks = marks[:3] + marks[4:]
    taken = {field}
    chosen = []
    for at, usual in enumerate(USUAL):
        mark = marks[at : at + 1]
        if not mark or mark.isalnum() or mark.isspace() or mark in taken:
            mark = next((other for other in (usual, *"^~\\&$%@*") if other not in taken), usual)
        taken.add(mark)
        chosen.append(mark)
    component, repetition, escape, subcomponent = chosen
    return Separators(
        field=field, component=component, repetition=repetition, escape=escape, subcomponent=subcomponent,
        doubled=doubled,
    )  # fmt: skip
