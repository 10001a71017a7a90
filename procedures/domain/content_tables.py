"""The tables of the clinical content document: plain rows, one function per part of a protocol. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from procedures.domain.calculations import FORMULAS
from procedures.domain.lab_content import Component, Condition, CriticalRule, Test
from procedures.domain.patient_content import SymptomChoice
from procedures.domain.protocol import Protocol, RecordField, SeriesTiming

Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]
#: Stands in the last column of what carries no source of its own.
NO_SOURCE = object()
#: The last column of every table: a Source, or NO_SOURCE. The document writes it as two columns.
SOURCE = "Source"
_COMPARISONS = {"at_least": "≥", "above": ">", "below": "<"}


def number(value: float | None) -> str:
    """``4``, ``0.85``; empty for None."""
    return "" if value is None else f"{value:g}"


def hours_text(hours: int | None) -> str:
    """``168 h (7 d)``; empty for None."""
    if hours is None:
        return ""
    return f"{hours} h ({hours // 24} d)" if hours >= 48 and hours % 24 == 0 else f"{hours} h"


def general(protocol: Protocol) -> Table:
    source = protocol.source
    rows = [(f"Code ({code.system})", f"{code.code} {code.display}", source) for code in protocol.codes]
    rows += [
        ("Youngest age", f"{protocol.min_age} years; below it: outside protocol", source),
        ("Bleeding rules", protocol.bleeding_class, source),
        ("Ordinary results promised to the patient within", hours_text(protocol.promise_hours), source),
    ]
    for name, choices in (
        ("Places", protocol.locations),
        ("Sites", protocol.sites),
        ("Positions", protocol.positions),
        ("Guidance", protocol.guidance),
    ):
        rows.append((name, "; ".join(choice.label for choice in choices), source))
    return ("What", "Value", SOURCE), rows


def hours(protocol: Protocol) -> Table:
    source = protocol.timing_source or NO_SOURCE
    rows = [
        ("Checklist signed before the slot", "", hours_text(protocol.checklist_hours), source),
        ("Record signed after the end", "", hours_text(protocol.record_due_hours), source),
        ("A laboratory's time of collection is at most so far from ours", "", hours_text(protocol.match_hours), source),
        ("Letter after the last unsuccessful try", "", hours_text(protocol.letter_hours), source),
    ]
    for name, table in (
        ("Request booked", protocol.book_within_hours),
        ("Result reviewed", protocol.review_hours),
        ("Patient told", protocol.tell_hours),
    ):
        rows += [(name, key, hours_text(value), source) for key, value in table.items()]
    if (accept := protocol.transfer_hours) is not None:
        keys = (f.name for f in fields(accept) if f.name != "source")
        rows += [
            ("What is pending accepted", key.replace("_", " "), hours_text(getattr(accept, key)), accept.source)
            for key in keys
        ]
    return ("What", "For", "Within", SOURCE), rows


def variants(protocol: Protocol) -> Table:
    head = ("Form", "Operator, min", "Room, min", "Whole stay, min", "Expected volume, mL", SOURCE)
    return head, [
        (v.label, v.operator_minutes, v.room_minutes, v.stay_minutes, number(v.expected_volume_ml), v.source)
        for v in protocol.variants
    ]


def indications(protocol: Protocol) -> Table:
    return ("Indication", "Order set", "Form", SOURCE), [
        (i.label, protocol.panel(i.panel).label, protocol.variant(i.variant).label, i.source or NO_SOURCE)
        for i in protocol.indications
    ]


def series(timing: SeriesTiming) -> Table:
    source = timing.source
    return ("What", "Value", SOURCE), [
        ("A distance that differs more from the interval is warned of", f"{timing.tolerance_days} d", source),
        ("The next one is booked before it is needed by", f"{timing.book_days_before} d", source),
        ("Booked ahead at any time", timing.wanted_ahead, source),
    ]


def trends(protocol: Protocol) -> Table:
    return ("What is followed from one procedure to the next", "Of", "Unit", "Line", SOURCE), [
        (t.label, "; ".join(t.of), t.unit, f"{number(t.line)} {t.line_label}".strip(), t.source)
        for t in protocol.trends
    ]


def panels(protocol: Protocol) -> Table:
    return ("Order set", "Tests", "Note", SOURCE), [
        (p.label, "; ".join(protocol.test(code).label for code in p.tests), p.note, p.source) for p in protocol.panels
    ]


def tests(protocol: Protocol) -> Table:
    head = ("Test", "LOINC", "Usual", "Outer", "Preliminary at", "Extended", "Needs", "Reference", "Note", SOURCE)
    return head, [
        (
            t.label, loinc(t), hours_text(t.usual_hours), hours_text(t.outer_hours),
            ", ".join(f"{hour} h" for hour in t.preliminary_hours), "yes" if t.extended else "",
            "; ".join(protocol.test(code).label for code in t.needs), t.reference, t.note, t.source,
        )
        for t in protocol.tests
    ]  # fmt: skip


def loinc(item: Test | Component) -> str:
    """The codes, and whether they still have to be confirmed."""
    codes = ", ".join(code for code in (item.loinc, *item.also_loinc) if code)
    return f"{codes} *verify*".strip() if item.verify else codes


def rules(protocol: Protocol) -> Table:
    rows = []
    for test in protocol.tests:
        names = _names(protocol, test)
        for rule in test.critical:
            parts: tuple[CriticalRule | Condition, ...] = (rule, *rule.all_of)
            condition = " and ".join(_condition(names, part) for part in parts)
            rows.append((test.label, rule.level, condition, rule.message, rule.source))
        if test.informational:
            rows.append((test.label, "none", "counts only beside other values", "", test.source))
    return ("Test", "Level", "If", "What the reader is told", SOURCE), rows


def _names(protocol: Protocol, test: Test) -> Mapping[str, tuple[str, str]]:
    """Label and unit by the code of a component of the test or of a calculation."""
    names = {c.code: (f"{c.label} (computed)", c.unit) for c in protocol.calculations}
    names.update({c.code: (c.label, c.units[0] if c.units else "") for c in test.components})
    return names


def _condition(names: Mapping[str, tuple[str, str]], condition: CriticalRule | Condition) -> str:
    label, unit = names[condition.component]
    if condition.kind == "one_of":
        return f"{label} is {' or '.join(value.replace('_', ' ') for value in condition.values)}"
    if condition.kind in ("missing", "present"):
        return f"{label} is {condition.kind}"
    return f"{label} {_COMPARISONS[condition.kind]} {number(condition.value)} {unit}".rstrip()


def components(protocol: Protocol) -> Table:
    rows = []
    for test in protocol.tests:
        for c in test.components:
            units = "; ".join(
                f"{unit or 'no unit'}{'' if factor == 1 else f' × {factor:g}'}"
                for unit, factor in zip(c.units, c.factors, strict=True)
            )
            limits = "" if c.low is None and c.high is None else f"{number(c.low)} to {number(c.high)}"
            values = units or "; ".join(choice.label for choice in c.choices)
            rows.append((test.label, c.label, loinc(c), values, limits, "yes" if c.required else "", test.source))
    return ("Test", "Value", "LOINC", "Units (× factor to the first) or choices", "Range", "Required", SOURCE), rows


def calculations(protocol: Protocol) -> Table:
    rows = []
    for c in protocol.calculations:
        labels = "; ".join(_input(protocol, name) for name in c.inputs)
        parameters = "; ".join(f"{key} = {number(value)}" for key, value in c.parameters.items())
        preliminary = "yes" if c.preliminary_ok else "refused"
        rows.append(
            (c.label, FORMULAS[c.function].meaning, labels, parameters, c.unit, hours_text(c.max_hours_apart),
             preliminary, c.note, c.source)
        )  # fmt: skip
    head = ("Name", "Formula", "Of", "Numbers", "Unit", "At most apart", "Preliminary values", "Note", SOURCE)
    return head, rows


def _input(protocol: Protocol, name: str) -> str:
    test_code, _, component_code = name.partition(".")
    test = protocol.test(test_code)
    return f"{test.label}: {next(c.label for c in test.components if c.code == component_code)}"


def containers(protocol: Protocol) -> Table:
    head = ("Container", "Fluid", "At least, mL", "Usual place", "Received within, min", "Handling", SOURCE)
    return head, [
        (c.label, c.fluid, number(c.minimum_ml), number(c.tube_number), c.receipt_minutes, c.handling, c.source)
        for c in protocol.containers
    ]


def questions(protocol: Protocol) -> Table:
    groups = {group.code: group.label for group in protocol.groups}
    rows = []
    for q in protocol.questions:
        answers = "; ".join(choice.label for choice in q.choices) or q.kind.replace("_", " ")
        marks = [name for name, on in (
            ("emergency minimum", q.minimum), ("private", q.private), ("may stay empty", not q.required),
        ) if on]  # fmt: skip
        if q.asked_if:
            marks.append(f"only if {q.asked_if}")
        marks += [f"no start while the answer is {choice.label}" for choice in q.choices if choice.blocks_start]
        if q.reask_at:
            marks.append(f"asked again at {', '.join(protocol.stage(code).label for code in q.reask_at)}")
        stage = protocol.stage(q.stage).label
        text = f"{q.text} {q.help}".strip()
        unit = f"{answers} ({q.unit})" if q.unit else answers
        rows.append((groups[q.group], stage, text, unit, hours_text(q.valid_hours), "; ".join(marks), q.source))
    return ("Group", "Stage", "Question", "Answers", "Valid for", "Remarks", SOURCE), rows


def stages(protocol: Protocol) -> Table:
    return ("Stage", "Signed by", "Start waits for it", "Note", SOURCE), [
        (s.label, ", ".join(s.roles), "yes" if s.blocks_start else "no", s.help, protocol.source)
        for s in protocol.stages
    ]


def record_fields(protocol: Protocol) -> Table:
    rows = []
    for f in protocol.record_fields:
        answers = "; ".join(choice.label for choice in f.choices) or f.kind.replace("_", " ")
        caution = f"above {number(f.warn_above)}: {f.warn_message}" if f.warn_above is not None else ""
        required = "yes" if f.required else ""
        rows.append((f.section, f.label, f.unit, answers, _limits(f), caution, required, f.source or NO_SOURCE))
    return ("Part", "Field", "Unit", "Answers", "Accepted", "Caution", "Required", SOURCE), rows


def _limits(field: RecordField) -> str:
    low, high = number(field.minimum), number(field.maximum)
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else ""


def record_rules(protocol: Protocol) -> Table:
    labels = {f.code: f"{f.label}, {f.unit}" if f.unit else f.label for f in protocol.record_fields}
    return ("If", "Then one of", "Dose shown for each litre removed", "Message", SOURCE), [
        (
            f"{labels[r.field]} > {number(r.above)}", "; ".join(labels[code] for code in r.requires),
            _dose(r.per_litre_low, r.per_litre_high, r.per_litre_preset), r.message, r.source,
        )
        for r in protocol.record_rules
    ]  # fmt: skip


def _dose(low: float | None, high: float | None, preset: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{number(low)} to {number(high)} g, preset {number(preset)} g"


def complications(protocol: Protocol) -> Table:
    return ("Complication", "When, how often", "Named in consent", SOURCE), [
        (c.label, c.when, "yes" if c.named_in_consent else "", c.source) for c in protocol.complications
    ]


def symptoms(protocol: Protocol) -> Table:
    return ("Question", "Answer", "Tier", "Said at once", SOURCE), [
        (q.text, a.label, _tier(a), a.advice, q.source) for q in protocol.symptom_questions for a in q.answers
    ]


def patient_questions(protocol: Protocol) -> Table:
    return ("Checklist question", "Asked", "Help", "Answers", "Asked if", SOURCE), [
        (q.code, q.text, q.help, "; ".join(a.label for a in q.answers) or q.detail or "in words", q.asked_if, q.source)
        for q in protocol.patient_questions
    ]


def _tier(answer: SymptomChoice) -> str:
    name, early = answer.tier or "no sign", answer.tier_before or "no sign"
    text = name if answer.after_hours is None else f"{early} up to {answer.after_hours} h, then {name}"
    return f"{text}; {answer.action}" if answer.action else text


def combinations(protocol: Protocol) -> Table:
    """Answers that count more together; in the words of the questions."""
    questions = {q.code: q for q in protocol.symptom_questions}

    def said(condition: str) -> str:
        code, _, answers = condition.partition("=")
        labels = {a.code: a.label for a in questions[code].answers}
        return f"{questions[code].text} {' or '.join(labels[answer] for answer in answers.split('|'))}"

    return ("Together", "Answers", "From", "At least tier", SOURCE), [
        (c.label, "; ".join(map(said, c.all_of)), hours_text(c.after_hours) if c.after_hours else "", c.tier, c.source)
        for c in protocol.symptom_combinations
    ]


def sign_times(protocol: Protocol) -> Table:
    """By when a person has acted, and the one number of fever."""
    rows: list[tuple[Any, ...]] = [
        (name if name == "words" else f"tier {name}", f"{minutes} minutes", NO_SOURCE)
        for name, minutes in protocol.sign_minutes.items()
    ]
    if protocol.fever_above_f is not None:
        rows.append(("fever is above", f"{protocol.fever_above_f:g} °F", NO_SOURCE))
    names = {"high_risk": "unanswered, high risk: call from", "call_high_risk": "that call made within",
             "call": "unanswered: called the next morning within"}  # fmt: skip
    rows += [(names[key], f"{minutes} minutes", NO_SOURCE) for key, minutes in protocol.silence_minutes.items()]
    rows.append(("high risk is", _any_of(protocol.high_risk), NO_SOURCE))
    return ("Sign", "By when, or how much", SOURCE), rows


def checks(protocol: Protocol) -> Table:
    texts = {q.code: q.text for q in protocol.symptom_questions}
    return ("Check", "After", "Answered within", "Only if", "Asks", SOURCE), [
        (
            c.label, hours_text(c.after_hours), hours_text(c.within_hours), _any_of(c.only_if),
            f"{len(c.questions)} of {len(texts)} questions", c.source,
        )
        for c in protocol.symptom_checks
    ]  # fmt: skip


def later_tests(protocol: Protocol) -> Table:
    questions = {q.code: q.text for q in protocol.questions}

    def answered(condition: str) -> str:
        code, _, answers = condition.partition("=")
        return f"{questions[code]} {answers.replace('|', ' or ')}"

    return ("Tests", "Order set", "From", "Until", "Only if", "Note", SOURCE), [
        (
            item.label, protocol.panel(item.panel).label, hours_text(item.after_hours), hours_text(item.within_hours),
            _any_of((*item.only_if, *(answered(condition) for condition in item.if_answer))), item.note, item.source,
        )
        for item in protocol.later_tests
    ]  # fmt: skip


def result_words(protocol: Protocol) -> Table:
    words = protocol.result_words
    assert words is not None
    head = ("Test", "Read as normal", "Abnormal", "Critical", SOURCE)
    own = [(protocol.test(t.code).label, t.normal, t.abnormal, t.critical, words.source) for t in words.tests]
    return head, [
        ("Every other test: its name, and", words.normal, words.abnormal, words.critical, words.source),
        ("While it is preliminary, also", *(words.so_far,) * 3, words.source),
        *own,
    ]


def _any_of(conditions: Iterable[str]) -> str:
    return " or ".join(condition.replace("_", " ") for condition in conditions) or "always"
