"""Every message of a laboratory that was acknowledged is applied exactly once, or owned in a queue."""

from __future__ import annotations

from collections.abc import Iterable

from followups.checker.params import At
from followups.checker.report import Complaint, Report
from followups.checker.rows import Question, ask, put

MESSAGES = "SELECT count(*) FROM procedures_inboundmessage"
ITEMS = "SELECT count(*) FROM procedures_inbounditem"
APPLIED = f"{ITEMS} WHERE state = 'applied'"
VERSIONS = "SELECT count(*) FROM procedures_resultversion"
ITS_PROMISE = """EXISTS (SELECT 1 FROM followups_followup f WHERE f.closed_at IS NULL AND f.subject_kind = 'message'
    AND f.subject_id = m.id AND f.kind = '{}')"""
WAITS = "EXISTS (SELECT 1 FROM procedures_inbounditem i WHERE i.message_id = m.id AND i.state = 'waiting')"

#: Values in words: an organism belongs to the growth that it was said of, and goes with it.
WORDS = """
words AS (
    SELECT t.id AS test, c ->> 'code' AS code
    FROM procedures_labtest t
    JOIN procedures_procedure p ON p.id = t.procedure_id
    JOIN procedures_protocolversion v ON v.id = p.protocol_version_id
    CROSS JOIN jsonb_array_elements(v.data -> 'tests') d
    CROSS JOIN jsonb_array_elements(d -> 'components') c
    WHERE d ->> 'code' = t.code AND c ->> 'kind' = 'text'
      AND EXISTS (SELECT 1 FROM procedures_resultversion r WHERE r.test_id = t.id AND r.number > 1)
)"""


def _message(code: str, wrong: str, words: str = "m.state") -> Question:
    sql = f"SELECT 'message', m.id, {words} FROM procedures_inboundmessage m WHERE {wrong}"
    return Question(code=code, looked=MESSAGES, wrong=sql)


