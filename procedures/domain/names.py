"""Names and numbers as they are searched for and compared. Pure.

People type *Muller*, *müller* and *MÜLLER* for one person, *OBrien* for O'Brien, *12345* for 12-345.
"""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher

#: Letters that Unicode does not decompose into a base letter and an accent.
_PLAIN = str.maketrans({"Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Æ": "AE", "Œ": "OE", "Þ": "TH", "Ħ": "H"})
#: From this share of equal letters on, two names of people born on one day are worth a second look.
SIMILAR_FROM = 0.75


def fold(text: str) -> str:
    """Upper case, without accents, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.upper()).translate(_PLAIN)
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return " ".join(bare.split())


def squeeze(word: str) -> str:
    """A folded word of letters and digits alone: ``O'BRIEN`` → ``OBRIEN``."""
    return "".join(sign for sign in fold(word) if sign.isalnum())


def spaced(text: str) -> str:
    """The folded text with every other sign as a space: ``GARCIA-LOPEZ`` → ``GARCIA LOPEZ``."""
    return " ".join("".join(sign if sign.isalnum() else " " for sign in fold(text)).split())


def search_text(*parts: str) -> str:
    """What the search looks in: the parts, folded; words with other signs also squeezed and spaced."""
    folded = fold(" ".join(parts))
    words = folded.split()
    for word in folded.split():
        if not word.isalnum():
            words += [squeeze(word), spaced(word)]
    return " ".join(word for word in words if word)


def similar(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two (family, given) names may be one person: a slip, swapped names, a shortened given name."""
    family, given = (spaced(part) for part in one)
    other_family, other_given = (spaced(part) for part in other)
    if family == other_family and (given.startswith(other_given) or other_given.startswith(given)):
        return True
    straight = _ratio(f"{family} {given}", f"{other_family} {other_given}")
    swapped = _ratio(f"{family} {given}", f"{other_given} {other_family}")
    return max(straight, swapped) >= SIMILAR_FROM


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
