"""What stands in the tables, read anew: which version counts, who has read it, what the protocols say. As SQL."""

from __future__ import annotations

#: A withdrawal takes back what was reported until then; corrected outranks final, final outranks preliminary; then the
#: later report, then the later arrival.
CURRENT = """
gone AS (
    SELECT test_id, max(reported_at) AS until FROM procedures_resultversion WHERE status = 'withdrawn' GROUP BY test_id
),
current_version AS (
    SELECT DISTINCT ON (v.test_id)
        v.id, v.test_id, v.number, v.status, v.level, v.arrived_at, v.phoned_critical, v.read_back,
        t.procedure_id, t.code AS test, t.specimen_id
    FROM procedures_resultversion v
    JOIN procedures_labtest t ON t.id = v.test_id
    LEFT JOIN gone g ON g.test_id = v.test_id
    WHERE v.status <> 'withdrawn' AND (g.until IS NULL OR v.reported_at > g.until)
    ORDER BY v.test_id, array_position(ARRAY['preliminary', 'final', 'corrected'], v.status::text) DESC,
        v.reported_at DESC, v.number DESC
)"""

#: Reviews that stand: no later one of the same reader has replaced them.
READ = """
reading AS (
    SELECT r.id, r.version_id, r.procedure_id, r.reviewer_id, r.at, r.tell, r.interpretation, r.plan
    FROM followups_review r WHERE NOT EXISTS (SELECT 1 FROM followups_review s WHERE s.supersedes_id = r.id)
)"""

#: What nobody has read and somebody must: every current version but a preliminary without a finding, whose final is
#: still awaited. ``again``: it corrects what somebody has read.
UNREAD = """
unread AS (
    SELECT c.*,
        c.status = 'corrected' AND EXISTS (
            SELECT 1 FROM procedures_resultversion o JOIN reading r ON r.version_id = o.id
            WHERE o.test_id = c.test_id AND o.id <> c.id
        ) AS again
    FROM current_version c
    WHERE NOT EXISTS (SELECT 1 FROM reading r WHERE r.version_id = c.id)
      AND NOT (c.status = 'preliminary' AND c.level = 'normal')
),
owed AS (
    SELECT u.*,
        CASE WHEN u.level = 'critical' THEN 'critical' WHEN u.level = 'normal' AND NOT u.again THEN 'normal'
             ELSE 'abnormal' END AS weight
    FROM unread u
)"""

#: Hours of the published protocols, one row for each version.
HOURS = """
hours AS MATERIALIZED (
    SELECT v.id AS version, w.weight, (v.data -> 'review_hours' ->> w.weight)::float AS review,
        (v.data -> 'tell_hours' ->> w.weight)::float AS tell
    FROM procedures_protocolversion v CROSS JOIN (VALUES ('normal'), ('abnormal'), ('critical')) w (weight)
)"""

#: Promises about a case itself that are open.
PROMISED = """
promised AS (
    SELECT f.id, f.subject_id AS case_id, f.key, f.kind, f.level, f.about, f.start_at, f.due_at, f.opened_at,
        f.responsible_id, f.taken_by_id, f.role, f.escalated_role, f.snoozed_until
    FROM followups_followup f WHERE f.closed_at IS NULL AND f.subject_kind = 'procedure'
)"""

#: Where somebody who has died, or a patient who is told nothing more, ends what is owed to them.
LIVES = """
lives AS (
    SELECT p.id, p.status, p.outcome, p.disposition, p.started_at, p.completed_at, p.ended_at, p.requested_at
    FROM procedures_procedure p JOIN procedures_patient q ON q.id = p.patient_id
    WHERE q.deceased_at IS NULL AND p.disposition <> 'died'
)"""

#: Somebody spoke with the patient, who knows now.
TOLD = "('reached', 'refused')"
