"""How many texts a text costs. Pure.

A text holds 160 letters of the GSM 03.38 alphabet, or 70 as soon as one letter is none of them; longer ones are cut
into parts of 153, or 67.
"""

from __future__ import annotations

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Two places each.
EXTENDED = frozenset("\f^{}\\[~]|€")
#: Spanish letters that the alphabet has not. Without their accents they are read as well and cost nothing.
PLAIN = str.maketrans("áíóúÁÍÓÚ–—’‘“”\u00a0\u202f", "aiouAIOU--''\"\"  ")


def plain(text: str) -> str:
    """The same words in letters that a text holds 160 of."""
    return text.translate(PLAIN)


def septets(text: str) -> int | None:
    """Places it takes; None where a letter is not of the alphabet."""
    if not set(text) <= BASIC | EXTENDED:
        return None
    return sum(2 if letter in EXTENDED else 1 for letter in text)


def parts(text: str) -> int:
    """How many texts it is sent and paid as."""
    length = septets(text)
    single, several = (160, 153) if length is not None else (70, 67)
    if length is None:
        length = len(text.encode("utf-16-be")) // 2
    return 1 if length <= single else -(-length // several)
