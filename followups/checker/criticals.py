"""Every critical result reached somebody within its time, or its ladder climbed on time; unread it is listed."""

from __future__ import annotations

from followups.checker import climbing
from followups.checker.facts import CURRENT, READ, UNREAD
from followups.checker.params import At
from followups.checker.report import Complaint, Report
from followups.checker.rows import Question, ask, put


def look(report: Report, at: At) -> None:
    """Those that are open, and those that were."""
    put(report, QUESTIONS, at.params())
    rows = ask(NOTICED, at.params())
    found, late = [], 0
    for version, promise, start_at, due_at, opened_at, rung, kind, until in rows:
        if until - start_at <= at.params()["noticed"]:
            continue
        late += 1
        its = climbing.plan(kind, "critical", start_at, due_at)
        ripe = at.ripe_at(until)
        due = its.due(ripe) if its and ripe >= opened_at else 0
        if rung < due:
            words = f"noticed after {until - start_at}, promise {promise} had climbed {rung} of {due} steps"
            found.append(Complaint("critical.not_climbed", "result", version, words))
    report.asked("critical.not_climbed", len(rows), found)
    report.figures["criticals noticed late, after their ladder climbed"] = late - len(found)


#: When somebody first knew: read back on the phone, taken, or read.
KNOWN = """
    least(
        (SELECT min(b.at) FROM procedures_criticalreadback b WHERE b.version_id = v.id),
        (SELECT min(r.at) FROM followups_review r WHERE r.version_id = v.id),
        (SELECT min(n.at) FROM followups_followupnote n WHERE n.follow_up_id = f.id AND n.action = 'taken'),
        CASE WHEN v.read_back ->> 'value' IS NOT NULL AND v.entered_by_id IS NOT NULL THEN v.arrived_at END)"""
#: Of each critical version its first promise, with when somebody knew, it closed, or now.
NOTICED = f"""
    SELECT v.id, f.id, f.start_at, f.due_at, f.opened_at, f.rung, f.kind,
        least(coalesce({KNOWN}, f.closed_at, %(now)s), coalesce(f.closed_at, %(now)s))
    FROM procedures_resultversion v
    JOIN procedures_labtest t ON t.id = v.test_id
    JOIN followups_followup f ON f.subject_kind = 'procedure' AND f.subject_id = t.procedure_id
        AND f.key = 'review:' || v.id AND f.generation = 1
    WHERE v.level = 'critical' AND v.status <> 'withdrawn' ORDER BY v.id"""
GIVEN = (CURRENT, READ, UNREAD)
OPEN = "SELECT count(*) FROM owed WHERE level = 'critical'"
QUESTIONS = (
    Question(
        code="critical.not_listed",
        given=GIVEN,
        looked=OPEN,
        wrong="""
            SELECT 'result', o.id, 'no open critical promise of a physician'
            FROM owed o WHERE o.level = 'critical' AND NOT EXISTS (
                SELECT 1 FROM followups_followup f WHERE f.closed_at IS NULL AND f.level = 'critical'
                  AND f.role = 'physician' AND f.subject_id = o.procedure_id AND f.key = 'review:' || o.id)""",
    ),
    Question(
        code="critical.director_not_asked",
        given=GIVEN,
        looked=OPEN,
        wrong="""
            SELECT 'result', o.id, 'arrived ' || o.arrived_at
            FROM owed o JOIN followups_followup f ON f.closed_at IS NULL AND f.subject_kind = 'procedure'
                AND f.subject_id = o.procedure_id AND f.key = 'review:' || o.id
            WHERE o.level = 'critical' AND f.opened_at <= %(ripe)s
              AND o.arrived_at + (%(limits)s::jsonb -> 'critical' ->> 'director')::float * interval '1 minute'
                  <= %(ripe)s
              AND EXISTS (SELECT 1 FROM clinic_user u WHERE u.is_active AND 'director' = ANY(u.roles)
                          AND NOT EXISTS (SELECT 1 FROM clinic_absence a WHERE a.user_id = u.id
                                          AND a.starts_at <= %(now)s AND a.ends_at > f.start_at))
              AND NOT EXISTS (SELECT 1 FROM followups_message m JOIN clinic_user u ON u.id = m.recipient_id
                              WHERE m.follow_up_id = f.id AND 'director' = ANY(u.roles))""",
    ),
    Question(
        code="critical.never_promised",
        looked="SELECT count(*) FROM procedures_resultversion WHERE level = 'critical' AND status <> 'withdrawn'",
        wrong="""
            SELECT 'result', v.id, 'neither read nor ever promised to be read'
            FROM procedures_resultversion v JOIN procedures_labtest t ON t.id = v.test_id
            WHERE v.level = 'critical' AND v.status <> 'withdrawn'
              AND NOT EXISTS (SELECT 1 FROM followups_review r WHERE r.version_id = v.id)
              AND NOT EXISTS (SELECT 1 FROM followups_followup f WHERE f.subject_kind = 'procedure'
                              AND f.subject_id = t.procedure_id AND f.key = 'review:' || v.id)
              AND NOT EXISTS (SELECT 1 FROM procedures_resultversion n WHERE n.test_id = v.test_id AND n.id <> v.id
                              AND (n.arrived_at = v.arrived_at OR (n.arrived_at < v.arrived_at
                                   AND n.reported_at >= v.reported_at)))""",
    ),
)
