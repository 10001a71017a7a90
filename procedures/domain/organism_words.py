"""Free text of a stain or a culture into the answer it gives, or none: never "nothing there" by default. Pure, apart
from its own list of words.

For what is no whole phrase of a list: ``Many PMNs, rare GPC``, ``No growth at 48 hours. Held for 5 days``,
``Staphylococcus epidermidis``, ``see comment``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from procedures.domain.names import spaced

WORDS = Path(__file__).resolve().parent.parent / "codes" / "organism_words.toml"
#: Longer texts are reports of another kind.
LONGEST = 4000
#: A point after one letter ends no sentence: "E. coli".
_SENTENCES = re.compile(r"(?<!\b[A-Za-z])[.!?](?=\s|$)|[;\n]")
_PLUS = re.compile(r"([1-4])\s?\+")

#: The answers of the protocols.
SEEN, NONE_SEEN = "organisms_seen", "none_seen"
GROWTH, NO_GROWTH, NO_GROWTH_SO_FAR = "growth", "no_growth", "no_growth_so_far"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One examination: ``there`` names what was found, ``nothing`` what "no …" must deny to mean nothing at all."""

    there: frozenset[str]
    generic: frozenset[str]
    nothing: frozenset[str]
    none: frozenset[str]
    aside: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Words:
    stain: Kind
    culture: Kind
    so_far: frozenset[str]
    cut: frozenset[str]
    denial: frozenset[str]
    amount: frozenset[str]
    unsure: frozenset[str]
    beside: frozenset[str]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Words:
        def folded(words: Iterable[str]) -> frozenset[str]:
            return frozenset(spaced(word) for word in words)

        pieces, stain, culture = data["pieces"], data["stain"], data["culture"]
        organisms = folded(stain["organisms"])
        return cls(
            stain=Kind(there=folded(stain["shapes"]), generic=organisms, nothing=organisms, none=frozenset(),
                       aside=folded(stain["aside"])),
            culture=Kind(
                there=folded(culture["organisms"]), generic=folded(culture["growth"]),
                nothing=folded(culture["nothing"]), none=folded(culture["none"]),
            ),
            so_far=folded(culture["so_far"]), cut=folded(pieces["cut"]), denial=folded(pieces["denial"]),
            amount=folded(pieces["amount"]), unsure=folded(pieces["unsure"]),
            beside=folded(data["said_beside"]["words"]),
        )  # fmt: skip


@cache
def usual() -> Words:
    """The list of the product."""
    return Words.from_data(tomllib.loads(WORDS.read_text(encoding="utf-8")))


def choice(offered: Collection[str], texts: Iterable[str], *, preliminary: bool, words: Words | None = None) -> str:
    """Which of the offered answers the texts give; empty when that cannot be told.

    ``offered``: the codes of a component's choices. ``preliminary``: nothing has grown *so far* then.
    """
    if {SEEN, NONE_SEEN} <= set(offered):
        return stain(texts, words)
    if {GROWTH, NO_GROWTH} <= set(offered):
        found = culture(texts, preliminary=preliminary, words=words)
        return found if found in offered else ""
    return ""


def stain(texts: Iterable[str], words: Words | None = None) -> str:
    words = words or usual()
    found = _answer(" . ".join(texts), words.stain, words)
    return {"there": SEEN, "nothing": NONE_SEEN}.get(found, "")


def culture(texts: Iterable[str], *, preliminary: bool, words: Words | None = None) -> str:
    words = words or usual()
    text = " . ".join(texts)
    found = _answer(text, words.culture, words)
    if found == "nothing":
        so_far = preliminary or any(_holds(spaced(text), phrase) for phrase in words.so_far)
        return NO_GROWTH_SO_FAR if so_far else NO_GROWTH
    return GROWTH if found == "there" else ""


def names_a_shape(text: str, words: Words | None = None) -> bool:
    """Whether a text names what only a stain shows ("Gram negative diplococci"), and does not deny it."""
    words = words or usual()
    return any(
        piece.there and not piece.denied
        for sentence in _sentences(text)
        for piece in _pieces(sentence, words.stain, words)
    )


