"""What a patient reads is about grade 6, in both languages; and the measure itself is right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from procedures.domain.protocol import Protocol
from tests.domain.protocol_files import whole
from tests.reading_level import (
    HARDEST_GRADE,
    LOWEST_EASE,
    ease,
    english_syllables,
    grade,
    spanish_syllables,
)

NAMES = ("lumbar_puncture", "paracentesis")


def patient_texts(found: Protocol) -> Iterator[tuple[str, list[str]]]:
    """Each thing that is read at once: a text, or a question with its help, its answers and its advice."""
    for text in found.texts:
        yield f"texts.{text.code}", list(text.paragraphs)
    for question in found.symptom_questions:
        advice = [answer.advice for answer in question.answers if answer.advice]
        labels = [answer.label for answer in question.answers]
        yield f"symptom_questions.{question.code}", [p for p in (question.text, question.help, *labels, *advice) if p]
    for asked in found.patient_questions:
        labels = [answer.label for answer in asked.answers]
        yield f"patient_questions.{asked.code}", [p for p in (asked.text, asked.help, asked.detail, *labels) if p]


@pytest.mark.parametrize("name", NAMES)
def test_english_is_about_grade_6(name: str) -> None:
    hard = {place: round(grade(*text), 1) for place, text in patient_texts(whole(name)) if grade(*text) > HARDEST_GRADE}
    assert hard == {}


@pytest.mark.parametrize("name", NAMES)
def test_spanish_is_as_easy(name: str) -> None:
    spanish = whole(name).in_language("es")
    hard = {place: round(ease(*text)) for place, text in patient_texts(spanish) if ease(*text) < LOWEST_EASE}
    assert hard == {}


@pytest.mark.parametrize(
    ("word", "count"),
    [("cat", 1), ("medicine", 3), ("stopped", 1), ("needed", 2), ("bandage", 2), ("little", 2), ("being", 2),
     ("pregnant", 2), ("special", 2), ("doctor", 2), ("headache", 2), ("sometimes", 2), ("places", 2), ("procedure", 3),
     ("weakness", 2), ("allergic", 3), ("paracentesis", 5), ("temperature", 4), ("you", 1), ("don't", 1)],
)  # fmt: skip
def test_english_syllables_are_counted(word: str, count: int) -> None:
    assert english_syllables(word) == count


@pytest.mark.parametrize(
    ("word", "count"),
    [("casa", 2), ("ciudad", 2), ("día", 2), ("sangría", 3), ("que", 1), ("guerra", 2), ("pingüino", 3), ("aéreo", 4),
     ("muy", 1), ("líquido", 3), ("oído", 3), ("medicinas", 4), ("cuídese", 3), ("después", 2), ("y", 1), ("rey", 1)],
)  # fmt: skip
def test_spanish_syllables_are_counted(word: str, count: int) -> None:
    assert spanish_syllables(word) == count


def test_the_english_grade_is_flesch_and_kincaid_s() -> None:
    # 6 words, 6 syllables, 1 sentence
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    # 9 words, 13 syllables, 1 sentence
    said = "The nurse checks your blood pressure before the procedure."
    assert grade(said) == pytest.approx(0.39 * 9 + 11.8 * 13 / 9 - 15.59)
    assert grade("You eat. You rest.") < grade("Administration of anticoagulation necessitates interruption.")


def test_the_spanish_ease_is_fernandez_huerta_s() -> None:
    # 3 words, 6 syllables, 1 sentence
    assert ease("La casa grande.") == pytest.approx(206.84 - 60 * 5 / 3 - 1.02 * 3)
    assert ease("Tome agua.") > ease("La administración de anticoagulantes requiere interrupción.")


def test_a_point_inside_a_number_ends_no_sentence() -> None:
    assert grade("It is 100.5 degrees now.") == pytest.approx(grade("It is degrees now."), abs=0.01)
