"""What OBX-11 (HL7 table 0085) and OBR-25 (table 0123) say, up to v2.9. What is in no table is a question."""

from __future__ import annotations

from procedures.domain.report import Standing

OBSERVATION = {
    "C": Standing.CORRECTED,
    "D": Standing.DELETED,
    "F": Standing.FINAL,
    "V": Standing.FINAL,
    "U": Standing.FINAL,
    "A": Standing.AMENDED,
    "B": Standing.AMENDED,
    "P": Standing.PRELIMINARY,
    "I": Standing.PENDING,
    "O": Standing.PENDING,
    "W": Standing.WRONG,
    "X": Standing.CANCELLED,
}
ORDER = {
    "C": Standing.CORRECTED,
    "F": Standing.FINAL,
    "A": Standing.PRELIMINARY,
    "P": Standing.PRELIMINARY,
    "R": Standing.PRELIMINARY,
    "M": Standing.PRELIMINARY,
    "I": Standing.PENDING,
    "O": Standing.PENDING,
    "S": Standing.PENDING,
    "N": Standing.PENDING,
    "X": Standing.CANCELLED,
}
LETTERS = frozenset("ABCDFINOPRSUVWX")
#: An order's standing says so much of an observation that has none of its own; a correction of the whole does too.
LENT = frozenset({Standing.FINAL, Standing.PRELIMINARY, Standing.CORRECTED})


def of_observation(written: str, *, has_value: bool) -> Standing:
    """A value that is only entered (R) or partial (S) is preliminary; "not asked" (N) with a value is a question."""
    letter = written.strip().upper()
    if letter in ("R", "S"):
        return Standing.PRELIMINARY if has_value else Standing.PENDING
    if letter == "N":
        return Standing.UNKNOWN if has_value else Standing.CANCELLED
    return OBSERVATION.get(letter, Standing.UNKNOWN)


def of_order(written: str) -> Standing:
    return ORDER.get(written.strip().upper(), Standing.UNKNOWN)
