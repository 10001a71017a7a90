"""For every complaint the smallest disturbance of the stored rows that must provoke it, as SQL past all triggers."""

from __future__ import annotations

CLOSED = "closed_at = '2026-11-20 13:00+00', closed_because = 'kept', next_action_at = NULL"
OPEN = "closed_at IS NULL AND kind ="
PROMISES, MESSAGES = "followups_followup", "followups_message"
REVIEW = f"{OPEN} 'review_result'"
TO_STAFF = "recipient_id IS NOT NULL AND follow_up_id IS NOT NULL AND state = 'sent'"
FIRST = f"(SELECT * FROM {MESSAGES} WHERE {TO_STAFF} ORDER BY id LIMIT 1)"
LAST = f"(SELECT max(id) FROM {MESSAGES} WHERE {TO_STAFF})"
OF_REVIEW = f"(SELECT id FROM {PROMISES} WHERE {REVIEW})"


def _close(kind: str) -> str:
    return f"UPDATE {PROMISES} SET {CLOSED} WHERE {OPEN} '{kind}'"


def _promise(change: str, where: str = REVIEW) -> str:
    return f"UPDATE {PROMISES} SET {change} WHERE {where}"


def _unsay(action: str) -> str:
    return f"DELETE FROM clinic_auditentry WHERE action = '{action}'"


def _unsay_about(subject: str) -> str:
    return f"DELETE FROM clinic_auditentry WHERE subject_type = '{subject}'"


