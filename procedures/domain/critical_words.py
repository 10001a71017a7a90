"""Whether the words of a result say that the laboratory treats it as critical. Pure, apart from its own list of words.

"CRITICAL … called to Dr. Vega and read back" in a note counts like a panic flag; "no critical values" and "critical
care unit" do not. So does an organism in the text of a stain, which laboratories often send without any flag.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from procedures.domain import organism_words
from procedures.domain.names import spaced

WORDS = Path(__file__).resolve().parent.parent / "codes" / "critical_words.toml"
#: An answer follows its phrase after no more words than this ("critical value: no").
NEAR = 3
_SENTENCES = re.compile(r"[.;!?\n]+(?=\s|$)|[;\n]")


@dataclass(frozen=True, kw_only=True)
class Words:
    """``phrases``: first word → (words of the phrase, its kind), the longest first."""

    phrases: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
    before: frozenset[str]
    fillers: frozenset[str]
    after: frozenset[str]
    nouns: frozenset[str]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Words:
        by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for kind in ("critical", "called", "harmless"):
            for phrase in data[kind]["words"]:
                words = tuple(spaced(phrase).split())
                by_first.setdefault(words[0], []).append((words, kind))
        denied = {key: frozenset(spaced(word) for word in words) for key, words in data["denied"].items()}
        ordered = {
            first: tuple(sorted(found, key=lambda one: len(one[0]), reverse=True)) for first, found in by_first.items()
        }
        return cls(phrases=ordered, **denied)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A phrase in its sentence. ``denied``: the sentence says that it is not so; it is kept to be explained."""

    phrase: str
    sentence: str
    called: bool
    denied: bool = False


@cache
def usual() -> Words:
    """The list of the product."""
    return Words.from_data(tomllib.loads(WORDS.read_text(encoding="utf-8")))


def sounds_critical(texts: Iterable[str], notes: Iterable[str], words: Words | None = None) -> bool:
    """``texts``: the values of an observation; ``notes``: what stands beside it."""
    texts = tuple(texts)
    if any(not one.denied for text in (*texts, *notes) for one in heard(text, words)):
        return True
    return any(organism_words.names_a_shape(text) for text in texts)


def heard(text: str, words: Words | None = None) -> tuple[Heard, ...]:
    """Every phrase of the list in a text, those that are denied too; harmless ones are none."""
    words = words or usual()
    found: list[Heard] = []
    for sentence in _SENTENCES.split(text):
        found += _in_sentence(sentence.strip(), words)
    return tuple(found)


def _in_sentence(sentence: str, words: Words) -> Iterable[Heard]:
    tokens = spaced(sentence).split()
    at = 0
    while at < len(tokens):
        phrase, kind = _phrase(tokens, at, words)
        if kind in ("critical", "called"):
            denied = _denied_before(tokens, at, words) or _denied_after(tokens, at + len(phrase), words)
            yield Heard(phrase=" ".join(phrase), sentence=sentence, called=kind == "called", denied=denied)
        at += max(len(phrase), 1)


def _phrase(tokens: Sequence[str], at: int, words: Words) -> tuple[tuple[str, ...], str]:
    for phrase, kind in words.phrases.get(tokens[at], ()):
        if tuple(tokens[at : at + len(phrase)]) == phrase:
            return phrase, kind
    return (), ""


def _denied_before(tokens: Sequence[str], at: int, words: Words) -> bool:
    """ "Not a critical value", "no critical results"."""
    before = at - 1
    while before >= 0 and tokens[before] in words.fillers:
        before -= 1
    if before < 0:
        return False
    return tokens[before] in words.before or " ".join(tokens[max(before - 1, 0) : before + 1]) in words.before


def _denied_after(tokens: Sequence[str], end: int, words: Words) -> bool:
    """ "Critical value: no", as the end of the sentence."""
    while end < len(tokens) and tokens[end] in words.nouns:
        end += 1
    rest = tokens[end:]
    return 0 < len(rest) <= NEAR and " ".join(rest) in words.after
