"""No result is unread without the one promise to read it: of its level, of the right age, owned, asked for in time."""

from __future__ import annotations

from followups.checker.facts import CURRENT, HOURS, PROMISED, READ, UNREAD
from followups.checker.rows import Question

OWED = (CURRENT, READ, UNREAD, PROMISED)
ONE = "LEFT JOIN promised f ON f.case_id = o.procedure_id AND f.key = 'review:' || o.id"
ALL = "SELECT count(*) FROM owed"
#: Nobody can have been asked yet where the promise is younger than one look of the engine, or was put off.
RIPE = "f.opened_at <= %(ripe)s AND (f.snoozed_until IS NULL OR f.snoozed_until <= %(ripe)s)"

QUESTIONS = (
    Question(
        code="result.unpromised",
        given=OWED,
        looked=ALL,
        wrong=f"""
            SELECT 'result', o.id, o.level || ' ' || o.status || ', unread since ' || o.arrived_at
            FROM owed o {ONE} WHERE f.id IS NULL""",
    ),
    Question(
        code="result.promised_otherwise",
        given=OWED,
        looked=ALL,
        wrong=f"""
            SELECT 'result', o.id, 'promise ' || f.id || ' is ' || f.kind || ' ' || f.level
            FROM owed o {ONE}
            WHERE f.kind <> CASE WHEN o.again THEN 'reread_correction' ELSE 'review_result' END
               OR f.level <> o.weight""",
    ),
    Question(
        code="result.wrong_age",
        given=(*OWED, HOURS),
        looked=ALL,
        wrong=f"""
            SELECT 'result', o.id, 'due ' || f.due_at || ', arrived ' || o.arrived_at
            FROM owed o {ONE} JOIN procedures_procedure p ON p.id = o.procedure_id
            JOIN hours h ON h.version = p.protocol_version_id AND h.weight = o.weight
            WHERE f.start_at <> o.arrived_at OR f.due_at <> o.arrived_at + h.review * interval '1 hour'""",
    ),
    Question(
        code="result.readers_not_told",
        given=OWED,
        looked="SELECT count(*) FROM owed WHERE again",
        wrong=f"""
            SELECT DISTINCT 'result', o.id, 'reader ' || r.reviewer_id || ' is not named in promise ' || f.id
            FROM owed o {ONE}
            JOIN procedures_resultversion v ON v.test_id = o.test_id AND v.id <> o.id
            JOIN reading r ON r.version_id = v.id
            WHERE o.again AND f.id IS NOT NULL AND NOT f.about -> 'involved' @> to_jsonb(r.reviewer_id)""",
    ),
    Question(
        code="result.nobody_asked",
        given=OWED,
        looked="SELECT count(*) FROM owed WHERE weight <> 'normal'",
        wrong=f"""
            SELECT 'result', o.id, o.weight || ', arrived ' || o.arrived_at
            FROM owed o {ONE}
            WHERE o.arrived_at + (%(limits)s::jsonb -> o.weight ->> 'asked')::float * interval '1 minute' <= %(ripe)s
              AND {RIPE} AND o.weight <> 'normal'
              AND NOT EXISTS (SELECT 1 FROM followups_message m WHERE m.follow_up_id = f.id)""",
    ),
    Question(
        code="result.not_escalated",
        given=OWED,
        looked=ALL,
        wrong=f"""
            SELECT 'result', o.id, o.weight || ', arrived ' || o.arrived_at || ', the director does not have it'
            FROM owed o {ONE}
            WHERE o.arrived_at + (%(limits)s::jsonb -> o.weight ->> 'director')::float * interval '1 minute' <= %(ripe)s
              AND {RIPE} AND f.escalated_role <> 'director'""",
    ),
)
