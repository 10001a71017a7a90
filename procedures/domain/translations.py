"""What a patient reads of a protocol, in another language. Pure.

:func:`words` takes everything a patient may read out of a protocol as a plain tree of texts, keyed by the codes. A
translation (``protocols/<language>/<code>.toml``) is the same tree in other words: :func:`compare` says where the two
differ in shape, :func:`localized` puts the words in. What nobody reads but the staff is not in the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from procedures.domain.languages import DEFAULT, NAMES
from procedures.domain.problems import NO_VALUE, Problems
from procedures.domain.protocol import (
    Choice,
    PatientAnswer,
    PatientQuestion,
    PatientText,
    Protocol,
    ResultWords,
    SymptomCheck,
    SymptomChoice,
    SymptomQuestion,
    Test,
)

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
    return _filled(text=item.text, help=item.help, answers={answer.code: answer.label for answer in item.answers})


def _filled(**parts: Any) -> Tree:
    return {key: value for key, value in parts.items() if value}


def check(protocol: Protocol, problems: Problems) -> None:
    """Each translation that the file brings has exactly the texts of the protocol. A file without any is an old one."""
    for language, tree in protocol.translations.items():
        path = f"translations.{language}"
        if language not in OTHERS:
            problems.add(path, NO_VALUE, f"is not a language that patients are written to in ({', '.join(OTHERS)})")
        elif isinstance(tree, Mapping):
            compare(words(protocol), {key: value for key, value in tree.items() if key != SOURCE}, path, problems)
            _check_source(tree.get(SOURCE), f"{path}.{SOURCE}", problems)
        else:
            problems.add(path, tree, "must be a table")


def _check_source(source: Any, path: str, problems: Problems) -> None:
    if not isinstance(source, Mapping) or not source.get("source"):
        problems.add(path, NO_VALUE, "is missing: a translation names who made it and who approved it")


def compare(ours: Any, theirs: Any, path: str, problems: Problems) -> None:
    """Walk both trees: a text that is missing, empty or superfluous, or a paragraph too many, is a problem."""
    if isinstance(ours, Mapping):
        if not isinstance(theirs, Mapping):
            problems.add(path, theirs, "must be a table")
            return
        for key in ours.keys() - theirs.keys():
            problems.add(f"{path}.{key}", NO_VALUE, "is not translated")
        for key in theirs.keys() - ours.keys():
            problems.add(f"{path}.{key}", theirs[key], "translates nothing: the protocol has no such text")
        for key in sorted(ours.keys() & theirs.keys()):
            compare(ours[key], theirs[key], f"{path}.{key}", problems)
    elif isinstance(ours, list):
        if not isinstance(theirs, list):
            problems.add(path, theirs, "must be a list")
        elif len(ours) != len(theirs):
            problems.add(path, NO_VALUE, f"has {len(theirs)} paragraphs, the protocol has {len(ours)}")
        else:
            for index, (our, their) in enumerate(zip(ours, theirs, strict=True)):
                compare(our, their, f"{path}[{index}]", problems)
    elif not isinstance(theirs, str) or not theirs.strip():
        problems.add(path, theirs, "must be a text that is not empty")


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
    return replace(item, text=tree["text"], help=tree.get("help", ""), answers=answers)