QUESTIONS = (
    _message("inbound.unread", "m.state = 'stored' AND m.received_at + %(read_within)s <= %(ripe)s"),
    _message(
        "inbound.nothing_became_of_it",
        """m.state IN ('done', 'waiting') AND m.closed_by_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM procedures_inbounditem i WHERE i.message_id = m.id)""",
    ),
    _message("inbound.state_wrong", f"m.state IN ('done', 'waiting') AND (m.state = 'waiting') <> ({WAITS})"),
    _message(
        "inbound.nobodys",
        f"""(m.state = 'waiting' AND NOT {ITS_PROMISE.format("match_result")})
         OR (m.state = 'unreadable' AND NOT {ITS_PROMISE.format("unreadable_message")})""",
    ),
    _message("inbound.not_planned", "m.planned_version <> m.facts_version"),
    Question(
        code="inbound.item_misplaced",
        looked=APPLIED,
        wrong="""
            SELECT 'item', i.id, 'applied, but not to a version of a test of its case'
            FROM procedures_inbounditem i
            LEFT JOIN procedures_resultversion v ON v.id = i.version_id
            LEFT JOIN procedures_labtest t ON t.id = i.test_id
            LEFT JOIN procedures_procedure p ON p.id = i.procedure_id
            WHERE i.state = 'applied' AND (
                t.procedure_id IS DISTINCT FROM p.id OR p.patient_id IS DISTINCT FROM i.patient_id
                OR (v.id IS NOT NULL AND v.test_id <> t.id)
                OR (v.id IS NULL AND NOT EXISTS (
                    SELECT 1 FROM clinic_auditentry e
                    WHERE e.subject_type = 'procedures.labtest' AND e.subject_id = t.id
                      AND e.data ->> 'to' IN ('rejected', 'lost', 'cancelled'))))""",
    ),
    Question(
        code="inbound.item_undecided",
        looked=f"{ITEMS} WHERE state = 'rejected'",
        wrong="""
            SELECT 'item', i.id, 'rejected by nobody' FROM procedures_inbounditem i
            WHERE i.state = 'rejected' AND (i.decided_by_id IS NULL OR i.decision_reason = '')""",
    ),
    Question(
        code="inbound.from_nowhere",
        looked=VERSIONS,
        wrong="""
            SELECT 'result', v.id, v.status || ': neither a person nor a message has brought it'
            FROM procedures_resultversion v
            WHERE v.entered_by_id IS NULL AND v.status <> 'withdrawn'
              AND NOT EXISTS (SELECT 1 FROM procedures_inbounditem i WHERE i.version_id = v.id)
              AND NOT EXISTS (SELECT 1 FROM procedures_resultversion n WHERE n.test_id = v.test_id
                              AND n.status = 'withdrawn' AND (n.number > v.number OR n.number = v.number - 1))""",
    ),
    Question(
        code="inbound.applied_twice",
        looked=VERSIONS,
        wrong="""
            SELECT 'result', n.id, 'says once more what version ' || n.before || ' of its test says'
            FROM (SELECT v.id, v.status, v.values, v.text, v.reported_at, v.entered_by_id,
                    lag(v.number) OVER w AS before, lag(v.status) OVER w AS s, lag(v.values) OVER w AS vs,
                    lag(v.text) OVER w AS t, lag(v.reported_at) OVER w AS r
                  FROM procedures_resultversion v WINDOW w AS (PARTITION BY v.test_id ORDER BY v.number)) n
            WHERE n.entered_by_id IS NULL AND n.status <> 'withdrawn'
              AND (n.s, n.vs, n.t, n.r) = (n.status, n.values, n.text, n.reported_at)""",
    ),
    Question(
        code="inbound.value_lost",
        given=(WORDS,),
        looked=f"{VERSIONS} WHERE entered_by_id IS NULL AND status <> 'withdrawn' AND number > 1",
        wrong="""
            SELECT 'result', n.id, 'lacks ' || k || ', which stood before it'
            FROM (SELECT v.*, lag(v.values) OVER w AS before, lag(v.status) OVER w AS was,
                    lag(v.reported_at) OVER w AS reported
                  FROM procedures_resultversion v WINDOW w AS (PARTITION BY v.test_id ORDER BY v.number)) n,
                jsonb_object_keys(n.before) k
            WHERE n.entered_by_id IS NULL AND n.status <> 'withdrawn' AND n.was <> 'withdrawn'
              AND NOT n.values ? k AND n.reported_at >= n.reported
              AND (n.before -> k) ? 'value' AND n.before -> k ->> 'value' IS NOT NULL
              AND array_position(ARRAY['preliminary', 'final', 'corrected'], n.status::text)
                  >= array_position(ARRAY['preliminary', 'final', 'corrected'], n.was::text)
              AND NOT (EXISTS (SELECT 1 FROM words w WHERE (w.test, w.code) = (n.test_id, k)) AND EXISTS (
                  SELECT 1 FROM jsonb_object_keys(n.values) o WHERE n.before ? o
                    AND NOT EXISTS (SELECT 1 FROM words w WHERE (w.test, w.code) = (n.test_id, o))
                    AND n.before -> o ->> 'value' IS DISTINCT FROM n.values -> o ->> 'value'))""",
    ),
    Question(
        code="result.test_state_wrong",
        looked="SELECT count(*) FROM procedures_labtest",
        wrong="""
            SELECT 'test', t.id, t.status || ', and its newest report is ' || v.status
            FROM procedures_labtest t JOIN LATERAL (
                SELECT status FROM procedures_resultversion v WHERE v.test_id = t.id
                ORDER BY v.number DESC LIMIT 1) v ON true
            WHERE t.status IN ('ordered', 'collected', 'rejected', 'lost') AND v.status IN ('final', 'corrected')
              AND NOT EXISTS (SELECT 1 FROM procedures_resultversion w
                              WHERE w.test_id = t.id AND w.status = 'withdrawn')
              AND coalesce(t.collected_at, '-infinity') <= (
                SELECT max(arrived_at) FROM procedures_resultversion a WHERE a.test_id = t.id)""",
    ),
)


def look(report: Report, at: At, acknowledged: Iterable[str] | None) -> None:
    """``acknowledged``: digests of what a sender was told that we have."""
    put(report, QUESTIONS, at.params())
    if acknowledged is None:
        return
    digests = set(acknowledged)
    here = {str(digest) for (digest,) in ask("SELECT digest FROM procedures_inboundmessage")}
    lost = [Complaint("inbound.lost", "digest", digest[:12], "acknowledged, and not here") for digest in digests - here]
    report.asked("inbound.lost", len(digests), lost)
