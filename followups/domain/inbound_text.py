"""What a text that comes in means: a command, a cry for help, or words that a person must read. Pure.

A command is the whole text and nothing else: *please do not stop* is no command. Words beside it are read by a person.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

#: Longer than any text; what is beyond is cut off, and the text says so.
MOST_LETTERS = 10_000


class Meaning(StrEnum):
    STOP = "stop"  # no more texts
    START = "start"  # texts again: asks a person, who records what was agreed
    HELP = "help"
    EMERGENCY = "emergency"  # words that sound like one; read by a person at once
    WORDS = "words"


STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "alto", "parar", "baja"})
START = frozenset({"start", "unstop", "yes", "alta", "si"})
HELP = frozenset({"help", "info", "ayuda"})
#: Words with which nobody should wait for an answer. Too many are found rather than one too few.
EMERGENCY = re.compile(
    r"\b(911|emergency|emergencia|ambulance|ambulancia|bleed\w*|blood|sangr\w*|faint\w*|desmay\w*|unconscious|"
    r"inconsciente|can ?not breathe|can ?t breathe|no puedo respirar|chest pain|dolor de pecho|seizure\w*|convulsi\w*|"
    r"numb\w*|adormecid\w*|entumecid\w*|paraly\w*|paraliz\w*|can ?not walk|can ?t walk|can ?not move|can ?t move|"
    r"no puedo (caminar|mover\w*)|weak legs?|suicid\w*|overdose|sobredosis|dying|muriendo|stiff neck|cuello rigido|"
    r"confus\w*|worst headache|peor dolor de cabeza)\b"
)


def meaning(body: str) -> Meaning:
    """Of the whole text."""
    words = plain(body)
    if words in STOP:
        return Meaning.STOP
    if words in START:
        return Meaning.START
    if words in HELP:
        return Meaning.HELP
    return Meaning.EMERGENCY if EMERGENCY.search(words) else Meaning.WORDS


def plain(body: str) -> str:
    """Small letters without accents and signs, single spaces: *¡Alto!* is *alto*."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", body.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w\s]", " ", bare).split())
