"""What a patient reads of a protocol, in another language. Pure.

:func:`words` takes everything a patient may read out of a protocol as a plain tree of texts, keyed by the codes. A
translation (``protocols/<language>/<code>.toml``) is the same tree in other words: :func:`compare` says where the two
differ in shape, :func:`localized` puts the words in. What nobody reads but the staff is not in the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from procedures.domain.items import Choice
from procedures.domain.lab_content import Test
from procedures.domain.languages import DEFAULT, NAMES
from procedures.domain.patient_content import (
    PatientAnswer,
    PatientQuestion,
    PatientText,
    ResultWords,
    SymptomCheck,
    SymptomChoice,
    SymptomQuestion,
)
from procedures.domain.problems import NO_VALUE, Problems
from procedures.domain.protocol import Protocol

_Labelled = TypeVar("_Labelled", Choice, SymptomCheck, PatientAnswer)
Tree = dict[str, Any]
#: The general sentences about a result.
RESULT_SENTENCES = ("normal", "abnormal", "critical", "so_far")
#: The key of a translation that is no text: where it comes from and who approved it.
SOURCE = "source"
#: The languages that a protocol must be translated into.
OTHERS = tuple(code for code in NAMES if code != DEFAULT)


def words(protocol: Protocol) -> Tree:
    """Everything a patient may read of it, by section and code."""
    return {
        "patient_label": protocol.patient_label or protocol.label,
        "locations": {item.code: item.label for item in protocol.locations},
        "tests": {item.code: item.patient_label or item.label for item in protocol.tests},
        "texts": {item.code: {"title": item.title, "paragraphs": list(item.paragraphs)} for item in protocol.texts},
        "symptom_checks": {item.code: item.label for item in protocol.symptom_checks},
        "symptom_questions": {item.code: _question(item) for item in protocol.symptom_questions},
        "patient_questions": {item.code: _patient_question(item) for item in protocol.patient_questions},
        **({"result_words": _result_words(protocol.result_words)} if protocol.result_words else {}),
    }


def _result_words(words: ResultWords) -> Tree:
    own = {t.code: _filled(normal=t.normal, abnormal=t.abnormal, critical=t.critical) for t in words.tests}
    return {**{name: getattr(words, name) for name in RESULT_SENTENCES}, "tests": own}


def _question(item: SymptomQuestion) -> Tree:
    return _filled(
        text=item.text,
        help=item.help,
        answers={answer.code: answer.label for answer in item.answers},
        advice={answer.code: answer.advice for answer in item.answers if answer.advice},
    )


def _patient_question(item: PatientQuestion) -> Tree:
    answers = {answer.code: answer.label for answer in item.answers}
    return _filled(text=item.text, help=item.help, detail=item.detail, answers=answers)


def _filled(**parts: Any) -> Tree:
    return {key: value for key, value in parts.items() if value}


def flat(tree: Tree, path: str = "") -> Iterator[tuple[str, str]]:
    """Each text of the tree with its place."""
    for key, value in tree.items():
        place = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            yield from flat(dict(value), place)
        elif isinstance(value, list):
            yield from ((f"{place}[{index}]", text) for index, text in enumerate(value))
        else:
            yield place, value


def check(protocol: Protocol, problems: Problems) -> None:
    """Each translation that the file brings has exactly the texts of the protocol. A file without any is an old one."""
    for language, tree in protocol.translations.items():
        if language not in OTHERS:
            wanted = ", ".join(OTHERS)
            problems.add(f"translations.{language}", NO_VALUE, f"patients are written to in: {wanted}")
            continue
        found = Problems(f"{language}/{problems.name}")
        if isinstance(tree, Mapping):
            compare(words(protocol), {key: value for key, value in tree.items() if key != SOURCE}, "", found)
            _check_source(tree.get(SOURCE), found)
        else:
            found.add("", tree, "must be a table")
        problems.lines += found.lines


def _check_source(source: Any, found: Problems) -> None:
    if not isinstance(source, Mapping) or not source.get("source") or "approved_by" not in source:
        found.add(SOURCE, NO_VALUE, "is missing: a translation says who made it and who approved it")


def compare(ours: Any, theirs: Any, path: str, found: Problems) -> None:
    """Walk both trees: a text that is missing, empty or superfluous, or a paragraph too many, is a problem."""
    if isinstance(ours, Mapping):
        _compare_tables(ours, theirs, path, found)
    elif isinstance(ours, list):
        if not isinstance(theirs, list) or len(ours) != len(theirs):
            count = len(theirs) if isinstance(theirs, list) else 0
            found.add(path, NO_VALUE, f"has {count} paragraphs, the protocol has {len(ours)}")
            return
        for index, (our, their) in enumerate(zip(ours, theirs, strict=True)):
            compare(our, their, f"{path}[{index}]", found)
    elif not isinstance(theirs, str) or not theirs.strip():
        found.add(path, theirs, "must be a text that is not empty")


def _compare_tables(ours: Mapping[str, Any], theirs: Any, path: str, found: Problems) -> None:
    if not isinstance(theirs, Mapping):
        found.add(path, theirs, "must be a table")
        return
    place = f"{path}." if path else ""
    for key in ours:
        if key not in theirs:
            found.add(f"{place}{key}", NO_VALUE, "is not translated")
    for key in theirs:
        if key in ours:
            compare(ours[key], theirs[key], f"{place}{key}", found)
        else:
            found.add(f"{place}{key}", theirs[key], "translates nothing: the protocol has no such text")


def languages(protocol: Protocol) -> tuple[str, ...]:
    """The languages in which this version can speak to a patient; English first."""
    return (DEFAULT, *protocol.translations)


def localized(protocol: Protocol, language: str) -> Protocol:
    """The protocol with a patient's words in ``language``; itself when it has none (an old version, or English)."""
    tree = protocol.translations.get(language)
    if tree is None:
        return protocol
    return replace(
        protocol,
        patient_label=tree["patient_label"],
        locations=_labelled(protocol.locations, tree["locations"]),
        tests=tuple(_test(item, tree["tests"]) for item in protocol.tests),
        texts=tuple(_text(item, tree["texts"][item.code]) for item in protocol.texts),
        symptom_checks=_labelled(protocol.symptom_checks, tree["symptom_checks"]),
        symptom_questions=tuple(
            _symptom_question(item, tree["symptom_questions"][item.code]) for item in protocol.symptom_questions
        ),
        patient_questions=tuple(
            _translated_question(item, tree["patient_questions"][item.code]) for item in protocol.patient_questions
        ),
        result_words=_translated_results(protocol.result_words, tree.get("result_words", {})),
    )


