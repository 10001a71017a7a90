"""A case is closed only when nothing is left of it; until then what is left is promised, by its own kind of promise.

What can be left is listed here from the facts alone. The same list is asked of both: a closed case has none of it, an
open one has the promise for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from followups.checker.facts import CURRENT, LIVES, PROMISED, READ, TOLD, UNREAD
from followups.checker.report import Complaint, Report
from followups.checker.rows import Question, ask, count, put, with_


@dataclass(frozen=True)
class Left:
    """``rows``: case and what of it, as the text after ``key``; the promise's key begins with both."""

    what: str
    kinds: tuple[str, ...]
    rows: str
    key: str = ""


def _status(what: str, kind: str, status: str) -> Left:
    rows = f"SELECT id AS case_id, '' AS part FROM procedures_procedure WHERE status IN ({status})"
    return Left(what, (kind,), rows)


LEFT = (
    _status("not_booked", "book_request", "'requested'"),
    _status("not_carried_out", "carry_out", "'scheduled', 'arrived', 'in_progress'"),
    _status("no_show", "rebook_no_show", "'no_show'"),
    Left(
        "record_not_signed",
        ("sign_record",),
        """SELECT p.id AS case_id, '' AS part FROM procedures_procedure p
           WHERE p.status = 'completed' AND p.outcome <> 'not_attempted' AND NOT EXISTS (
               SELECT 1 FROM procedures_procedurerecord r WHERE r.procedure_id = p.id AND r.signed_at IS NOT NULL)""",
    ),
    Left(
        "start_not_countersigned",
        ("countersign_start",),
        """SELECT p.id AS case_id, '' AS part FROM procedures_procedure p
           WHERE p.emergency_start AND p.started_at IS NOT NULL AND p.status <> 'entered_in_error' AND NOT EXISTS (
               SELECT 1 FROM procedures_countersignature c
               WHERE c.procedure_id = p.id AND c.start_at = p.started_at)""",
    ),
    Left(
        "test_not_collected",
        ("collect_tests", "later_tests"),
        """SELECT DISTINCT p.id AS case_id, '' AS part FROM procedures_procedure p
           JOIN procedures_labtest t ON t.procedure_id = p.id WHERE p.status = 'completed' AND t.status = 'ordered'""",
    ),
    Left(
        "specimen_not_received",
        ("specimen_not_received",),
        """SELECT s.procedure_id AS case_id, s.id::text AS part FROM procedures_specimen s
           WHERE s.received_at IS NULL AND s.loss = ''
             AND EXISTS (SELECT 1 FROM procedures_labtest t WHERE t.specimen_id = s.id
                         AND t.status IN ('collected', 'received', 'preliminary'))
             AND NOT EXISTS (SELECT 1 FROM current_version c WHERE c.specimen_id = s.id)""",
        "received:",
    ),
    Left(
        "specimen_lost",
        ("specimen_lost",),
        """SELECT t.procedure_id AS case_id, coalesce(t.specimen_id, 0)::text AS part FROM procedures_labtest t
           WHERE t.status IN ('rejected', 'lost')""",
        "lost:",
    ),
    Left(
        "result_awaited",
        ("awaited_result",),
        """SELECT t.procedure_id AS case_id, coalesce(t.specimen_id, 0) || ':' AS part FROM procedures_labtest t
           WHERE t.status IN ('collected', 'received', 'preliminary')""",
        "awaited:",
    ),
    Left(
        "result_unread",
        ("review_result", "reread_correction"),
        "SELECT procedure_id AS case_id, id::text AS part FROM unread",
        "review:",
    ),
    Left(
        "result_taken_back",
        ("result_taken_back",),
        f"""SELECT t.procedure_id AS case_id, b.version_id::text AS part FROM procedures_takenback b
           JOIN procedures_resultversion v ON v.id = b.version_id JOIN procedures_labtest t ON t.id = v.test_id
           WHERE b.dealt_at IS NULL AND (b.why = 'wrong_patient' OR EXISTS (
               SELECT 1 FROM procedures_resultversion o JOIN reading r ON r.version_id = o.id
               WHERE o.test_id = v.test_id AND o.number < v.number)
            OR EXISTS (SELECT 1 FROM procedures_resultversion o JOIN followups_patientcontact k
                       ON k.told_versions @> ARRAY[o.id] AND k.outcome IN {TOLD} AND k.by_id IS NOT NULL
                       AND k.procedure_id = t.procedure_id
                       WHERE o.test_id = v.test_id AND o.number < v.number))""",
        "taken_back:",
    ),
    Left(
        "action_not_done",
        ("do_action",),
        "SELECT procedure_id AS case_id, id::text AS part FROM followups_action WHERE done_at IS NULL",
        "action:",
    ),
    Left(
        "medicine_not_decided",
        ("restart_medicine",),
        """SELECT h.procedure_id AS case_id, h.id::text AS part FROM procedures_hold h
           JOIN lives p ON p.id = h.procedure_id WHERE h.restart = '' AND h.withdrawn_at IS NULL""",
        "restart:",
    ),
    Left(
        "symptoms_not_asked",
        ("symptom_check",),
        "SELECT case_id, code AS part FROM unasked",
        "symptoms:",
    ),
    Left(
        "sign_not_answered",
        ("danger_sign",),
        """SELECT DISTINCT c.procedure_id AS case_id, c.id::text AS part FROM followups_symptomcheck c
           JOIN followups_symptomanswer a ON a.check_row_id = c.id
           JOIN procedures_procedure p ON p.id = c.procedure_id JOIN procedures_patient q ON q.id = p.patient_id
           WHERE q.deceased_at IS NULL AND c.handled = '' AND a.tier IN ('A', 'B', 'C')
             AND coalesce(a.at, c.at) > coalesce((
                SELECT max(t.recorded_at) FROM followups_symptomtriage t
                WHERE t.check_row_id = c.id
                  AND t.outcome IN ('called_911', 'emergency', 'seen', 'advised')), '-infinity')""",
        "sign:",
    ),
    Left(
        "words_unread",
        ("read_words", "danger_sign"),
        """SELECT c.procedure_id AS case_id, '' AS part FROM followups_symptomcheck c
           JOIN procedures_procedure p ON p.id = c.procedure_id JOIN procedures_patient q ON q.id = p.patient_id
           WHERE q.deceased_at IS NULL AND c.words_at IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM followups_symptomtriage t WHERE t.check_row_id = c.id AND t.recorded_at >= c.words_at)""",
    ),
    Left(
        "patient_not_told",
        ("tell_patient",),
        f"""SELECT DISTINCT c.procedure_id AS case_id, '' AS part FROM current_version c
           JOIN reading r ON r.version_id = c.id JOIN lives p ON p.id = c.procedure_id
           WHERE r.tell <> 'not_this' AND (c.status <> 'preliminary' OR r.tell = 'now' OR r.interpretation <> 'normal')
             AND NOT EXISTS (SELECT 1 FROM followups_patientcontact k WHERE k.procedure_id = c.procedure_id
                             AND k.outcome IN {TOLD} AND k.told_versions @> ARRAY[c.id])
             AND NOT EXISTS (SELECT 1 FROM followups_patientcontact k WHERE k.procedure_id = c.procedure_id
                             AND k.purpose = 'results' AND k.outcome = 'letter_sent' AND k.at >= r.at)""",
    ),
    Left(
        "cancellation_not_told",
        ("tell_patient",),
        f"""SELECT p.id AS case_id, '' AS part FROM lives p
           WHERE p.status = 'cancelled' AND NOT EXISTS (
               SELECT 1 FROM followups_patientcontact k WHERE k.procedure_id = p.id AND k.purpose = 'cancellation'
                 AND (k.outcome IN {TOLD} OR k.outcome = 'letter_sent')
                 AND k.at >= coalesce(p.ended_at, p.requested_at))""",
        "tell:no_result",
    ),
    Left(
        "transfer_not_answered",
        ("accept_transfer",),
        """SELECT t.procedure_id AS case_id, t.id::text AS part FROM procedures_transfer t
           JOIN lives p ON p.id = t.procedure_id
           WHERE t.answer = '' AND p.status <> 'entered_in_error' AND EXISTS (
               SELECT 1 FROM promised f WHERE f.case_id = p.id AND f.kind IN ('awaited_result', 'review_result'))""",
        "transfer:",
    ),
)

