"""What must hold of what a patient is asked and told. Pure."""

from __future__ import annotations

from procedures.domain import translations
from procedures.domain.patient_content import PatientQuestion
from procedures.domain.problems import NO_VALUE, Problems
from procedures.domain.protocol import Protocol, Question

LIST_ANSWERS = ("none", "some", "unknown")
YES_NO = ("yes", "no", "unknown")
KINDS = ("yes_no", "choice", "text", "medicines", "allergies")


def validate_patient(protocol: Protocol, problems: Problems) -> None:
    """Questions to the patient lead to questions of the checklist; every text is there in every language."""
    _check_questions(protocol, problems)
    if protocol.translations:
        _check_names(protocol, problems)
    _check_result_words(protocol, problems)
    translations.check(protocol, problems)


def _check_names(protocol: Protocol, problems: Problems) -> None:
    if not protocol.patient_label:
        problems.add("patient_label", NO_VALUE, "is missing: what a patient calls the procedure")
    for index, test in enumerate(protocol.tests):
        if not test.patient_label:
            problems.add(f"tests[{index}].patient_label", NO_VALUE, f"is missing: what a patient calls {test.code}")


def _check_result_words(protocol: Protocol, problems: Problems) -> None:
    """Sentences about results belong to tests of the protocol, each once, and each says something."""
    seen: set[str] = set()
    for index, item in enumerate(protocol.result_words.tests if protocol.result_words else ()):
        path = f"result_words.tests[{index}]"
        if item.code not in {test.code for test in protocol.tests}:
            problems.add(f"{path}.code", item.code, "is not in tests")
        if item.code in seen:
            problems.add(f"{path}.code", item.code, "is there twice")
        if not (item.normal or item.abnormal or item.critical):
            problems.add(path, item.code, "says nothing of its own: leave it out")
        seen.add(item.code)


def _check_questions(protocol: Protocol, problems: Problems) -> None:
    asked = {question.code: question for question in protocol.questions}
    before: dict[str, tuple[str, ...]] = {}
    for index, item in enumerate(protocol.patient_questions):
        path = f"patient_questions[{index}]"
        question = asked.get(item.code)
        if question is None:
            problems.add(f"{path}.code", item.code, "is not in questions")
            continue
        if question.kind not in KINDS:
            problems.add(f"{path}.code", item.code, f"a patient cannot be asked a question of kind {question.kind}")
        _check_answers(item, question, path, problems)
        _check_condition(item, before, f"{path}.asked_if", problems)
        before[item.code] = tuple(answer.code for answer in item.answers)


def _check_answers(item: PatientQuestion, question: Question, path: str, problems: Problems) -> None:
    if question.kind == "text":
        known: tuple[str, ...] = ()
    elif question.kind == "choice":
        known = tuple(choice.code for choice in question.choices)
    else:
        known = YES_NO if question.kind == "yes_no" else LIST_ANSWERS
    for place, answer in enumerate(item.answers):
        if answer.code not in known:
            problems.add(f"{path}.answers[{place}].code", answer.code, f"is not an answer to {item.code}")
    if known and len(item.answers) < 2:
        problems.add(f"{path}.answers", [], "a patient needs at least two answers to pick from")


def _check_condition(item: PatientQuestion, before: dict[str, tuple[str, ...]], path: str, problems: Problems) -> None:
    """It may only depend on what the patient was asked before it."""
    if not item.asked_if:
        return
    code, _, wanted = item.asked_if.partition("=")
    for answer in wanted.split("|"):
        if answer not in before.get(code, ()):
            problems.add(path, item.asked_if, f"the patient was not offered {answer or 'an answer'} to {code} before")
