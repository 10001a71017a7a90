"""What a patient hears about a result, prepared in plain words for the physician to change. Pure.

A sentence is a proposal: the physician who reads the result takes it, writes another, or decides not to tell. Nothing
prepared is ever said about a result that nobody has read.
"""

from __future__ import annotations

from collections.abc import Mapping

from procedures.domain.protocol import Protocol

#: Interpretations for which a sentence is prepared; the reader's, never the rules'.
INTERPRETATIONS = ("normal", "abnormal", "critical")


def prepared(protocol: Protocol, test: str, interpretation: str, *, preliminary: bool = False) -> str:
    """The sentence for one test read as ``interpretation``; "" when none is prepared (an older protocol version).

    ``protocol`` in the patient's language gives the sentence in it.
    """
    words = protocol.result_words
    if words is None or interpretation not in INTERPRETATIONS:
        return ""
    own = next((t for t in words.tests if t.code == test), None)
    sentence = (
        getattr(own, interpretation, "") or f"{_first(name_of(protocol, test))}: {getattr(words, interpretation)}"
    )
    return f"{sentence} {words.so_far}" if preliminary else sentence


def by_interpretation(protocol: Protocol, test: str, *, preliminary: bool = False) -> Mapping[str, str]:
    """All that are prepared for one test; empty when none is."""
    found = {i: prepared(protocol, test, i, preliminary=preliminary) for i in INTERPRETATIONS}
    return {interpretation: sentence for interpretation, sentence in found.items() if sentence}


def name_of(protocol: Protocol, test: str) -> str:
    """What a patient calls the test."""
    data = next((t for t in protocol.tests if t.code == test), None)
    return (data.patient_label or data.label) if data is not None else test


def _first(name: str) -> str:
    """As it begins a sentence; *pH* stays as it is."""
    return name[:1].upper() + name[1:] if name[1:2].islower() else name