# --- the pieces of a text ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Piece:
    """``there`` names something that was found, ``generic`` only "organisms" or "growth". ``denied``: no, none, not."""

    there: bool
    generic: bool
    denied: bool
    amount: bool
    certain: bool  # names it, says how much, or has no word that is not understood
    nothing: bool  # denies everything, and every word of it is understood
    understood: bool


def _answer(text: str, kind: Kind, words: Words) -> str:
    """``there``, ``nothing`` or "" (cannot tell)."""
    if not text.strip() or len(text) > LONGEST:
        return ""
    found = [_of_sentence(sentence, kind, words) for sentence in _sentences(text) if not _is_aside(sentence, kind)]
    if "there" in found:
        return "there"
    return "nothing" if "nothing" in found and "" not in found else ""


def _of_sentence(sentence: str, kind: Kind, words: Words) -> str:
    """``there``, ``nothing``, ``beside`` (nothing of organisms, and understood) or "".

    After a denial in the same sentence ("no white cells, organisms") a bare name is not certain: it may be denied too.
    """
    folded = spaced(sentence)
    if any(_holds(folded, word) for word in words.unsure):
        return ""
    denied = False
    results = set()
    for piece in _pieces(sentence, kind, words):
        if piece.nothing:
            results.add("nothing")
        elif (piece.there or piece.generic) and not piece.denied:
            results.add("there" if piece.certain and (piece.amount or not denied) else "")
        else:
            results.add("beside" if piece.understood else "")
        denied = denied or piece.denied
    if "there" in results:
        return "there"
    if "" in results:
        return ""
    return "nothing" if "nothing" in results else "beside"


def _pieces(sentence: str, kind: Kind, words: Words) -> Iterator[Piece]:
    for part in sentence.split(","):
        tokens: list[str] = []
        for token in [*spaced(_PLUS.sub(r"\1plus", part)).split(), ""]:
            if token and token not in words.cut:
                tokens.append(token)
                continue
            if tokens:
                yield _piece(" ".join(tokens), kind, words)
            tokens = []


def _piece(phrase: str, kind: Kind, words: Words) -> Piece:
    tokens = phrase.split()
    there, generic = _holds_any(phrase, kind.there), _holds_any(phrase, kind.generic)
    denied = any(token in words.denial and not _is_gram(tokens, at) for at, token in enumerate(tokens))
    left = {token for token in tokens if token not in words.beside | words.denial and not token[0].isdigit()}
    for names in (kind.nothing, kind.none, kind.generic):
        left -= {word for name in names if _holds(phrase, name) for word in name.split()}
    bare = denied and set(tokens) - words.beside in ({"NONE"}, {"NEGATIVE"})
    nothing = bare or (denied and _holds_any(phrase, kind.nothing)) or _holds_any(phrase, kind.none)
    amount = bool(set(tokens) & words.amount)
    return Piece(
        there=there,
        generic=generic,
        denied=denied,
        amount=amount,
        certain=there or amount or not left or _holds(phrase, "GROWTH OF"),
        nothing=nothing and not there and not left,
        understood=not there and not generic and not left,
    )


def _is_gram(tokens: list[str], at: int) -> bool:
    """ "Gram negative" denies nothing, nor does "coagulase negative"."""
    return at > 0 and tokens[at - 1] in ("GRAM", "COAGULASE", "COAG", "LACTOSE", "OXIDASE", "CATALASE")


def _is_aside(sentence: str, kind: Kind) -> bool:
    folded = spaced(sentence)
    return any(_holds(folded, phrase) for phrase in kind.aside)


def _holds(phrase: str, words: str) -> bool:
    return f" {words} " in f" {phrase} "


def _holds_any(phrase: str, names: Iterable[str]) -> bool:
    return any(_holds(phrase, name) for name in names)


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCES.split(text) if spaced(sentence)]
