"""The numbers that pages show, counted once more: the loop board's figures, the worklists, each person's own share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from followups.checker.params import At, rules
from followups.checker.report import Complaint, Report
from followups.checker.rows import ask

PAGES = {"inbox": "do", "chase": "other"}  # and where stands what no group takes
#: From the most urgent on: critical, overdue, due, waiting. A promise with a usual hour is due from then on.
OPEN = """
WITH open_now AS (
    SELECT f.*, nullif(f.about ->> 'usual_at', '')::timestamptz AS usual
    FROM followups_followup f WHERE f.closed_at IS NULL
),
ranked AS (
    SELECT o.*, CASE
        WHEN o.level = 'critical' AND o.start_at <= %(now)s THEN 0
        WHEN o.due_at < %(now)s THEN 1
        WHEN o.usual IS NOT NULL THEN CASE WHEN o.usual <= %(now)s THEN 2 ELSE 3 END
        WHEN o.start_at <= %(now)s AND o.due_at <= %(now)s + interval '24 hours' THEN 2
        ELSE 3 END AS rank
    FROM open_now o
)"""
FIGURES = {
    "open": "true",
    "due": "rank = 2",
    "overdue": "rank = 1",
    "critical": "rank = 0",
    "waiting": "rank = 3",
    "unreviewed": "kind IN ('review_result', 'reread_correction')",
    "untold": "kind = 'tell_patient'",
    "lost": "kind = 'specimen_lost'",
    "unmatched": "kind IN ('match_result', 'unreadable_message')",
    "extended": "kind = 'awaited_result' AND about -> 'extended' = 'true'",
    "unowned": "responsible_id IS NULL AND taken_by_id IS NULL",
    "escalated": "escalated_role <> ''",
    "criticals.unread": "level = 'critical' AND kind IN ('review_result', 'reread_correction')",
    "criticals.untaken": """level = 'critical' AND kind IN ('review_result', 'reread_correction') AND NOT EXISTS (
        SELECT 1 FROM clinic_user u WHERE u.id = taken_by_id AND 'physician' = ANY(u.roles))""",
}
#: A check that the patient is asked by a link stands on the lists once: as the call to who is silent.
LISTED = "NOT (kind = 'symptom_check' AND about ->> 'by' IS NOT DISTINCT FROM 'link')"
MINE = "(r.taken_by_id = u.id OR (r.taken_by_id IS NULL AND r.responsible_id = u.id))"
ROLES = "(r.taken_by_id IS NULL AND (r.role = ANY(u.roles) OR r.escalated_role = ANY(u.roles)))"
COVERED = """(coalesce(r.taken_by_id, r.responsible_id) IN (
    SELECT (c ->> 0)::bigint FROM jsonb_array_elements(%(covers)s::jsonb) c WHERE (c ->> 1)::bigint = u.id))"""


def look(report: Report, at: At, shown: Mapping[str, int] | None) -> None:
    """Compare what pages show with what stands there. The figures are in the report either way."""
    own = figures(at)
    report.figures.update({f"shown.{name}": number for name, number in own.items()})
    if shown is None:
        report.asked("worklist.count_differs", 0)
        return
    if any("." in name for name in shown):
        own |= places(at) | shares(at)
    found = []
    for name, number in shown.items():
        if own.get(name, 0) != number:
            words = f"shown {number}, there are {own.get(name, 0)}"
            found.append(Complaint("worklist.count_differs", "figure", name, words))
    pages = {name.partition(".")[0] for name in shown} & set(PAGES)
    for name in sorted(set(own) - set(shown)):
        if own[name] and name.partition(".")[0] in pages:  # a page that is shown lacks one of its groups
            found.append(Complaint("worklist.count_differs", "figure", name, f"not shown, there are {own[name]}"))
    report.asked("worklist.count_differs", len(shown), found)


def figures(at: At) -> dict[str, int]:
    """The loop board's."""
    columns = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in FIGURES.values())
    (row,) = ask(f"{OPEN} SELECT {columns} FROM ranked", at.params())
    return dict(zip(FIGURES, row, strict=True))


def places(at: At) -> dict[str, int]:
    """How many stand in each group of the inbox and of the chase list, whoever they belong to."""
    found: dict[str, int] = {}
    for kind, rank, begun, number in ask(
        f"{OPEN} SELECT kind, rank, start_at <= %(now)s, count(*) FROM ranked WHERE {LISTED} GROUP BY 1, 2, 3",
        at.params(),
    ):
        for page, rest in PAGES.items():
            row = rules()["kinds"].get(kind, {})
            if page not in row:
                continue
            name = f"{page}.{_place(page, row, rank, begun) or rest}"
            found[name] = found.get(name, 0) + number
    return found


def _place(page: str, row: Mapping[str, Any], rank: int, begun: bool) -> str:
    """The first that takes it: critical, overdue (a group of the inbox alone), what waits quietly, its group."""
    if rank == 0:
        return "critical"
    if rank == 1 and page == "inbox":
        return "overdue"
    if rank == 3 and (not begun or row.get("timed")):
        return "parked"
    if page == "inbox" and rank in (2, 3) and row.get("others"):
        return "parked"
    return str(row[page])


def shares(at: At) -> dict[str, int]:
    """Of each active person: theirs, their role's, and what they cover now, on either page."""
    covers = [[away, who] for away, who in _covers(at.now).items()]
    found: dict[str, int] = {}
    for page in PAGES:
        kinds = [kind for kind, row in rules()["kinds"].items() if page in row]
        sql = f"""{OPEN}
            SELECT u.id, count(*) FILTER (WHERE {MINE}), count(*) FILTER (WHERE {ROLES}),
                count(*) FILTER (WHERE {COVERED})
            FROM clinic_user u CROSS JOIN ranked r
            WHERE u.is_active AND {LISTED} AND (r.kind = ANY(%(kinds)s) OR {MINE}) GROUP BY u.id"""
        for user, mine, role, covered in ask(sql, at.params(kinds=kinds, covers=json.dumps(covers))):
            for name, number in (("mine", mine), ("role", role), ("covered", covered)):
                found[f"{page}.{name}:{user}"] = number
    return found


def _covers(now: datetime) -> dict[int, int]:
    """Who is away now, and who stands in at the end of the chain of those who have accepted."""
    rows = ask(
        """SELECT user_id, surrogate_id FROM clinic_absence
           WHERE starts_at <= %(now)s AND ends_at > %(now)s AND accepted_at IS NOT NULL AND surrogate_id IS NOT NULL""",
        {"now": now},
    )
    direct: dict[int, int] = dict(rows)
    found = {}
    for person in direct:
        seen, at = {person}, direct[person]
        while at in direct and at not in seen:
            seen.add(at)
            at = direct[at]
        if at not in seen:
            found[person] = at
    return found
