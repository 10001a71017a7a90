"""A laboratory's readings as the values of a test: numbers with their unit, answers as the choices offered. Pure.

What cannot be read is kept as it was said and so is graded unknown: never dropped, never guessed, never normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from procedures.domain import organism_words
from procedures.domain import results as rules
from procedures.domain.lab_content import Component, Test
from procedures.domain.names import spaced
from procedures.domain.report import Observation, Reading, Standing

#: The value in which protocols ask what was seen or has grown.
ORGANISM = "organism"


@dataclass(frozen=True)
class Words:
    """The phrases of ``codes/words.toml``, each as it is compared."""

    choices: Mapping[str, frozenset[str]]
    codes: Mapping[str, frozenset[str]]
    so_far: Mapping[str, str]
    endings: tuple[str, ...]
    since: frozenset[str]
    units: frozenset[str]
    lost: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Words:
        choices = data["choices"]
        return cls(
            choices={code: frozenset(spaced(word) for word in row["words"]) for code, row in choices.items()},
            codes={code: frozenset(row.get("codes", ())) for code, row in choices.items()},
            so_far=dict(data["so_far"]),
            endings=tuple(sorted((spaced(word) for word in data["endings"]), key=len, reverse=True)),
            since=frozenset(spaced(word) for word in data["since"]),
            units=frozenset(spaced(word) for word in data["units"]),
            lost=tuple(f" {spaced(word)} " for word in data["unfit"]["lost"]),
            rejected=tuple(f" {spaced(word)} " for word in data["unfit"]["rejected"]),
        )

    def choice(self, component: Component, reading: Reading, *, preliminary: bool) -> str:
        """The code of the choice that the reading is; "" when it is none of them."""
        offered = {choice.code: spaced(choice.label) for choice in component.choices}
        phrase = self._bare(spaced(reading.text))
        coded = reading.coded.local if reading.coded else ""
        found = [
            code
            for code, label in offered.items()
            if phrase in (label, spaced(code))
            or phrase in self.choices.get(code, ())
            or coded in self.codes.get(code, ())
        ]
        if not phrase and not coded:
            return ""
        if len(found) > 1:  # "no growth to date" is in the words of one only; two mean that it is not certain
            return ""
        code = found[0] if found else ""
        later = self.so_far.get(code, "")
        return later if preliminary and later in offered else code

    def says_lost(self, text: str) -> bool:
        """Whether the tube is not there."""
        return any(word in f" {spaced(text)} " for word in self.lost)

    def says_unfit(self, text: str) -> bool:
        """Whether the tube, and not the test alone, is the reason."""
        return any(word in f" {spaced(text)} " for word in (*self.lost, *self.rejected))

    def _bare(self, phrase: str) -> str:
        """Without how long it was looked at: ``NO GROWTH AFTER 48 HOURS`` is ``NO GROWTH``."""
        before = None
        while phrase != before:
            before = phrase
            for ending in self.endings:
                phrase = phrase.removesuffix(f" {ending}")
            phrase = self._without_duration(phrase)
        return phrase

    def _without_duration(self, phrase: str) -> str:
        words = phrase.split()
        if len(words) > 2 and words[-1].isdigit() and words[-2] in self.since:
            return " ".join(words[:-2])
        if len(words) > 2 and words[-1] in self.units and words[-2].isdigit():
            words = words[:-2]
            return " ".join(words[:-1] if words[-1] in self.since else words)
        return phrase


def values(
    test: Test, pairs: Mapping[str, Observation], words: Words, *, preliminary: bool
) -> dict[str, dict[str, Any]]:
    """``{component: value as it is stored}`` of the observations by component; blanks are left out."""
    found = {}
    for component in test.components:
        observation = pairs.get(component.code)
        value = None if observation is None else _value(test, component, observation, words, preliminary)
        if value:
            found[component.code] = value
    return found | _organism(test, found, pairs)


def _organism(
    test: Test, found: Mapping[str, Mapping[str, Any]], pairs: Mapping[str, Observation]
) -> dict[str, dict[str, Any]]:
    """What was seen or has grown, in the laboratory's words, where the protocol asks for it beside the answer."""
    if ORGANISM in found or not any(c.code == ORGANISM and c.kind == "text" for c in test.components):
        return {}
    for code, stored in found.items():
        if stored["value"] in (organism_words.SEEN, organism_words.GROWTH) and code in pairs:
            text = "; ".join(reading.text.strip() for reading in pairs[code].readings if reading.text.strip())
            if spaced(text) != spaced(str(stored["text"])):
                return {ORGANISM: {"value": text, "unit": "", "text": text}}
    return {}


def _value(
    test: Test, component: Component, observation: Observation, words: Words, preliminary: bool
) -> dict[str, Any]:
    readings = [reading for reading in observation.readings if reading.text.strip()]
    if not readings:
        return {}
    text = "; ".join(reading.text.strip() for reading in readings)
    if component.kind == "choice":
        code = words.choice(component, readings[0], preliminary=preliminary) if len(readings) == 1 else ""
        code = code or organism_words.choice(
            {choice.code for choice in component.choices}, [r.text for r in readings], preliminary=preliminary
        )
        return {"value": code or text, "unit": "", "text": _label(component, code) or text}
    if component.kind != "number":
        said = f"{text} {observation.unit}".strip()
        return {"value": said, "unit": "", "text": said}
    reading = readings[0]
    plain = reading.number and not reading.separator and len(readings) == 1
    typed = f"{reading.comparator}{reading.number}" if plain else text
    stored, problems = rules.read(test, {component.code: {"text": typed, "unit": observation.unit}})
    if problems or component.code not in stored:
        said = f"{text} {observation.unit}".strip()  # with its unit it is no number any more: kept, and unknown
        return {"value": said, "unit": "", "text": said if not plain else f"{said} (?)"}
    return stored[component.code]


def _label(component: Component, code: str) -> str:
    return next((choice.label for choice in component.choices if choice.code == code), "")


def text_of(observation: Observation) -> str:
    """What an observation says that is no value of a test, in lines."""
    lines = [reading.text.strip() for reading in observation.readings if reading.text.strip()]
    if observation.unit and lines:
        lines[-1] = f"{lines[-1]} {observation.unit}"
    return "\n".join(lines)


def standing(observation: Observation | None, of_order: Standing, of_order_written: str) -> Standing:
    """What the laboratory says of one observation: its own word, or the order's where it says none. The weaker of the
    two: a result whose order is preliminary is preliminary, whatever is written beside it. A value that is said to be
    pending is there all the same.
    """
    if observation is None:
        return of_order
    own = observation.standing
    if own is Standing.UNKNOWN and not observation.standing_written.strip():
        own = of_order
    if of_order in (Standing.WRONG, Standing.DELETED) and own not in (Standing.WRONG, Standing.DELETED):
        own = of_order
    if own is Standing.PENDING and text_of(observation):
        return Standing.PRELIMINARY
    if own is Standing.FINAL and of_order is Standing.PRELIMINARY:  # a correction stays one: it is read again
        return Standing.PRELIMINARY
    if own is Standing.FINAL and of_order is Standing.CANCELLED and not text_of(observation):
        return Standing.CANCELLED
    return own
