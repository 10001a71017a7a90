"""What must hold inside a protocol beyond its shape. Pure, generic: no procedure is named here.

Every check adds lines to :class:`Problems` and goes on, so that an author sees everything at once. Laboratory tests
are judged in ``validate_tests``; the rest here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from clinic.roles import CLINICAL
from procedures.domain.items import Choice, Source
from procedures.domain.patient_content import SymptomQuestion
from procedures.domain.problems import Problems
from procedures.domain.protocol import Protocol, Question, RecordField
from procedures.domain.states import Level, Urgency
from procedures.domain.symptoms import TIERS
from procedures.domain.validate_patient import validate_patient
from procedures.domain.validate_symptoms import CHECK_CONDITIONS, validate_symptoms
from procedures.domain.validate_tests import validate_tests

SLUG = re.compile(r"[a-z][a-z0-9_]*")
STAGES = ("pre_visit", "consent", "sign_in", "time_out", "sign_out")
NEEDED_GROUPS = ("medicines", "allergies", "pregnancy", "bleeding")
QUESTION_KINDS = (
    "yes_no", "choice", "number", "text", "date", "datetime", "medicines", "allergies", "confirm",
)  # fmt: skip
FIELD_KINDS = ("number", "integer", "text", "longtext", "choice", "multichoice", "yes_no", "datetime")
SYMPTOM_KINDS = ("yes_no", "choice", "number")
NEEDED_TEXTS = ("prepare", "what_happens", "afterwards", "when_to_call", "emergency")
CHOICE_ACTIONS = ("", "rebook")
YES_NO = ("yes", "no", "unknown")
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


def validate(protocol: Protocol, problems: Problems) -> None:
    """Every check. Adds to ``problems``; raises nothing."""
    check_codes(protocol, problems, "")
    _check_slug(protocol.code, "code", problems)
    check_sources(protocol, problems, "")
    _check_timing(protocol, problems)
    _check_variants(protocol, problems)
    _check_references(protocol, problems)
    _check_stages(protocol, problems)
    _check_questions(protocol, problems)
    _check_fields(protocol, problems)
    _check_record_rules(protocol, problems)
    _check_symptoms(protocol, problems)
    _check_later_tests(protocol, problems)
    _check_transfer_hours(protocol, problems)
    _check_texts(protocol, problems)
    _check_series(protocol, problems)
    validate_tests(protocol, problems)
    validate_patient(protocol, problems)
    validate_symptoms(protocol, problems)


def _check_slug(code: str, path: str, problems: Problems) -> None:
    if not SLUG.fullmatch(code):
        problems.add(path, code, "must be lower-case letters, digits and underscores, starting with a letter")


def check_codes(item: Any, problems: Problems, path: str) -> None:
    """Codes are slugs and unique in their list, at every depth. (Codes of a foreign system have a ``system``.)"""
    for name, value in _lists(item):
        place = f"{path}{name}"
        seen: dict[str, int] = {}
        for index, entry in enumerate(value):
            code = getattr(entry, "code", None)
            if code is not None and not hasattr(entry, "system"):
                where = f"{place}[{index}].code"
                _check_slug(code, where, problems)
                if code in seen:
                    problems.add(where, code, f"is already used by {place}[{seen[code]}]")
                seen.setdefault(code, index)
            check_codes(entry, problems, f"{place}[{index}].")


def _lists(item: Any) -> Iterable[tuple[str, Sequence[Any]]]:
    for f in fields(item):
        value = getattr(item, f.name)
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            yield f.name, value


def check_sources(item: Any, problems: Problems, path: str) -> None:
    """Years are years, at every depth."""
    for f in fields(item):
        value = getattr(item, f.name)
        if isinstance(value, Source):
            year = value.year
            if year is not None and not _FIRST_YEAR <= year <= _LAST_YEAR:
                problems.add(f"{path}{f.name}.year", year, "is not a year")
    for name, entries in _lists(item):
        for index, entry in enumerate(entries):
            check_sources(entry, problems, f"{path}{name}[{index}].")


def _check_timing(protocol: Protocol, problems: Problems) -> None:
    if protocol.timing_source is None:
        problems.add("timing_source", None, "must name where the hours to book, record, review and tell come from")
    for name in ("min_age", "record_due_hours", "promise_hours", "checklist_hours", "letter_hours", "match_hours"):
        value = getattr(protocol, name)
        if value <= 0:
            problems.add(name, value, "must be more than 0", because=(name,))
    levels = tuple(str(level) for level in Level)
    _check_hours("book_within_hours", protocol.book_within_hours, tuple(str(u) for u in Urgency), problems)
    _check_hours("tell_hours", protocol.tell_hours, levels, problems)
    _check_hours("review_hours", protocol.review_hours, levels, problems)
    if not protocol.codes:
        problems.add("codes", [], "must name at least one code of the procedure")
    for name in ("locations", "sites", "positions", "guidance", "variants", "indications", "stages", "complications"):
        if not getattr(protocol, name):
            problems.add(name, [], "must not be empty", because=(name,))


def _check_hours(name: str, table: Mapping[str, int], keys: Sequence[str], problems: Problems) -> None:
    for key, hours in table.items():
        if key not in keys:
            problems.add(f"{name}.{key}", hours, f"must be one of {', '.join(keys)}")
        elif hours <= 0:
            problems.add(f"{name}.{key}", hours, "must be more than 0")
    for key in keys:
        if key not in table:
            problems.add(name, dict(table), f"must have {key}", because=(name,))


def _check_variants(protocol: Protocol, problems: Problems) -> None:
    for index, variant in enumerate(protocol.variants):
        path = f"variants[{index}]"
        operator, others = variant.operator_minutes, ("room_minutes", "stay_minutes")
        if operator <= 0:
            problems.add(f"{path}.operator_minutes", operator, "must be more than 0")
        for name in others:
            minutes = getattr(variant, name)
            if minutes < operator:
                problems.add(
                    f"{path}.{name}", minutes, f"must be at least operator_minutes ({operator})",
                    because=(f"{path}.operator_minutes",),
                )  # fmt: skip


def _check_references(protocol: Protocol, problems: Problems) -> None:
    tests, panels = _codes(protocol.tests), _codes(protocol.panels)
    variants = _codes(protocol.variants)
    for index, panel in enumerate(protocol.panels):
        if not panel.tests:
            problems.add(
                f"panels[{index}].tests", [], "must name at least one test", because=(f"panels[{index}].tests",)
            )
        for place, code in enumerate(panel.tests):
            refer(code, tests, f"panels[{index}].tests[{place}]", "tests", problems)
    for index, indication in enumerate(protocol.indications):
        refer(indication.panel, panels, f"indications[{index}].panel", "panels", problems)
        refer(indication.variant, variants, f"indications[{index}].variant", "variants", problems)


def refer(code: str, known: set[str], path: str, section: str, problems: Problems) -> None:
    """``code`` must be one of ``known``."""
    if code not in known:
        problems.add(path, code, f"is not in {section}")


def _codes(items: Iterable[Any]) -> set[str]:
    return {item.code for item in items}


def _check_stages(protocol: Protocol, problems: Problems) -> None:
    roles = {str(role) for role in CLINICAL}
    for index, stage in enumerate(protocol.stages):
        if stage.code not in STAGES:
            problems.add(f"stages[{index}].code", stage.code, f"must be one of {', '.join(STAGES)}")
        if not stage.roles:
            problems.add(f"stages[{index}].roles", [], "somebody must be able to sign it")
        for place, role in enumerate(stage.roles):
            if role not in roles:
                problems.add(f"stages[{index}].roles[{place}]", role, f"must be one of {', '.join(sorted(roles))}")
    missing = [code for code in STAGES if code not in _codes(protocol.stages)]
    if missing and protocol.stages:
        problems.add("stages", sorted(_codes(protocol.stages)), f"must have {', '.join(missing)}")


def _check_questions(protocol: Protocol, problems: Problems) -> None:
    groups, stages = _codes(protocol.groups), _codes(protocol.stages)
    answers = {q.code: _question_answers(q) for q in protocol.questions}
    for index, question in enumerate(protocol.questions):
        path = f"questions[{index}]"
        refer(question.group, groups, f"{path}.group", "groups", problems)
        refer(question.stage, stages, f"{path}.stage", "stages", problems)
        for place, stage in enumerate(question.reask_at):
            refer(stage, stages, f"{path}.reask_at[{place}]", "stages", problems)
        _check_kind(question.kind, QUESTION_KINDS, question.choices, f"{path}", problems)
        if question.kind in ("medicines", "allergies") and question.group != question.kind:
            problems.add(f"{path}.group", question.group, f"must be {question.kind}, as its kind")
        if question.valid_hours is not None and question.valid_hours <= 0:
            problems.add(f"{path}.valid_hours", question.valid_hours, "must be more than 0")
        check_asked_if(question.code, question.asked_if, answers, f"{path}.asked_if", problems)
    for kind in ("medicines", "allergies"):
        count = sum(q.kind == kind for q in protocol.questions)
        if count != 1:
            problems.add("questions", count, f"exactly one question must be of kind {kind}")
    for group in NEEDED_GROUPS:
        if not any(q.group == group for q in protocol.questions):
            problems.add("questions", group, "no question asks about this group")


def _question_answers(question: Question) -> tuple[str, ...] | None:
    """The codes an answer may have; None when it has no fixed ones."""
    if question.kind == "yes_no":
        return YES_NO
    if question.kind == "choice":
        return tuple(choice.code for choice in question.choices)
    return None


def _check_kind(kind: str, kinds: Sequence[str], choices: Sequence[Choice], path: str, problems: Problems) -> None:
    if kind not in kinds:
        problems.add(f"{path}.kind", kind, f"must be one of {', '.join(kinds)}")
    elif kind in ("choice", "multichoice") and not choices:
        problems.add(f"{path}.choices", [], "a choice needs choices", because=(f"{path}.choices",))
    elif choices and kind not in ("choice", "multichoice"):
        problems.add(f"{path}.choices", [c.code for c in choices], f"are of no use for kind {kind}")


def check_asked_if(
    own: str, condition: str, answers: Mapping[str, Sequence[str] | None], path: str, problems: Problems
) -> None:
    """``"question=code|code"``: the question exists, is another one, and has these answers."""
    if not condition:
        return
    code, separator, wanted = condition.partition("=")
    if not separator or not wanted:
        problems.add(path, condition, 'must look like "question=answer|answer"')
    elif code == own:
        problems.add(path, condition, "asks about itself")
    elif code not in answers:
        problems.add(path, condition, f"there is no {code}")
    else:
        known = answers[code]
        for answer in wanted.split("|"):
            if known is None or answer not in known:
                problems.add(path, condition, f"{code} has no answer {answer}")


def _check_fields(protocol: Protocol, problems: Problems) -> None:
    answers = {f.code: _field_answers(f) for f in protocol.record_fields}
    for index, item in enumerate(protocol.record_fields):
        path = f"record_fields[{index}]"
        _check_kind(item.kind, FIELD_KINDS, item.choices, path, problems)
        check_asked_if(item.code, item.asked_if, answers, f"{path}.asked_if", problems)
        if item.minimum is not None and item.maximum is not None and item.maximum < item.minimum:
            problems.add(f"{path}.maximum", item.maximum, f"must be at least minimum ({item.minimum:g})")
        if item.warn_above is not None:
            if item.source is None:
                problems.add(f"{path}.warn_above", item.warn_above, "must name its source")
            if not item.warn_message:
                problems.add(f"{path}.warn_message", "", "a caution needs words")
            if item.kind not in ("number", "integer"):
                problems.add(f"{path}.warn_above", item.warn_above, f"is of no use for kind {item.kind}")


def _field_answers(item: RecordField) -> tuple[str, ...] | None:
    if item.kind == "yes_no":
        return YES_NO
    if item.kind in ("choice", "multichoice"):
        return tuple(choice.code for choice in item.choices)
    return None


def _check_record_rules(protocol: Protocol, problems: Problems) -> None:
    kinds = {f.code: f.kind for f in protocol.record_fields}
    for index, rule in enumerate(protocol.record_rules):
        path = f"record_rules[{index}]"
        if rule.field not in kinds:
            problems.add(f"{path}.field", rule.field, "is not in record_fields")
        elif kinds[rule.field] not in ("number", "integer"):
            problems.add(f"{path}.field", rule.field, "must be a number field")
        if not rule.requires:
            problems.add(f"{path}.requires", [], "must name at least one field", because=(f"{path}.requires",))
        for place, code in enumerate(rule.requires):
            refer(code, set(kinds), f"{path}.requires[{place}]", "record_fields", problems)
        limits = [v for v in (rule.per_litre_low, rule.per_litre_preset, rule.per_litre_high) if v is not None]
        if limits != sorted(limits):
            problems.add(f"{path}.per_litre_preset", rule.per_litre_preset, "must be between low and high")


def _check_symptoms(protocol: Protocol, problems: Problems) -> None:
    answers = {q.code: tuple(a.code for a in q.answers) for q in protocol.symptom_questions}
    for index, question in enumerate(protocol.symptom_questions):
        path = f"symptom_questions[{index}]"
        if question.kind not in SYMPTOM_KINDS:
            problems.add(f"{path}.kind", question.kind, f"must be one of {', '.join(SYMPTOM_KINDS)}")
        if not question.answers:
            problems.add(f"{path}.answers", [], "needs answers", because=(f"{path}.answers",))
        check_asked_if(question.code, question.asked_if, answers, f"{path}.asked_if", problems)
        _check_symptom_answers(question, path, problems)
    for index, check in enumerate(protocol.symptom_checks):
        path = f"symptom_checks[{index}]"
        for name in ("after_hours", "within_hours"):
            if getattr(check, name) <= 0:
                problems.add(f"{path}.{name}", getattr(check, name), "must be more than 0", because=(f"{path}.{name}",))
        if not check.questions:
            problems.add(f"{path}.questions", [], "must ask something", because=(f"{path}.questions",))
        for place, code in enumerate(check.questions):
            refer(code, set(answers), f"{path}.questions[{place}]", "symptom_questions", problems)
        for place, condition in enumerate(check.only_if):
            if condition not in CHECK_CONDITIONS:
                allowed = ", ".join(CHECK_CONDITIONS)
                problems.add(f"{path}.only_if[{place}]", condition, f"must be one of {allowed}")


def _check_later_tests(protocol: Protocol, problems: Problems) -> None:
    answers = {q.code: _question_answers(q) for q in protocol.questions}
    panels = {p.code: p for p in protocol.panels}
    asked_before = {code for i in protocol.indications if i.panel in panels for code in panels[i.panel].tests}
    for index, item in enumerate(protocol.later_tests):
        path = f"later_tests[{index}]"
        for name in ("after_hours", "within_hours"):
            if getattr(item, name) <= 0:
                problems.add(f"{path}.{name}", getattr(item, name), "must be more than 0", because=(f"{path}.{name}",))
        if item.within_hours <= item.after_hours:
            problems.add(f"{path}.within_hours", item.within_hours, f"must be after after_hours ({item.after_hours})")
        refer(item.panel, set(panels), f"{path}.panel", "panels", problems)
        # a test is ordered once in a case: what is taken again is a test of its own
        for code in asked_before.intersection(panels[item.panel].tests if item.panel in panels else ()):
            problems.add(f"{path}.panel", item.panel, f"has {code}, which an indication orders before the needle")
        for place, condition in enumerate(item.only_if):
            if condition not in CHECK_CONDITIONS:
                allowed = ", ".join(CHECK_CONDITIONS)
                problems.add(f"{path}.only_if[{place}]", condition, f"must be one of {allowed}")
        for place, condition in enumerate(item.if_answer):
            check_asked_if("", condition, answers, f"{path}.if_answer[{place}]", problems)


def _check_transfer_hours(protocol: Protocol, problems: Problems) -> None:
    hours = protocol.transfer_hours
    for f in fields(hours) if hours is not None else ():
        value = getattr(hours, f.name)
        if isinstance(value, int) and value <= 0:
            problems.add(f"transfer_hours.{f.name}", value, "must be more than 0")
    if hours is not None:
        check_sources(hours, problems, "transfer_hours.")


def _check_symptom_answers(question: SymptomQuestion, path: str, problems: Problems) -> None:
    named = ", ".join(repr(tier) for tier in TIERS)
    for index, answer in enumerate(question.answers):
        place = f"{path}.answers[{index}]"
        for name in ("tier", "tier_before"):
            if getattr(answer, name) not in TIERS:
                problems.add(f"{place}.{name}", getattr(answer, name), f"must be one of {named}")
        if answer.tier_before and answer.after_hours is None:
            problems.add(f"{place}.tier_before", answer.tier_before, "means nothing without after_hours")
        if answer.after_hours is not None and answer.after_hours <= 0:
            problems.add(f"{place}.after_hours", answer.after_hours, "must be more than 0")
        if answer.action not in CHOICE_ACTIONS:
            problems.add(f"{place}.action", answer.action, "must be empty or rebook")


def _check_texts(protocol: Protocol, problems: Problems) -> None:
    for code in NEEDED_TEXTS:
        if code not in _codes(protocol.texts):
            problems.add("texts", sorted(_codes(protocol.texts)), f"must have {code}", because=("texts",))
    for index, text in enumerate(protocol.texts):
        if not any(paragraph.strip() for paragraph in text.paragraphs):
            path = f"texts[{index}].paragraphs"
            problems.add(path, list(text.paragraphs), "must not be empty", because=(path,))


def _check_series(protocol: Protocol, problems: Problems) -> None:
    timing = protocol.series
    if timing is None:
        return
    for name, least in (("tolerance_days", 0), ("book_days_before", 0), ("wanted_ahead", 1)):
        value = getattr(timing, name)
        if value < least:
            problems.add(f"series.{name}", value, f"must be at least {least}", because=(f"series.{name}",))
    for index, code in enumerate(timing.shown_fields):
        refer(code, _codes(protocol.record_fields), f"series.shown_fields[{index}]", "record_fields", problems)
    if timing.source.year is not None and not _FIRST_YEAR <= timing.source.year <= _LAST_YEAR:
        problems.add("series.source.year", timing.source.year, "is not a year")
