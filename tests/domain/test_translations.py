"""Everything a patient reads of a protocol is there in Spanish, and every difference in shape is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from procedures.domain import load, translations
from tests.domain.protocol_files import data, protocol, translated, whole

NAMES = ("lumbar_puncture", "paracentesis", "thoracentesis")
Data = dict[str, Any]


def refused(change: Callable[[Data], Any], name: str = "lumbar_puncture") -> tuple[str, ...]:
    """What is said about the Spanish file after one change of it; empty when it is accepted."""
    content = translated(name)
    change(content["translations"]["es"])
    try:
        load.parse(content, name=f"{name}.toml")
    except load.ProtocolError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("name", NAMES)
def test_every_protocol_speaks_spanish_to_the_last_word(name: str) -> None:
    english, spanish = whole(name), whole(name).in_language("es")
    assert [place for place, _text in translations.flat(translations.words(english))] == [
        place for place, _text in translations.flat(translations.words(spanish))
    ]
    assert translations.words(spanish) == {
        key: value for key, value in english.translations["es"].items() if key != translations.SOURCE
    }


def test_nothing_but_words_changes_with_the_language() -> None:
    english, spanish = whole("paracentesis"), whole("paracentesis").in_language("es")
    leak = [next(q for q in p.symptom_questions if q.code == "leak").answers[1] for p in (english, spanish)]
    assert leak[0].tier == leak[1].tier and leak[0].after_hours == leak[1].after_hours
    assert leak[1].label == "Líquido claro, no más que antes" and leak[1].advice.startswith("Cambie la venda")
    assert spanish.questions == english.questions and spanish.texts[0].source == english.texts[0].source


def test_a_text_that_is_not_translated_is_refused_with_file_and_key() -> None:
    def change(es: Data) -> None:
        del es["symptom_questions"]["legs"]["answers"]["ache_only"]
        del es["texts"]["afterwards"]
        es["tests"]["csf_gram"] = " "

    assert set(refused(change)) == {
        "es/lumbar_puncture.toml: symptom_questions.legs.answers.ache_only: is not translated",
        "es/lumbar_puncture.toml: texts.afterwards: is not translated",
        'es/lumbar_puncture.toml: tests.csf_gram = " ": must be a text that is not empty',
    }


def test_a_text_too_many_or_another_number_of_paragraphs_is_refused() -> None:
    def change(es: Data) -> None:
        es["texts"]["emergency"]["paragraphs"].pop()
        es["symptom_questions"]["legs"]["advice"]["normal"] = "Bien."

    assert set(refused(change)) == {
        "es/lumbar_puncture.toml: texts.emergency.paragraphs: has 5 paragraphs, the protocol has 6",
        'es/lumbar_puncture.toml: symptom_questions.legs.advice.normal = "Bien.": '
        "translates nothing: the protocol has no such text",
    }


def test_a_translation_says_who_made_it_and_who_approved_it() -> None:
    assert any("source" in line for line in refused(lambda es: es.pop("source")))
    assert all(whole(name).translations["es"]["source"]["approved_by"] == "" for name in NAMES[:2])


def test_a_language_that_nobody_writes_in_is_refused() -> None:
    content = translated("thoracentesis") | {"translations": {"vi": {}}}
    with pytest.raises(load.ProtocolError, match=r"translations\.vi"):
        load.parse(content, name="thoracentesis.toml")


def test_a_new_file_names_every_test_in_the_patient_s_words() -> None:
    content = translated("thoracentesis")
    del content["tests"][0]["patient_label"]
    with pytest.raises(load.ProtocolError, match=r"tests\[0\].patient_label: is missing"):
        load.parse(content, name="thoracentesis.toml")


def test_a_version_from_before_there_were_translations_is_read_and_stays_english() -> None:
    old = data("paracentesis")
    for part in (old, *old["tests"]):
        part.pop("patient_label")
    del old["patient_questions"], old["default_source"]["patient_questions"]
    parsed = load.parse(old, name="published version")
    assert translations.languages(parsed) == ("en",)
    assert parsed.in_language("es") is parsed


def test_a_patient_is_only_asked_what_the_checklist_asks() -> None:
    content = data("paracentesis")
    content["patient_questions"][0]["code"] = "shoe_size"
    content["patient_questions"][1]["answers"][0]["code"] = "perhaps"
    content["patient_questions"].append(
        {"code": "site_named", "text": "Where?", "answers": [{"code": "midline", "label": "Here"}]}
    )
    with pytest.raises(load.ProtocolError) as refusal:
        load.parse(content, name="paracentesis.toml")
    assert [line.partition(": ")[2] for line in refusal.value.problems] == [
        'patient_questions[0].code = "shoe_size": is not in questions',
        'patient_questions[1].answers[0].code = "perhaps": is not an answer to supplements',
        f"patient_questions[{len(content['patient_questions']) - 1}].answers: = []: "
        "a patient needs at least two answers to pick from".replace("answers: =", "answers ="),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_patient_question_depends_on_nothing_that_comes_later(name: str) -> None:
    content = data(name)
    content["patient_questions"][0]["asked_if"] = f"{content['patient_questions'][1]['code']}=yes"
    with pytest.raises(load.ProtocolError, match="was not offered"):
        load.parse(content, name=name)


def test_both_procedures_ask_what_the_leaflets_ask() -> None:
    wanted = {
        "medicines", "supplements", "allergies", "latex", "anaesthetic_allergy", "antiseptic_allergy",
        "pregnancy_status", "bleeding_history",
    }  # fmt: skip
    for name in NAMES[:2]:
        assert wanted <= {q.code for q in protocol(name).patient_questions}
