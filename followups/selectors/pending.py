"""What is pending in a case, for whoever takes the patient over: live, or as it was when it was handed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from clinic.models import User
from followups import wording
from followups.domain import kinds
from followups.domain.kinds import Kind
from followups.models import Action, FollowUp
from procedures.domain.lab_content import Test
from procedures.domain.protocol import Protocol
from procedures.models import Hold, Procedure, ResultVersion, Transfer

#: Kinds whose result is still to come or to be read: what makes it urgent stands beside them.
WAITING = frozenset({Kind.AWAITED_RESULT, Kind.REVIEW_RESULT})


@dataclass(frozen=True)
class Line:
    """One thing that is pending. ``detail`` names the medicine or the action: only on the chart's own pages."""

    what: str
    due: datetime
    owner: str
    do: str
    level: str
    detail: str = ""
    extended: bool = False  # takes longer than was promised: the date is this line's own
    alarms: tuple[str, ...] = ()  # when its result cannot wait, in the protocol's words


def live(procedure: Procedure, rows: Iterable[FollowUp]) -> tuple[Line, ...]:
    """The promises as they stand now."""
    frozen = [
        {
            "kind": row.kind,
            "key": row.key,
            "about": row.about,
            "due": row.due_at.isoformat(),
            "level": row.level,
            "owner": row.taken_by_id or row.responsible_id,
            "role": row.role,
        }
        for row in rows
    ]
    return _lines(procedure, frozen)


def of(transfer: Transfer) -> tuple[Line, ...]:
    """The list as it was when it was offered."""
    return _lines(transfer.procedure, transfer.pending)


def _lines(procedure: Procedure, rows: list[dict[str, Any]]) -> tuple[Line, ...]:
    protocol = procedure.protocol_version.parsed
    people = User.objects.in_bulk({row["owner"] for row in rows if row["owner"]})
    details = _details(procedure, rows)
    return tuple(_line(row, protocol, people, details) for row in rows)


def _line(row: dict[str, Any], protocol: Protocol, people: Mapping[int, User], details: dict[str, str]) -> Line:
    kind, about = Kind(row["kind"]), row["about"]
    owner = people.get(row["owner"]) if row["owner"] else None
    due = parse_datetime(row["due"])
    assert due is not None  # written by isoformat
    tests = _tests(about, protocol) if kind in WAITING else []
    return Line(
        what=wording.sentence(kind, about, protocol, row["key"]),
        due=due,
        owner=owner.display_name if owner else wording.role(row["role"]),
        do=_(kinds.of(kind).handed_on),
        level=row["level"],
        detail=details.get(row["key"], ""),
        extended=any(test.extended for test in tests),
        alarms=tuple(dict.fromkeys(r.message for t in tests for r in t.critical if r.message)),
    )


def _tests(about: Mapping[str, Any], protocol: Protocol) -> list[Test]:
    codes = {*about.get("tests", []), *([about["test"]] if "test" in about else [])}
    return [test for test in protocol.tests if test.code in codes]


def _details(procedure: Procedure, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Words that are no codes, read from the case itself: medicines, actions, what the patient is to hear."""
    found: dict[str, str] = {}
    abouts = [(row["key"], row["about"]) for row in rows]
    holds = {key: about["hold"] for key, about in abouts if "hold" in about}
    actions = {key: about["action"] for key, about in abouts if "action" in about}
    versions = {key: about["versions"] for key, about in abouts if about.get("versions")}
    if holds:
        names = dict(Hold.objects.filter(procedure=procedure).values_list("pk", "ingredient"))
        found |= {key: names.get(pk, "") for key, pk in holds.items()}
    if actions:
        names = dict(Action.objects.filter(procedure=procedure).values_list("pk", "what"))
        found |= {key: names.get(pk, "") for key, pk in actions.items()}
    if versions:
        tests = dict(ResultVersion.objects.filter(test__procedure=procedure).values_list("pk", "test__label"))
        found |= {key: ", ".join(sorted({tests[pk] for pk in pks if pk in tests})) for key, pks in versions.items()}
    return found
