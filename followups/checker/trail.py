"""The audit trail: every change of a state has its line, each line has somebody, and no day has lost one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from followups.checker.report import Report
from followups.checker.rows import Question, put

CASE_STATES = """('requested', 'scheduled', 'arrived', 'in_progress', 'completed', 'cancelled', 'no_show',
    'entered_in_error')"""
TEST_STATES = """('ordered', 'collected', 'received', 'rejected', 'lost', 'preliminary', 'final', 'corrected',
    'cancelled')"""


def _chain(code: str, subject: str, table: str, states: str, first: str) -> Question:
    """Each move begins where the one before it ended, and the last one is where the row stands."""
    moves = f"""
        SELECT e.id, e.subject_id, e.data ->> 'from' AS old, e.data ->> 'to' AS new,
            lag(e.data ->> 'to') OVER w AS before, lead(e.id) OVER w IS NULL AS is_last
        FROM clinic_auditentry e
        WHERE e.subject_type = '{subject}' AND e.data ->> 'to' IN {states} AND e.data ->> 'from' IN {states}
        WINDOW w AS (PARTITION BY e.subject_id ORDER BY e.id)"""
    kind = "case" if table.endswith("procedure") else "test"
    return Question(
        code=code,
        looked=f"SELECT count(*) FROM {table}",
        wrong=f"""
            SELECT '{kind}', m.subject_id, 'from ' || coalesce(m.before, '{first}') || ' to ' || m.old || ' unrecorded'
            FROM ({moves}) m WHERE m.old <> coalesce(m.before, '{first}')
            UNION ALL
            SELECT '{kind}', r.id, 'stands as ' || r.status || ', recorded as ' || coalesce(m.new, '{first}')
            FROM {table} r LEFT JOIN ({moves}) m ON m.subject_id = r.id AND m.is_last
            WHERE r.status <> coalesce(m.new, '{first}')""",
    )


def _line(code: str, subject: str, rows: str, actions: str = "") -> Question:
    """Each of ``rows`` (an id, and the id of what the line is about) has a line."""
    of_action = f"AND e.action IN ({actions})" if actions else ""
    return Question(
        code=code,
        looked=f"SELECT count(*) FROM ({rows}) r",
        wrong=f"""
            SELECT '{code.removeprefix("trail.")}', r.id, 'no line in the audit trail'
            FROM ({rows}) r WHERE NOT EXISTS (
                SELECT 1 FROM clinic_auditentry e WHERE e.subject_type = '{subject}' AND e.subject_id = r.about
                  {of_action})""",
    )


QUESTIONS = (
    _chain("trail.case_state", "procedures.procedure", "procedures_procedure", CASE_STATES, "requested"),
    _chain("trail.test_state", "procedures.labtest", "procedures_labtest", TEST_STATES, "ordered"),
    Question(
        code="trail.review",
        looked="SELECT count(*) FROM followups_review",
        wrong="""
            SELECT 'review', r.id, 'no line in the audit trail' FROM followups_review r WHERE NOT EXISTS (
                SELECT 1 FROM clinic_auditentry e WHERE e.subject_type = 'procedures.resultversion'
                  AND e.subject_id = r.version_id AND e.action = 'result.reviewed'
                  AND e.data ->> 'review' = r.id::text AND e.actor_id = r.reviewer_id)""",
    ),
    Question(
        code="trail.message",
        looked="SELECT count(*) FROM followups_message WHERE state NOT IN ('queued', 'sending')",
        wrong="""
            SELECT 'message', m.id, m.state || ', and no line says so' FROM followups_message m
            WHERE m.state NOT IN ('queued', 'sending') AND NOT EXISTS (
                SELECT 1 FROM clinic_auditentry e WHERE e.subject_type = 'followups.message' AND e.subject_id = m.id
                  AND e.action IN ('message.' || m.state, CASE m.state WHEN 'failed' THEN 'message.came_back' END))""",
    ),
    _line(
        "trail.result",
        "procedures.resultversion",
        "SELECT id, id AS about FROM procedures_resultversion",
        "'result.entered', 'result.arrived', 'result.withdrawn', 'result.taken_back'",
    ),
    _line(
        "trail.contact",
        "followups.patientcontact",
        "SELECT id, id AS about FROM followups_patientcontact",
        "'patient.contacted', 'patient.answered'",
    ),
    _line(
        "trail.record",
        "procedures.procedurerecord",
        "SELECT id, id AS about FROM procedures_procedurerecord WHERE signed_at IS NOT NULL",
    ),
    _line(
        "trail.hold",
        "procedures.hold",
        "SELECT id, id AS about FROM procedures_hold",
    ),
    _line(
        "trail.action",
        "followups.action",
        "SELECT id, id AS about FROM followups_action WHERE done_at IS NOT NULL AND NOT not_done",
        "'action.done'",
    ),
    _line("trail.transfer", "procedures.transfer", "SELECT id, id AS about FROM procedures_transfer"),
    _line(
        "trail.inbound",
        "procedures.inboundmessage",
        "SELECT id, id AS about FROM procedures_inboundmessage WHERE state <> 'stored'",
    ),
    _line(
        "trail.escalation",
        "followups.followup",
        "SELECT id, id AS about FROM followups_followup WHERE escalated_role <> ''",
        "'promise.escalated'",
    ),
    Question(
        code="trail.nobody",
        looked="SELECT count(*) FROM clinic_auditentry",
        wrong="""
            SELECT 'line', e.id, e.action FROM clinic_auditentry e
            WHERE e.actor_name = '' OR (e.actor_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM clinic_user u WHERE u.id = e.actor_id))""",
    ),
    Question(
        code="trail.gap",
        looked="SELECT count(*) FROM clinic_auditseal",
        wrong="""
            SELECT 'seal', s.id, s.count || ' lines were sealed, there are ' || n.count
            FROM clinic_auditseal s CROSS JOIN LATERAL (
                SELECT count(*) FROM clinic_auditentry e WHERE e.id BETWEEN s.first_id AND s.last_id) n
            WHERE s.first_id IS NOT NULL AND n.count <> s.count""",
    ),
)


def look(report: Report, params: Mapping[str, Any]) -> None:
    put(report, QUESTIONS, params)
