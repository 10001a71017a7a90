"""What must be true for a promise of each kind to be open: the fact behind it, as SQL about the promise ``f``.

Written from docs/follow-ups.md ("opens when", "closes when"). ``p`` is the promise's case, empty for other subjects.
"""

from __future__ import annotations

from followups.checker.facts import TOLD

BOOKED = "p.status IN ('scheduled', 'arrived') AND p.stay IS NOT NULL"
ALIVE = "q.deceased_at IS NULL AND p.disposition <> 'died'"
#: Unanswered tiers of one asking since somebody spoke with the patient.
SIGN = """EXISTS (
    SELECT 1 FROM followups_symptomcheck c JOIN followups_symptomanswer a ON a.check_row_id = c.id
    WHERE c.id = (f.about ->> 'report')::bigint AND c.handled = '' AND a.tier = f.about ->> 'tier'
      AND coalesce(a.at, c.at) > coalesce((
        SELECT max(t.recorded_at) FROM followups_symptomtriage t
        WHERE t.check_row_id = c.id AND t.outcome IN ('called_911', 'emergency', 'seen', 'advised')), '-infinity'))"""
REBOOK = """EXISTS (
    SELECT 1 FROM followups_symptomcheck c JOIN followups_symptomanswer a ON a.check_row_id = c.id
    JOIN procedures_protocolversion v ON v.id = p.protocol_version_id
    WHERE c.procedure_id = p.id AND EXISTS (
        SELECT 1 FROM jsonb_array_elements(v.data -> 'symptom_questions') s, jsonb_array_elements(s -> 'answers') b
        WHERE s ->> 'code' = a.question AND b ->> 'code' = a.answer AND b ->> 'action' = 'rebook'))"""
#: The version that the promise names is the current one and nobody has read it.
UNREAD = "EXISTS (SELECT 1 FROM unread u WHERE u.id = (f.about ->> 'version')::bigint AND u.procedure_id = p.id AND {})"
OF_HOLD = "EXISTS (SELECT 1 FROM procedures_hold h WHERE h.id = (f.about ->> 'hold')::bigint AND h.procedure_id = p.id"
OF_VERSIONS = f"""NOT EXISTS (
    SELECT 1 FROM jsonb_array_elements_text(f.about -> 'versions') n
    WHERE n::bigint NOT IN (SELECT c.id FROM current_version c JOIN reading r ON r.version_id = c.id
                            WHERE r.tell <> 'not_this')
       OR EXISTS (SELECT 1 FROM followups_patientcontact k WHERE k.procedure_id = p.id
                  AND k.outcome IN {TOLD} AND k.told_versions @> ARRAY[n::bigint]))"""
NO_RESULT = f"""(
    p.status = 'cancelled' OR (p.status = 'completed' AND p.outcome IN ('no_fluid', 'not_attempted'))
    OR EXISTS (SELECT 1 FROM procedures_labtest t WHERE t.procedure_id = p.id
               AND ((t.status = 'cancelled' AND t.collected_at IS NOT NULL) OR t.recollect_decided_at IS NOT NULL)))
    AND NOT EXISTS (SELECT 1 FROM followups_patientcontact k WHERE k.procedure_id = p.id AND k.purpose = 'cancellation'
                    AND k.outcome IN {TOLD} AND k.at >= f.start_at)"""
PENDING = """(
    EXISTS (SELECT 1 FROM procedures_transfer t WHERE t.id = (f.about ->> 'transfer')::bigint AND t.answer = '')
    OR (f.about ->> 'transfer' IS NULL AND (
        p.disposition IN ('ward', 'admitted', 'emergency_department') OR q.discharged_at > p.started_at
        OR EXISTS (SELECT 1 FROM procedures_transfer t WHERE t.procedure_id = p.id AND t.answer = 'declined'))))
    AND NOT EXISTS (SELECT 1 FROM procedures_transfer t WHERE t.procedure_id = p.id AND t.answer = 'accepted'
                    AND t.offered_at >= f.start_at)"""
#: Somebody of the role is here, or covered by somebody who is.
HELD = """EXISTS (
    SELECT 1 FROM clinic_user u WHERE u.is_active AND u.roles @> ARRAY[(f.about ->> 'role')::varchar]
      AND NOT EXISTS (SELECT 1 FROM clinic_absence a WHERE a.user_id = u.id
                      AND a.starts_at <= %(now)s AND a.ends_at > %(now)s))"""

