"""No open promise without a fact behind it, and none that is nobody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from followups.checker.facts import CURRENT, READ, UNREAD
from followups.checker.grounds import GROUNDS
from followups.checker.report import Complaint, Report
from followups.checker.rows import Question, ask, count, put, with_

UNFOUNDED = """
    SELECT 'promise', f.id, f.kind || ' of ' || f.subject_kind || ' ' || f.subject_id
    FROM followups_followup f
    LEFT JOIN procedures_procedure p ON p.id = f.subject_id AND f.subject_kind = 'procedure'
    LEFT JOIN procedures_patient q ON q.id = p.patient_id
    WHERE f.closed_at IS NULL AND f.kind = %(kind)s AND ({ground}) IS NOT TRUE"""
OPEN = "SELECT count(*) FROM followups_followup WHERE closed_at IS NULL"

QUESTIONS = (
    Question(
        code="promise.nobodys",
        looked=OPEN,
        wrong="""
            SELECT 'promise', f.id, f.kind || ' of role ' || f.role
            FROM followups_followup f
            WHERE f.closed_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM clinic_user u WHERE u.is_active
                              AND u.id IN (f.taken_by_id, f.responsible_id))
              AND NOT EXISTS (SELECT 1 FROM clinic_user u WHERE u.is_active
                              AND u.roles && (ARRAY['director', 'administrator']::varchar[] || f.role))""",
    ),
    Question(
        code="promise.without_owner",
        looked=OPEN,
        wrong="""
            SELECT 'promise', f.id, f.kind || ': who has it has left, and nobody holds the role ' || f.role
            FROM followups_followup f
            WHERE f.closed_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM clinic_user u WHERE u.is_active
                              AND (u.id = coalesce(f.taken_by_id, f.responsible_id) OR u.roles @> ARRAY[f.role]))
              AND NOT EXISTS (SELECT 1 FROM followups_followup e WHERE e.closed_at IS NULL AND e.kind = 'empty_role'
                              AND e.about ->> 'role' = f.role)""",
    ),
    Question(
        code="promise.twice",
        looked="SELECT count(*) FROM followups_followup WHERE closed_at IS NULL AND about ? 'version'",
        wrong="""
            SELECT 'promise', max(f.id), count(*) || ' of ' || f.kind || ' for version ' || (f.about ->> 'version')
            FROM followups_followup f
            WHERE f.closed_at IS NULL AND f.kind IN ('review_result', 'reread_correction')
            GROUP BY f.kind, f.about ->> 'version' HAVING count(*) > 1""",
    ),
)


def look(report: Report, params: Mapping[str, Any], kinds: Mapping[str, Any], unasked: str) -> None:
    """Every kind that is open must be one that the checker knows, and each promise of it must have its fact."""
    open_now = dict(ask("SELECT kind, count(*) FROM followups_followup WHERE closed_at IS NULL GROUP BY kind"))
    known = set(GROUNDS) & set(kinds)
    strange = [Complaint("promise.unknown_kind", "kind", kind) for kind in sorted(set(open_now) - known)]
    report.asked("promise.unknown_kind", len(open_now), strange)
    given = with_((CURRENT, READ, UNREAD, unasked))
    for kind, ground in GROUNDS.items():
        looked = open_now.get(kind, 0)
        found = ask(given + UNFOUNDED.format(ground=ground), {**params, "kind": kind}) if looked else []
        report.asked("promise.without_fact", looked, [Complaint("promise.without_fact", *row) for row in found])
    report.figures["promises open"] = count(OPEN)
    put(report, QUESTIONS, params)
