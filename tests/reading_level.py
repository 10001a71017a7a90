"""How hard a text is to read, in English (Flesch-Kincaid grade) and in Spanish (Fernández Huerta).

Both need words, sentences and syllables. The end of a paragraph ends a sentence, so that a list is judged line by line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

#: The highest school grade in English, and the lowest ease in Spanish ("fairly easy": grade 6), of a patient's text.
HARDEST_GRADE = 7.0
LOWEST_EASE = 70.0

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$|[”\")])")
#: What the rules of English spelling get wrong, among the words that we use.
ENGLISH = {
    "area": 3, "being": 2, "business": 2, "diagnose": 3, "fluid": 2, "idea": 3, "people": 2, "something": 2,
    "sometimes": 2, "someone": 2, "everything": 3, "every": 2, "ibuprofen": 4, "naproxen": 3, "medicine": 3,
    "medicines": 3, "usually": 4, "carefully": 4, "sclerosis": 3, "isn": 2, "doesn": 2, "placed": 1,
    "hours": 1, "hour": 1, "our": 1, "evening": 2, "acetaminophen": 6, "diarrhea": 4, "violent": 3,
    "react": 2, "reaction": 3, "quiet": 2, "several": 2, "different": 2, "caregiver": 3, "lidocaine": 3,
    "chlorhexidine": 4, "iodine": 3, "supplies": 2, "does": 1, "goes": 1, "create": 2,
}  # fmt: skip


#: An ending whose "e" is not heard: place, stopped; but not little, needed, places.
SILENT = re.compile(r"(?:[^aeiouyl]|[aeiouy]l)e$|[^aeiouytd]ed$|(?:[^aeiouylsxzcgh]|[aeiouy]l)es$")


def english_syllables(word: str) -> int:
    """By the usual rules: groups of vowels, without the silent ones at the end."""
    plain = word.lower().replace("’", "'").split("'")[0]
    if plain in ENGLISH:
        return ENGLISH[plain]
    count = len(re.findall(r"[aeiouy]+", plain)) - bool(SILENT.search(plain))
    count += len(re.findall(r"[aeiouy]ing$|ia[^aeiou]|io[dt]$|ism$", plain))
    count -= len(re.findall(r"[tscg]ia[ln]", plain))
    return max(count, 1)


def spanish_syllables(word: str) -> int:
    """Each strong vowel, and each weak one with an accent, is one; weak vowels lean on them."""
    plain = re.sub(r"([qg])u(?=[eéií])", r"\1", word.lower())
    plain = re.sub(r"y$", "i", plain)
    count = 0
    for group in re.findall(r"[aeiouáéíóúü]+", plain):
        count += max(len(re.findall(r"[aeoáéíóú]", group)), 1)
    return max(count, 1)


def _counts(paragraphs: Sequence[str], syllables: Callable[[str], int]) -> tuple[int, int, int]:
    words = [word for paragraph in paragraphs for word in WORD.findall(paragraph)]
    sentences = sum(max(len([s for s in SENTENCE_END.split(p) if WORD.search(s)]), 1) for p in paragraphs)
    return len(words), sentences, sum(map(syllables, words))


def grade(*paragraphs: str) -> float:
    """The Flesch-Kincaid grade of English."""
    words, sentences, syllables = _counts(paragraphs, english_syllables)
    return 0.39 * words / sentences + 11.8 * syllables / words - 15.59


def ease(*paragraphs: str) -> float:
    """The Fernández Huerta score of Spanish: 100 is very easy, 0 very hard."""
    words, sentences, syllables = _counts(paragraphs, spanish_syllables)
    return 206.84 - 60 * syllables / words - 1.02 * words / sentences