GROUNDS: dict[str, str] = {
    "book_request": "p.status = 'requested'",
    "checklist_not_done": BOOKED,
    "answers_expiring": f"""{BOOKED} AND EXISTS (
        SELECT 1 FROM procedures_checklist c JOIN procedures_answer a ON a.checklist_id = c.id
        WHERE c.procedure_id = p.id AND a.valid_until < lower(p.stay)
          AND NOT EXISTS (SELECT 1 FROM procedures_answer s WHERE s.supersedes_id = a.id))""",
    "clear_findings": f"""{BOOKED} AND EXISTS (
        SELECT 1 FROM procedures_safetyrun r, jsonb_array_elements(r.findings) x
        WHERE r.id = (SELECT max(n.id) FROM procedures_safetyrun n WHERE n.procedure_id = p.id)
          AND x ->> 'severity' IN ('stop', 'caution'))""",
    "sign_clearance": f"""{BOOKED} AND EXISTS (
        SELECT 1 FROM procedures_clearancedecision d
        WHERE d.id = (f.about ->> 'decision')::bigint AND d.procedure_id = p.id AND d.decision = 'proceed'
          AND NOT EXISTS (SELECT 1 FROM procedures_clearancesignature s WHERE s.decision_id = d.id))""",
    "rerun_safety": """p.status = 'scheduled' AND EXISTS (
        SELECT 1 FROM procedures_safetyrun r WHERE r.id = (f.about ->> 'run')::bigint AND r.procedure_id = p.id
          AND r.changed AND NOT EXISTS (SELECT 1 FROM procedures_findingsseen s WHERE s.run_id = r.id))""",
    "tell_last_dose": f"""{ALIVE} AND p.status NOT IN ('in_progress', 'completed') AND {OF_HOLD}
        AND h.restart = '' AND h.withdrawn_at IS NULL AND h.told_patient_at IS NULL
        AND h.planned_last_dose_at IS NOT NULL)""",
    "carry_out": "p.status IN ('scheduled', 'arrived', 'in_progress')",
    "rebook_no_show": "p.status = 'no_show'",
    "next_in_series": """EXISTS (
        SELECT 1 FROM procedures_series s JOIN procedures_patient w ON w.id = s.patient_id
        WHERE s.id = f.subject_id AND s.status = 'active' AND w.deceased_at IS NULL)""",
    "sign_record": """p.status = 'completed' AND p.outcome <> 'not_attempted' AND NOT EXISTS (
        SELECT 1 FROM procedures_procedurerecord r WHERE r.procedure_id = p.id AND r.signed_at IS NOT NULL)""",
    "checklist_after_emergency": """p.emergency_start AND p.started_at IS NOT NULL
        AND p.status NOT IN ('cancelled', 'entered_in_error')""",
    "countersign_start": """p.emergency_start AND p.started_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM procedures_countersignature c WHERE c.procedure_id = p.id AND c.start_at = p.started_at)""",
    "collect_tests": """p.status = 'completed' AND EXISTS (
        SELECT 1 FROM procedures_labtest t WHERE t.procedure_id = p.id AND t.status = 'ordered')""",
    "specimen_not_received": """EXISTS (
        SELECT 1 FROM procedures_specimen s WHERE s.id = (f.about ->> 'specimen')::bigint AND s.procedure_id = p.id
          AND s.received_at IS NULL AND s.loss = ''
          AND NOT EXISTS (SELECT 1 FROM current_version c WHERE c.specimen_id = s.id))""",
    "specimen_lost": """EXISTS (
        SELECT 1 FROM procedures_labtest t WHERE t.procedure_id = p.id AND t.status IN ('rejected', 'lost')
          AND coalesce(t.specimen_id, 0) = (f.about ->> 'specimen')::bigint)""",
    "awaited_result": """NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements_text(f.about -> 'tests') n WHERE NOT EXISTS (
            SELECT 1 FROM procedures_labtest t WHERE t.procedure_id = p.id AND t.code = n
              AND t.status IN ('collected', 'received', 'preliminary')))""",
    "match_result": """EXISTS (
        SELECT 1 FROM procedures_inbounditem i WHERE i.message_id = f.subject_id AND i.state = 'waiting')""",
    "unreadable_message": """EXISTS (
        SELECT 1 FROM procedures_inboundmessage m WHERE m.id = f.subject_id AND m.state = 'unreadable')""",
    "review_result": UNREAD.format("NOT u.again"),
    "reread_correction": UNREAD.format("u.again"),
    "result_taken_back": """EXISTS (
        SELECT 1 FROM procedures_takenback b JOIN procedures_resultversion v ON v.id = b.version_id
        JOIN procedures_labtest t ON t.id = v.test_id
        WHERE b.version_id = (f.about ->> 'version')::bigint AND t.procedure_id = p.id AND b.dealt_at IS NULL)""",
    "do_action": """EXISTS (
        SELECT 1 FROM followups_action a WHERE a.id = (f.about ->> 'action')::bigint AND a.procedure_id = p.id
          AND a.done_at IS NULL)""",
    "tell_patient": f"""{ALIVE} AND CASE WHEN f.key = 'tell:no_result' THEN {NO_RESULT} ELSE {OF_VERSIONS} END""",
    "unreachable_patient": f"""{ALIVE} AND (
        SELECT count(*) >= 3 AND count(DISTINCT k.channel) >= 2 FROM followups_patientcontact k
        WHERE k.procedure_id = p.id AND k.outcome NOT IN {TOLD} AND k.outcome <> 'call_wanted'
          AND k.at <= f.start_at)""",
    "symptom_check": "EXISTS (SELECT 1 FROM unasked n WHERE n.case_id = p.id AND f.key = 'symptoms:' || n.code)",
    "write_to_patient": """q.deceased_at IS NULL AND (q.consent_email OR q.consent_sms)
        AND p.status IN ('scheduled', 'completed') AND NOT EXISTS (
        SELECT 1 FROM followups_message m
        WHERE m.follow_up_id = f.id AND m.patient_id IS NOT NULL AND m.state = 'sent')""",
    "message_undelivered": """q.deceased_at IS NULL AND EXISTS (
        SELECT 1 FROM followups_message m JOIN followups_followup o ON o.id = m.follow_up_id
        WHERE o.procedure_id = p.id AND m.patient_id IS NOT NULL AND m.state IN ('failed', 'unknown')
          AND m.dealt_at IS NULL)""",
    "read_text": """EXISTS (
        SELECT 1 FROM followups_textmessage t WHERE t.id = f.subject_id AND t.read_at IS NULL
          AND t.meaning IN ('words', 'emergency', 'start'))""",
    "call_silent": "EXISTS (SELECT 1 FROM unasked n WHERE n.case_id = p.id AND n.code = f.about ->> 'check')",
    "danger_sign": f"q.deceased_at IS NULL AND {SIGN}",
    "read_words": """q.deceased_at IS NULL AND EXISTS (
        SELECT 1 FROM followups_symptomcheck c WHERE c.id = (f.about ->> 'report')::bigint AND c.words_at IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM followups_symptomtriage t
                          WHERE t.check_row_id = c.id AND t.recorded_at >= c.words_at))""",
    "book_again": f"q.deceased_at IS NULL AND {REBOOK}",
    "link_locked": """q.deceased_at IS NULL AND EXISTS (
        SELECT 1 FROM followups_patientlink l WHERE f.key = 'link_locked:' || l.id AND l.procedure_id = p.id
          AND l.locked_at IS NOT NULL AND l.withdrawn_at IS NULL)""",
    "restart_medicine": f"{ALIVE} AND {OF_HOLD} AND h.restart = '' AND h.withdrawn_at IS NULL)",
    "later_tests": f"""{ALIVE} AND p.status = 'completed' AND p.outcome IN ('done', 'partial') AND NOT EXISTS (
        SELECT 1 FROM procedures_laterdecision d WHERE d.procedure_id = p.id AND d.code = f.about ->> 'item')""",
    "accept_transfer": f"{ALIVE} AND p.status <> 'entered_in_error' AND {PENDING}",
    "plan_failed": """CASE f.subject_kind
        WHEN 'procedure' THEN p.planned_version < p.facts_version
        WHEN 'series' THEN (SELECT planned_version < facts_version FROM procedures_series s WHERE s.id = f.subject_id)
        ELSE (SELECT planned_version < facts_version FROM procedures_inboundmessage m WHERE m.id = f.subject_id) END""",
    "delivery_failed": """EXISTS (
        SELECT 1 FROM followups_message m WHERE m.recipient_id = f.subject_id AND m.channel = f.about ->> 'channel'
          AND m.state = 'failed' AND m.dealt_at IS NULL)""",
    "empty_role": f"NOT {HELD}",
}