UNPROMISED = """
    SELECT l.case_id, l.part, p.closed_at FROM ({rows}) l JOIN procedures_procedure p ON p.id = l.case_id
    WHERE p.closed_at IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM promised f WHERE f.case_id = l.case_id AND f.kind = ANY(%(kinds)s)
          AND f.key LIKE %(key)s || l.part || '%%')"""
TERMINAL = "('completed', 'cancelled', 'entered_in_error')"
ITS_PROMISE = "EXISTS (SELECT 1 FROM promised f WHERE f.case_id = p.id)"
CASES = "SELECT count(*) FROM procedures_procedure"


def _case(code: str, wrong: str, words: str) -> Question:
    return Question(
        code=code,
        given=(PROMISED,),
        looked=CASES,
        wrong=f"SELECT 'case', p.id, {words} FROM procedures_procedure p WHERE {wrong}",
    )


QUESTIONS = (
    _case("case.without_promise", f"p.closed_at IS NULL AND NOT {ITS_PROMISE}", "'open, ' || p.status"),
    _case(
        "case.closed_before_its_end",
        f"p.closed_at IS NOT NULL AND (p.status NOT IN {TERMINAL} OR {ITS_PROMISE})",
        "p.status",
    ),
    _case("case.not_planned", "p.planned_version <> p.facts_version", "p.planned_version || ' of ' || p.facts_version"),
    _case("case.closed_in_the_future", "p.closed_at > %(now)s", "p.closed_at::text"),
    Question(
        code="series.not_planned",
        looked="SELECT count(*) FROM procedures_series",
        wrong="SELECT 'series', id, '' FROM procedures_series WHERE planned_version <> facts_version",
    ),
)


def look(report: Report, params: Mapping[str, Any], unasked: str) -> None:
    """Nothing is left of a closed case, and what is left of an open one is promised."""
    put(report, QUESTIONS, params)
    given = with_((CURRENT, READ, UNREAD, PROMISED, LIVES, unasked))
    closed = count("SELECT count(*) FROM procedures_procedure WHERE closed_at IS NOT NULL")
    report.asked("case.closed_too_early", closed)
    for left in LEFT:
        asked = {**params, "kinds": list(left.kinds), "key": left.key}
        looked = count(f"{given} SELECT count(*) FROM ({left.rows}) l", asked)
        report.asked("fact.unpromised", looked)
        for case, part, closed_at in ask(given + UNPROMISED.format(rows=left.rows), asked):
            code = "case.closed_too_early" if closed_at else "fact.unpromised"
            report.complaints.append(Complaint(code, "case", case, f"{left.what} {part}".strip()))