DISTURBED: dict[str, str] = {
    # --- results
    "result.unpromised": _close("review_result"),
    "result.promised_otherwise": _promise("level = 'normal'"),
    "result.wrong_age": _promise("due_at = due_at + interval '1 day'"),
    "result.readers_not_told": _promise("about = about || '{\"involved\": []}'", f"{OPEN} 'reread_correction'"),
    "result.nobody_asked": f"DELETE FROM {MESSAGES} WHERE follow_up_id IN {OF_REVIEW}",
    "result.not_escalated": _promise("escalated_role = ''"),
    "result.test_state_wrong": "UPDATE procedures_labtest SET status = 'collected' WHERE status = 'final'",
    # --- promises
    "promise.unknown_kind": _promise("kind = 'something_new'", f"{OPEN} 'book_request'"),
    "promise.without_fact": "UPDATE procedures_hold SET withdrawn_at = now(), withdrawn_reason = 'x'",
    "promise.nobodys": "UPDATE clinic_user SET is_active = false",
    "promise.without_owner": "UPDATE clinic_user SET is_active = false WHERE 'nurse' = ANY(roles)",
    "promise.twice": _promise(
        f"kind = 'review_result', about = (SELECT about FROM {PROMISES} WHERE {REVIEW} LIMIT 1)",
        f"{OPEN} 'book_request'",
    ),
    "fact.unpromised": _close("restart_medicine"),
    # --- ladders
    "ladder.none": _promise("kind = 'something_new'", f"{OPEN} 'book_request'"),
    "ladder.late": _promise("rung = 0"),
    "ladder.early": _promise("rung = 4", f"{OPEN} 'symptom_check' AND key LIKE '%day_7'"),
    "ladder.repeat_stands": _promise("repeat = 0"),
    "ladder.wrong_time": _promise("next_action_at = next_action_at + interval '1 hour'"),
    "ladder.not_moved": _promise("escalated_role = ''"),
    "ladder.silent": f"DELETE FROM {MESSAGES} WHERE follow_up_id IN {OF_REVIEW}",
    # --- messages
    "message.key_wrong": f"UPDATE {MESSAGES} SET key = key || ':2' WHERE id = {LAST}",
    "message.said_twice": f"""UPDATE {MESSAGES} m SET follow_up_id = a.follow_up_id, recipient_id = a.recipient_id,
        channel = a.channel, key = a.key || ':2' FROM {FIRST} a WHERE m.id = {LAST}""",
    "message.digest_twice": f"""UPDATE {MESSAGES} m SET kind = 'digest', follow_up_id = NULL, channel = 'email',
        recipient_id = a.recipient_id, key = 'digest:2026-11-19:' || m.id
        FROM {FIRST} a WHERE m.id IN (a.id, {LAST})""",
    "message.settled_twice": """INSERT INTO followups_deliveryattempt
        (message_id, number, claim_token, started_at, ended_at, outcome, detail)
        SELECT message_id, 99, claim_token, started_at, ended_at, 'sent', '' FROM followups_deliveryattempt
        WHERE outcome = 'sent' LIMIT 1""",
    "message.not_noted": f"DELETE FROM followups_deliveryattempt WHERE message_id = {LAST}",
    "message.patient_again": """INSERT INTO followups_deliveryattempt
        (message_id, number, claim_token, started_at, ended_at, outcome, detail)
        SELECT message_id, 99, claim_token, started_at, ended_at, 'sent', '' FROM followups_deliveryattempt
        WHERE outcome = 'lost'""",
    "message.after_closing": _promise(f"{CLOSED}, opened_at = opened_at").replace("11-20 13", "11-17 01"),
    "message.of_a_step_not_taken": _promise("rung = 0"),
    "message.not_sent": f"UPDATE {MESSAGES} SET state = 'queued', not_before = '2026-11-18' WHERE id = {LAST}",
    "message.to_absent": """UPDATE clinic_absence SET starts_at = '2026-11-16',
        user_id = (SELECT id FROM clinic_user WHERE username = 'nora')""",
    # --- criticals
    "critical.not_listed": _promise("role = 'nurse'"),
    "critical.director_not_asked": f"""DELETE FROM {MESSAGES} WHERE recipient_id =
        (SELECT id FROM clinic_user WHERE username = 'dora')""",
    "critical.never_promised": f"DELETE FROM {PROMISES} WHERE {REVIEW}",
    "critical.not_climbed": "UPDATE procedures_resultversion SET read_back = '{}'; " + _promise("rung = 0"),
    # --- cases
    "case.without_promise": _close("book_request"),
    "case.closed_before_its_end": "UPDATE procedures_procedure SET closed_at = now() WHERE status = 'requested'",
    "case.not_planned": "UPDATE procedures_procedure SET planned_version = 0",
    "case.closed_in_the_future": "UPDATE procedures_procedure SET closed_at = '2031-01-01' WHERE closed_at IS NOT NULL",
    "case.closed_too_early": """DELETE FROM followups_patientcontact
        WHERE procedure_id IN (SELECT id FROM procedures_procedure WHERE closed_at IS NOT NULL)""",
    "series.not_planned": """INSERT INTO procedures_series (code, patient_id, protocol_id, indication, variant,
        location, responsible_id, note, interval_days, at, status, started_at, ended_because, end_reason, facts_version,
        planned_version)
        SELECT 'SERIES', p.patient_id, v.protocol_id, p.indication, p.variant, p.location, p.responsible_id, '', 14,
        '09:00', 'active', p.requested_at, '', '', 2, 1
        FROM procedures_procedure p JOIN procedures_protocolversion v ON v.id = p.protocol_version_id LIMIT 1""",
    # --- what laboratories sent
    "inbound.unread": "UPDATE procedures_inboundmessage SET state = 'stored'",
    "inbound.nothing_became_of_it": "DELETE FROM procedures_inbounditem",
    "inbound.state_wrong": "UPDATE procedures_inboundmessage SET state = 'done' WHERE state = 'waiting'",
    "inbound.nobodys": _close("match_result"),
    "inbound.not_planned": "UPDATE procedures_inboundmessage SET planned_version = 0",
    "inbound.item_misplaced": """UPDATE procedures_inbounditem SET test_id = (SELECT min(id) FROM procedures_labtest)
        WHERE state = 'applied'""",
    "inbound.item_undecided": """UPDATE procedures_inbounditem SET state = 'rejected', decision_reason = 'x'
        WHERE state = 'waiting'""",
    "inbound.from_nowhere": "DELETE FROM procedures_inbounditem WHERE state = 'applied'",
    "inbound.applied_twice": """INSERT INTO procedures_resultversion (test_id, number, status, "values", text,
        calculated, level, rules, phoned_critical, read_back, reported_at, arrived_at, change_reason, laboratory_said)
        SELECT test_id, number + 1, status, "values", text, calculated, level, rules, phoned_critical, read_back,
        reported_at, arrived_at, change_reason, laboratory_said
        FROM procedures_resultversion WHERE entered_by_id IS NULL AND status = 'final' LIMIT 1""",
    "inbound.value_lost": """UPDATE procedures_resultversion SET "values" = "values" - 'white_cells'
        WHERE entered_by_id IS NULL AND number = 3""",
    # --- the trail
    "trail.case_state": _unsay("procedure.completed"),
    "trail.test_state": _unsay("test.final"),
    "trail.review": _unsay("result.reviewed"),
    "trail.message": _unsay("message.sent"),
    "trail.result": _unsay("result.arrived"),
    "trail.contact": _unsay("patient.contacted"),
    "trail.record": _unsay_about("procedures.procedurerecord"),
    "trail.hold": _unsay_about("procedures.hold"),
    "trail.inbound": _unsay_about("procedures.inboundmessage"),
    "trail.escalation": _unsay("promise.escalated"),
    "trail.action": """INSERT INTO followups_action (review_id, procedure_id, what, plan, responsible_id, created_at,
        due_at, done_at, done_by_id, done_note, not_done)
        SELECT id, procedure_id, 'x', 'treat', reviewer_id, at, at, at, reviewer_id, 'x', false
        FROM followups_review LIMIT 1""",
    "trail.transfer": """INSERT INTO procedures_transfer (procedure_id, why, note, pending, offered_at, offered_by_id,
        to_user_id, to_name, to_place, to_phone, take_over, answer, how, accepted_name, read_back, answer_reason)
        SELECT procedure_id, 'ward', '', '[1]', at, reviewer_id, reviewer_id, '', '', '', false, '', '', '', false, ''
        FROM followups_review LIMIT 1""",
    "trail.nobody": "UPDATE clinic_auditentry SET actor_id = 99999 WHERE action = 'result.reviewed'",
    "trail.gap": """INSERT INTO clinic_auditseal (day, first_id, last_id, count, previous, digest, marks, sealed_at)
        SELECT '2026-11-16', min(id), max(id), count(*) + 1, '', '', '', now() FROM clinic_auditentry""",
}
