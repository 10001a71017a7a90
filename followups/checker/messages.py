"""Nobody is told twice the same thing but in the documented window, nobody who is away is asked, nothing is said late.

The window (docs/adr): a worker may die, or a line may break, between the provider's yes and our note of it. A reminder
to staff then goes out again under its key; a message to a patient never does without a person's decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from followups.checker.params import At
from followups.checker.report import Complaint, Delivered, Report
from followups.checker.rows import Question, ask, put

MESSAGES = "SELECT count(*) FROM followups_message"
AGAIN = """(SELECT count(*) FROM clinic_auditentry e WHERE e.subject_type = 'followups.message' AND e.subject_id = m.id
    AND e.action = 'message.sent_again')"""
#: An attempt after which nobody knew; not one that there was no time for.
WINDOW = "(a.outcome = 'unknown' OR (a.outcome = 'lost' AND a.detail <> ''))"

QUESTIONS = (
    Question(
        code="message.key_wrong",
        looked=f"{MESSAGES} WHERE follow_up_id IS NOT NULL",
        wrong="""
            SELECT 'message', m.id, 'its key names another promise, recipient or channel'
            FROM followups_message m
            WHERE m.follow_up_id IS NOT NULL AND (
                split_part(m.key, ':', 1) <> m.follow_up_id::text
                OR split_part(m.key, ':', 5) <> coalesce(m.recipient_id::text, 'p')
                OR split_part(m.key, ':', 6) <> m.channel OR split_part(m.key, ':', 7) <> '')""",
    ),
    Question(
        code="message.said_twice",
        looked=f"{MESSAGES} WHERE state IN ('sent', 'sending', 'queued')",
        wrong="""
            SELECT 'message', max(m.id), count(*) || ' of one step of promise ' || m.follow_up_id
            FROM followups_message m
            WHERE m.follow_up_id IS NOT NULL AND m.state IN ('sent', 'sending', 'queued')
            GROUP BY m.follow_up_id, split_part(m.key, ':', 2), split_part(m.key, ':', 3), split_part(m.key, ':', 4),
                m.recipient_id, m.patient_id, m.channel
            HAVING count(*) > 1""",
    ),
    Question(
        code="message.digest_twice",
        looked=f"{MESSAGES} WHERE kind = 'digest'",
        wrong="""
            SELECT 'message', max(m.id), count(*) || ' digests for one morning'
            FROM followups_message m WHERE m.kind = 'digest'
            GROUP BY m.recipient_id, m.channel, split_part(m.key, ':', 2) HAVING count(*) > 1""",
    ),
    Question(
        code="message.settled_twice",
        looked="SELECT count(*) FROM followups_deliveryattempt WHERE outcome = 'sent'",
        wrong=f"""
            SELECT 'message', m.id, n.sent || ' attempts were taken by the provider'
            FROM (SELECT message_id, count(*) AS sent FROM followups_deliveryattempt a
                  WHERE a.outcome = 'sent' GROUP BY message_id HAVING count(*) > 1) n
            JOIN followups_message m ON m.id = n.message_id WHERE n.sent > 1 + {AGAIN}""",
    ),
    Question(
        code="message.not_noted",
        looked=f"{MESSAGES} WHERE state = 'sent'",
        wrong="""
            SELECT 'message', m.id, 'sent, and no attempt of it can have been'
            FROM followups_message m WHERE m.state = 'sent' AND NOT EXISTS (
                SELECT 1 FROM followups_deliveryattempt a WHERE a.message_id = m.id
                  AND a.outcome IN ('sent', 'unknown', 'lost'))""",
    ),
    Question(
        code="message.patient_again",
        looked=f"{MESSAGES} WHERE patient_id IS NOT NULL",
        wrong=f"""
            SELECT DISTINCT 'message', m.id, 'tried again after an attempt of unknown fate, and nobody decided so'
            FROM followups_message m
            JOIN followups_deliveryattempt a ON a.message_id = m.id AND {WINDOW}
            WHERE m.patient_id IS NOT NULL AND {AGAIN} = 0 AND (m.state = 'queued' OR EXISTS (
                SELECT 1 FROM followups_deliveryattempt b WHERE b.message_id = m.id AND b.number > a.number))""",
    ),
    Question(
        code="message.after_closing",
        looked=f"{MESSAGES} WHERE state = 'sent' AND follow_up_id IS NOT NULL",
        wrong="""
            SELECT 'message', m.id, 'sent ' || e.at || ', its promise was closed before'
            FROM followups_message m JOIN followups_followup f ON f.id = m.follow_up_id
            JOIN clinic_auditentry e ON e.subject_type = 'followups.message' AND e.subject_id = m.id
                AND e.action = 'message.sent' AND e.via = 'engine'
            WHERE (f.closed_at IS NOT NULL AND e.at > f.closed_at + %(window)s)
               OR (m.created_at < f.opened_at AND e.at > f.opened_at + %(window)s
                   AND split_part(m.key, ':', 2)::int < f.generation)""",
    ),
    Question(
        code="message.of_a_step_not_taken",
        looked=f"{MESSAGES} WHERE follow_up_id IS NOT NULL",
        wrong="""
            SELECT 'message', m.id, 'names generation ' || split_part(m.key, ':', 2) || ' of promise ' || f.id
            FROM followups_message m JOIN followups_followup f ON f.id = m.follow_up_id
            WHERE split_part(m.key, ':', 2)::int > f.generation
               OR (split_part(m.key, ':', 2)::int = f.generation AND split_part(m.key, ':', 3) ~ '^[0-9]+$'
                   AND (split_part(m.key, ':', 3)::int > f.rung OR split_part(m.key, ':', 4)::int > f.repeat
                        OR (split_part(m.key, ':', 3)::int = f.rung AND split_part(m.key, ':', 4) = '0')))""",
    ),
    Question(
        code="message.not_sent",
        looked=f"{MESSAGES} WHERE state = 'queued'",
        wrong="""
            SELECT 'message', m.id, m.channel || ', could leave since ' || m.not_before
            FROM followups_message m
            WHERE m.state = 'queued' AND m.not_before + %(queued)s <= %(ripe)s""",
    ),
    Question(
        code="message.to_absent",
        looked=f"{MESSAGES} WHERE recipient_id IS NOT NULL",
        wrong="""
            WITH away AS (
                SELECT a.user_id, a.starts_at, a.ends_at, coalesce((
                    SELECT max(e.at) FROM clinic_auditentry e
                    WHERE e.subject_type = 'clinic.absence' AND e.subject_id = a.id
                      AND e.action IN ('absence.added', 'absence.changed')), a.starts_at) AS known
                FROM clinic_absence a
            )
            SELECT DISTINCT 'message', m.id, 'to ' || m.recipient_id || ', who was away'
            FROM followups_message m JOIN away w ON w.user_id = m.recipient_id
                AND m.created_at >= greatest(w.starts_at, w.known) + %(late)s AND m.created_at < w.ends_at
            WHERE EXISTS (
                SELECT 1 FROM clinic_user u
                WHERE u.is_active AND u.roles && ARRAY['director', 'administrator']::varchar[]
                  AND NOT EXISTS (SELECT 1 FROM away v WHERE v.user_id = u.id
                                  AND v.starts_at <= m.created_at AND v.ends_at > m.created_at))""",
    ),
)


def look(report: Report, at: At, delivered: Iterable[Delivered] | None) -> None:
    """``delivered``: what providers accepted, where the caller knows it."""
    put(report, QUESTIONS, at.params())
    if delivered is not None:
        _accepted(report, Counter(one.key for one in delivered))


def _accepted(report: Report, accepted: Counter[str]) -> None:
    """What was accepted against what we know of it."""
    rows = {key: row for key, *row in ask(KNOWN)}
    found: list[Complaint] = []
    doubled = 0
    for key, times in accepted.items():
        if key not in rows:
            found.append(Complaint("delivery.not_ours", "message", key, "accepted, and not in the outbox"))
            continue
        pk, _state, window, again, to_patient = rows[key]
        allowed = 1 + again + (0 if to_patient else window)
        if times > allowed:
            words = f"accepted {times} times, {allowed} can be explained"
            found.append(Complaint("delivery.told_twice", "message", pk, words))
        elif times > 1 + again:
            doubled += times - 1 - again
    for key, (pk, state, *_rest) in rows.items():
        if state == "sent" and key not in accepted:
            found.append(Complaint("delivery.never_accepted", "message", pk, "counts as sent, no provider has it"))
    for code in ("delivery.not_ours", "delivery.told_twice"):
        report.asked(code, len(accepted), [complaint for complaint in found if complaint.code == code])
    sent = sum(state == "sent" for _, state, *_rest in rows.values())
    late = [complaint for complaint in found if complaint.code == "delivery.never_accepted"]
    report.asked("delivery.never_accepted", sent, late)
    report.figures["doubled inside the crash window"] = doubled
    report.figures["messages accepted"] = sum(accepted.values())


KNOWN = f"""
    SELECT m.key, m.id, m.state,
        (SELECT count(*) FROM followups_deliveryattempt a WHERE a.message_id = m.id AND {WINDOW}),
        {AGAIN}, m.patient_id IS NOT NULL
    FROM followups_message m"""