def _translated_results(words: ResultWords | None, tree: Tree) -> ResultWords | None:
    if words is None:
        return None
    tests = tuple(replace(t, **tree["tests"][t.code]) for t in words.tests)
    return replace(words, **{name: tree[name] for name in RESULT_SENTENCES}, tests=tests)


def _labelled(items: Iterable[_Labelled], labels: Mapping[str, str]) -> tuple[_Labelled, ...]:
    return tuple(replace(item, label=labels[item.code]) for item in items)


def _test(item: Test, labels: Mapping[str, str]) -> Test:
    return replace(item, patient_label=labels[item.code])


def _text(item: PatientText, tree: Tree) -> PatientText:
    return replace(item, title=tree["title"], paragraphs=tuple(tree["paragraphs"]))


def _symptom_question(item: SymptomQuestion, tree: Tree) -> SymptomQuestion:
    answers = tuple(_symptom_answer(answer, tree) for answer in item.answers)
    return replace(item, text=tree["text"], help=tree.get("help", ""), answers=answers)


def _symptom_answer(answer: SymptomChoice, tree: Tree) -> SymptomChoice:
    return replace(answer, label=tree["answers"][answer.code], advice=tree.get("advice", {}).get(answer.code, ""))


def _translated_question(item: PatientQuestion, tree: Tree) -> PatientQuestion:
    answers = _labelled(item.answers, tree.get("answers", {}))
    return replace(item, text=tree["text"], help=tree.get("help", ""), detail=tree.get("detail", ""), answers=answers)
