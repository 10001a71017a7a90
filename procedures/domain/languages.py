"""The languages in which a patient can be written to. Pure.

A patient's language is free text in the chart (whatever they speak); what we send is in one of these, and the staff
sees which.
"""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT = "en"
#: Code → how its speakers and the staff write it.
NAMES: Mapping[str, tuple[str, ...]] = {
    "en": ("English", "en", "eng"),
    "es": ("Español", "Spanish", "Espanol", "es", "spa", "Castellano"),
}


def of(spoken: str) -> str:
    """The code of the language we write in for somebody who speaks ``spoken``; English when we have no other."""
    wanted = spoken.strip().casefold()
    return next((code for code, names in NAMES.items() if wanted in {n.casefold() for n in names}), DEFAULT)


def is_theirs(spoken: str) -> bool:
    """Whether what we send is in the language they speak; False asks for an interpreter."""
    wanted = spoken.strip().casefold()
    return any(wanted in {n.casefold() for n in names} for names in NAMES.values())
