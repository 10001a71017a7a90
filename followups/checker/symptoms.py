"""Which danger signs nobody has asked about yet: the protocol's checks against what was answered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from followups.checker.rows import ask


@dataclass
class Needle:
    """A case in which the needle was in, and what makes some of its checks due."""

    id: int
    version: int
    started_at: datetime
    flags: set[str] = field(default_factory=set)
    #: What was asked: code, outcome, when it was finished.
    asked: list[tuple[str, str, datetime]] = field(default_factory=list)


def unasked() -> list[tuple[int, str, datetime]]:
    """Case, check and hour of each check that is owed and neither answered nor said not to be needed."""
    needles = _needles()
    checks, rules = _protocols()
    _flags(needles, rules)
    for case, code, outcome, at in ask(ASKED):
        if case in needles:
            needles[case].asked.append((code, outcome, at))
    return [(needle.id, code, at) for needle in needles.values() for code, at in _open(needle, checks[needle.version])]


def as_sql(rows: list[tuple[int, str, datetime]]) -> tuple[str, str]:
    """The same as a table ``unasked`` for queries, and its parameter."""
    given = """unasked AS (
        SELECT (x ->> 0)::bigint AS case_id, x ->> 1 AS code FROM jsonb_array_elements(%(unasked)s::jsonb) x)"""
    return given, json.dumps([[case, code] for case, code, _ in rows])


def _open(needle: Needle, checks: list[dict[str, Any]]) -> Iterator[tuple[str, datetime]]:
    questions = {check["code"]: set(check["questions"]) for check in checks}
    for check in checks:
        start = needle.started_at + timedelta(hours=check["after_hours"])
        only_if = set(check.get("only_if") or ())
        if only_if and not only_if & needle.flags:
            continue
        wanted = set(check["questions"])
        settled = any(
            outcome in ("answered", "not_needed")
            and (
                code == check["code"]
                or (outcome == "answered" and at >= start and questions.get(code, set()) >= wanted)
            )
            for code, outcome, at in needle.asked
        )
        if not settled:
            yield check["code"], start


def _needles() -> dict[int, Needle]:
    return {pk: Needle(pk, version, started) for pk, version, started in ask(NEEDLES)}


def _protocols() -> tuple[dict[int, list[dict[str, Any]]], dict[int, list[dict[str, Any]]]]:
    rows = ask("SELECT id, data -> 'symptom_checks', data -> 'record_rules' FROM procedures_protocolversion")
    read = [(pk, _json(checks), _json(rules)) for pk, checks, rules in rows]
    return {pk: checks for pk, checks, _ in read}, {pk: rules for pk, _, rules in read}


def _json(value: Any) -> list[dict[str, Any]]:
    found = json.loads(value) if isinstance(value, str) else value
    return list(found or ())


def _flags(needles: dict[int, Needle], rules: dict[int, list[dict[str, Any]]]) -> None:
    """What ``only_if`` may ask for: from the signed record, the holds, the answers, and whether it was the first."""
    for flag, query in FLAGS.items():
        for (case,) in ask(query):
            if case in needles:
                needles[case].flags.add(flag)
    for needle in needles.values():
        needle.flags.add("first" if "serial" not in needle.flags else "serial")
    for case, fields in ask(RECORDS):
        said = json.loads(fields) if isinstance(fields, str) else fields
        for rule in rules[needles[case].version] if case in needles else ():
            value = said.get(rule["field"])
            if isinstance(value, int | float) and value > rule["above"]:
                needles[case].flags.add("large_volume")
    pairs: dict[int, set[str]] = defaultdict(set)
    for case, question in ask(SIGNS):
        pairs[case].add(question)
    for case, found in pairs.items():
        if case in needles:
            needles[case].flags |= found


NEEDLES = """
    SELECT p.id, p.protocol_version_id, p.started_at
    FROM procedures_procedure p JOIN procedures_patient q ON q.id = p.patient_id
    WHERE p.status = 'completed' AND p.started_at IS NOT NULL AND p.outcome IN ('done', 'partial', 'no_fluid')
      AND q.deceased_at IS NULL AND p.disposition <> 'died'"""
ASKED = "SELECT procedure_id, check_code, outcome, coalesce(finished_at, at) FROM followups_symptomcheck"
SIGNED = """
    SELECT DISTINCT ON (r.procedure_id) r.procedure_id, r.fields, r.complications
    FROM procedures_procedurerecord r WHERE r.signed_at IS NOT NULL ORDER BY r.procedure_id, r.number DESC"""
RECORDS = f"SELECT s.procedure_id, s.fields FROM ({SIGNED}) s"
SIGNS = """
    SELECT DISTINCT c.procedure_id, a.question FROM followups_symptomanswer a
    JOIN followups_symptomcheck c ON c.id = a.check_row_id WHERE a.tier <> ''"""
FLAGS = {
    "held": "SELECT DISTINCT procedure_id FROM procedures_hold",
    "complicated": f"SELECT s.procedure_id FROM ({SIGNED}) s WHERE cardinality(s.complications) > 0",
    "traumatic": f"SELECT s.procedure_id FROM ({SIGNED}) s WHERE s.fields ->> 'traumatic_tap' IN ('yes', 'true')",
    "headache_now": """
        SELECT n.procedure_id FROM (
            SELECT DISTINCT ON (c.procedure_id) c.procedure_id, a.answer
            FROM followups_symptomanswer a JOIN followups_symptomcheck c ON c.id = a.check_row_id
            WHERE a.question = 'headache' ORDER BY c.procedure_id, a.id DESC) n
        WHERE n.answer <> 'none'""",
    "serial": """
        SELECT p.id FROM procedures_procedure p JOIN procedures_protocolversion v ON v.id = p.protocol_version_id
        WHERE EXISTS (
            SELECT 1 FROM procedures_procedure e JOIN procedures_protocolversion w ON w.id = e.protocol_version_id
            WHERE e.patient_id = p.patient_id AND w.protocol_id = v.protocol_id AND e.status = 'completed'
              AND e.started_at < p.started_at)""",
}
