"""Every answer at every hour, against a table that was typed from the leaflets and guidelines, not from the files."""

from __future__ import annotations

import csv
from itertools import combinations as pairs

import pytest

from procedures.domain import symptoms
from procedures.domain.protocol import Protocol
from tests.domain.protocol_files import ROOT, protocol

LP, PARA = protocol("lumbar_puncture"), protocol("paracentesis")
FILES = {found.code: found for found in (LP, PARA)}
each = pytest.mark.parametrize("found", [LP, PARA], ids=lambda p: p.code)
TABLE = list(csv.DictReader((ROOT / "tests/data/expected_tiers.csv").read_text(encoding="utf-8").splitlines()))
HOURS = [name for name in TABLE[0] if name.isdigit()]


def graded(row: dict[str, str], hours: float | None) -> str:
    answers = dict(zip(row["question"].split("+"), row["answer"].split("+"), strict=True))
    return symptoms.worst(found.tier for found in symptoms.grade(FILES[row["protocol"]], answers, hours).values())


@pytest.mark.parametrize("row", TABLE, ids=lambda r: f"{r['protocol']}:{r['question']}={r['answer']}")
def test_an_answer_has_the_tier_of_the_table_at_every_hour(row: dict[str, str]) -> None:
    assert [graded(row, float(hour)) or "-" for hour in HOURS] == [row[hour] for hour in HOURS]


@pytest.mark.parametrize("row", TABLE, ids=lambda r: f"{r['protocol']}:{r['question']}={r['answer']}")
def test_at_an_unknown_hour_the_most_urgent_of_all_hours_counts(row: dict[str, str]) -> None:
    assert (graded(row, None) or "-") == min((row[hour] for hour in HOURS), key="ABCD-".index)


@each
def test_the_table_has_every_answer_and_every_combination(found: Protocol) -> None:
    typed = {(r["question"], r["answer"]) for r in TABLE if r["protocol"] == found.code}
    assert {(q.code, a.code) for q in found.symptom_questions for a in q.answers} <= typed
    for item in found.symptom_combinations:
        codes = [condition.partition("=")[0] for condition in item.all_of]
        assert any(set(question.split("+")) == set(codes) for question, _ in typed), item.code


@each
def test_two_answers_are_never_less_urgent_together_than_apart(found: Protocol) -> None:
    signs = [(q.code, a.code) for q in found.symptom_questions for a in q.answers if a.tier]
    for one, other in pairs(signs, 2):
        if one[0] == other[0]:
            continue
        for hours in (1.0, 47.9, 48.0, 61.0, 400.0):
            both = symptoms.grade(found, dict([one, other]), hours)
            apart = [symptoms.grade(found, dict([answer]), hours)[answer[0]].tier for answer in (one, other)]
            together = symptoms.worst(g.tier for g in both.values())
            assert symptoms.TIERS.index(together) <= symptoms.TIERS.index(symptoms.worst(apart))


@each
def test_what_may_need_911_is_asked_before_all_else(found: Protocol) -> None:
    worst = {q.code: min((a.tier for a in q.answers if a.tier), default="D") for q in found.symptom_questions}
    for check in found.symptom_checks:
        urgent = [worst[code] == "A" for code in check.questions]
        assert urgent == sorted(urgent, reverse=True), check.code


@each
def test_a_condition_is_asked_in_the_same_check_before_what_depends_on_it(found: Protocol) -> None:
    by_code = {q.code: q for q in found.symptom_questions}
    for check in found.symptom_checks:
        for place, code in enumerate(check.questions):
            condition = by_code[code].asked_if.partition("=")[0]
            assert not condition or condition in check.questions[:place], (check.code, code)


@each
def test_an_ache_cannot_be_taken_for_numbness(found: Protocol) -> None:
    """One question offers both, and the harmless one says that strength and feeling are as before."""
    for question in found.symptom_questions:
        labels = {a.code: a.label for a in question.answers}
        assert len(set(labels.values())) == len(labels), question.code
        if "ache_only" in labels:
            assert "weak_or_numb" in labels and "strength and feeling" in labels["ache_only"]
