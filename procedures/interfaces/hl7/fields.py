"""The parts of fields as plain text, and the memory of one message: what was read twice is kept once."""

from __future__ import annotations

from procedures.domain.report import Coded
from procedures.interfaces.hl7 import codes
from procedures.interfaces.hl7.escapes import unescaped
from procedures.interfaces.hl7.segments import NULL
from procedures.interfaces.hl7.separators import Separators

KEPT = 4096


class Fields:
    """Takes fields of one message apart. ``codec``: its character set."""

    def __init__(self, separators: Separators, codec: str) -> None:
        self.separators = separators
        self.codec = codec
        self._codes: dict[str, Coded] = {}

    def text(self, written: str) -> str:
        """Of one part, or of a whole value that has none: escapes resolved, no blanks around it."""
        written = written.strip()
        return "" if written == NULL else unescaped(written, self.separators, self.codec).strip()

    def repetitions(self, field: str) -> list[str]:
        """Those that say something."""
        return [one for one in self.separators.repetitions(field) if one.strip() and one.strip() != NULL]

    def parts(self, repetition: str) -> list[str]:
        """Components; of each the first subcomponent that says something."""
        return [self._first(component) for component in self.separators.components(repetition)]

    def subparts(self, component: str) -> list[str]:
        return [self.text(part) for part in self.separators.subcomponents(component)]

    def first(self, field: str) -> str:
        """The first component of the first repetition; where that is empty the next that is not."""
        repetitions = self.repetitions(field)
        return next((part for part in self.parts(repetitions[0]) if part), "") if repetitions else ""

    def words(self, field: str) -> str:
        """Every part of a field that says something, as one text: for types that nothing else is known of."""
        found = [part for one in self.repetitions(field) for part in self.parts(one) if part]
        return " ".join(dict.fromkeys(found))

    def coded(self, field: str) -> Coded:
        """Of the first repetition."""
        known = self._codes.get(field)
        if known is None:
            repetitions = self.repetitions(field)
            known = codes.coded(self.parts(repetitions[0])) if repetitions else Coded()
            if len(self._codes) >= KEPT:
                self._codes.clear()
            self._codes[field] = known
        return known

    def _first(self, component: str) -> str:
        if self.separators.subcomponent not in component:
            return self.text(component)
        return next((part for part in self.subparts(component) if part), "")
