"""Results by hand: each is a new version that is never changed afterwards.

A result is never refused because an earlier step was not recorded, and never for a failing plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.ready_query import ReadyQuery
from procedures import events
from procedures.domain import results as rules
from procedures.domain import versions
from procedures.domain.calculations import Calculated
from procedures.domain.lab_content import CriticalRule, Test
from procedures.domain.protocol import Protocol
from procedures.domain.record import Problem
from procedures.domain.results import Judgement, Known
from procedures.domain.states import LAB_TEST, Level, ResultStatus, TestStatus
from procedures.models import LabTest, Procedure, ResultVersion
from procedures.selectors.results import known_of
from procedures.services import lab_rows as rows

T = TestStatus
BY_HAND = frozenset({ResultStatus.PRELIMINARY, ResultStatus.FINAL, ResultStatus.CORRECTED})
READ_BACK = ("caller", "receiver", "at", "value")
#: What a person may confirm: the warning's code, and its words.
BEFORE_COLLECTION = "before_collection"
UNKNOWN_UNIT = "unknown_unit"
SECOND_FINAL = "second_final"


@dataclass(frozen=True)
class Doubt:
    """Something unusual that may still be right: ``code`` is what a person confirms."""

    code: str
    problem: Problem


class Unreadable(Invalid):
    """Some values cannot be read. Nothing was saved; what you typed is still here."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__()


class NeedsConfirmation(Invalid):
    """Please look once more and confirm."""

    def __init__(self, doubts: tuple[Doubt, ...]) -> None:
        self.doubts = doubts
        super().__init__()


class NeedsReadBack(Invalid):
    """This result is critical. It needs a second check before it is saved."""

    def __init__(self, problems: tuple[Problem, ...], matched: tuple[CriticalRule, ...]) -> None:
        self.problems = problems
        self.matched = matched
        super().__init__()


#: Asked at every result: written once.
VERSIONS = ReadyQuery(lambda test: ResultVersion.objects.filter(test=test).order_by("number"))


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """What was typed, read and judged."""

    status: ResultStatus
    values: dict[str, dict[str, Any]]
    text: str
    reported_at: datetime
    phoned: bool
    read_back: dict[str, str]
    change_reason: str


@transaction.atomic
def enter(
    *,
    test: LabTest,
    status: ResultStatus | str,
    actor: Actor,
    values: Mapping[str, Mapping[str, Any]] | None = None,
    text: str = "",
    reported_at: datetime | None = None,
    phoned_critical: bool = False,
    read_back: Mapping[str, str] | None = None,
    change_reason: str = "",
    confirmed: Collection[str] = (),
    after: int | None = None,
) -> ResultVersion:
    """The next version of the test's result, graded by the pinned rules at once.

    ``values`` is ``{component: {"value" or "text": …, "unit": …}}``; ``after`` the newest number the person has seen.
    Raises Unreadable, NeedsConfirmation (again with the codes in ``confirmed``), NeedsReadBack for a critical
    value without its second check, Conflict when another version came after the one that was seen.
    """
    procedure = rows.locked_case(test.procedure, dead=True)
    row = rows.locked_test(test)
    data, protocol = _test(procedure, row), _protocol(procedure)
    entry = _read(
        data, ResultStatus(status), values or {}, text, reported_at, phoned_critical, read_back, change_reason
    )
    stored = VERSIONS.rows(row.pk)
    repeated = _seen(stored, after, entry, actor)
    if repeated is not None:
        return repeated
    _confirm(data, row, stored, entry, confirmed)
    judgement = rules.judge(protocol, _known(row, entry), known_of(procedure, without=row.pk), phoned=entry.phoned)
    _check_twice(protocol, data, entry, judgement)
    version = _create(row, stored, entry, judgement, actor)
    follow(row, procedure, [*stored, version], actor)
    data_of_audit = {"test": row.code, "number": version.number, "status": version.status, "level": version.level}
    rows.note("result.entered", procedure, actor, data_of_audit, version, entry.change_reason)
    events.changed(procedure)
    return version


@transaction.atomic
def withdraw(*, test: LabTest, reason: str, actor: Actor) -> ResultVersion:
    """Take back everything reported so far (wrong patient, deleted): it leaves the chart and stays for the audit.

    The result is awaited again. Withdrawn already: the withdrawal is returned. Raises Conflict when there is nothing.
    """
    reason = rows.given_reason(reason)
    procedure = rows.locked_case(test.procedure, dead=True)
    row = rows.locked_test(test)
    stored = list(row.versions.order_by("number"))
    if not stored:
        raise Conflict("There is no result to withdraw.")
    if versions.current(stored) is None:
        return stored[-1]
    version = ResultVersion.objects.create(
        test=row,
        number=stored[-1].number + 1,
        status=str(ResultStatus.WITHDRAWN),
        level=str(Level.UNKNOWN),
        # as of the newest report it takes back: what is reported later counts again
        reported_at=max(v.reported_at for v in stored),
        arrived_at=clock.now(),
        entered_by_id=actor.user_id,
        change_reason=reason,
    )
    follow(row, procedure, [*stored, version], actor)
    rows.note("result.withdrawn", procedure, actor, {"test": row.code, "number": version.number}, version, reason)
    events.changed(procedure)
    return version


# --- reading --------------------------------------------------------------------------------


def _read(
    data: Test,
    status: ResultStatus,
    values: Mapping[str, Mapping[str, Any]],
    text: str,
    reported_at: datetime | None,
    phoned: bool,
    read_back: Mapping[str, str] | None,
    change_reason: str,
) -> _Entry:
    stored, problems = rules.read(data, values)
    found = list(problems)
    now = clock.now()
    if status not in BY_HAND:
        raise Invalid("Withdraw a result with its own button.", field="status")
    if not stored and not text.strip() and not problems:
        found.append(Problem("text", "Enter at least one value, or the text of the report."))
    if reported_at is not None and reported_at > now:
        found.append(Problem("reported_at", "This time is in the future."))
    if status == ResultStatus.CORRECTED and not change_reason.strip():
        found.append(Problem("change_reason", "Say what was corrected."))
    if found:
        raise Unreadable(tuple(found))
    given = {name: str((read_back or {}).get(name) or "").strip() for name in READ_BACK}
    return _Entry(
        status=status,
        values=stored,
        text=text.strip(),
        reported_at=reported_at or now,
        phoned=phoned,
        read_back={name: value for name, value in given.items() if value},
        change_reason=change_reason.strip(),
    )


def _seen(stored: list[ResultVersion], after: int | None, entry: _Entry, actor: Actor) -> ResultVersion | None:
    """The version that a second click would repeat. Raises Conflict when somebody else was first."""
    newest = stored[-1] if stored else None
    if after is None or newest is None or newest.number == after:
        return None
    same = (newest.status, newest.values, newest.text, newest.entered_by_id)
    if same == (str(entry.status), entry.values, entry.text, actor.user_id):
        return newest
    raise Conflict(
        "Another result of this test was entered in the meantime. Look at it, then enter yours if it is new."
    )


def _confirm(data: Test, row: LabTest, stored: list[ResultVersion], entry: _Entry, confirmed: Collection[str]) -> None:
    found = []
    if row.collected_at is not None and entry.reported_at < row.collected_at:
        words = "The specimen was collected after this time of report. Is the time right, and the specimen?"
        found.append(Doubt(BEFORE_COLLECTION, Problem("reported_at", words)))
    for component in rules.unknown_units(data, entry.values):
        words = "%(label)s: the unit is not one of %(units)s, so the value cannot be judged and is shown as unknown."
        units = ", ".join(component.units) or "-"
        found.append(Doubt(UNKNOWN_UNIT, Problem(component.code, words, {"label": component.label, "units": units})))
    current = versions.current(stored)
    if entry.status == ResultStatus.FINAL and current is not None and current.status != ResultStatus.PRELIMINARY:
        words = "There is a final result already. If the laboratory has changed it, choose corrected."
        found.append(Doubt(SECOND_FINAL, Problem("status", words)))
    asked = tuple(warning for warning in found if warning.code not in confirmed)
    if asked:
        raise NeedsConfirmation(asked)


def _check_twice(protocol: Protocol, data: Test, entry: _Entry, judgement: Judgement) -> None:
    """A critical entry is typed a second time; what was phoned also names caller, receiver and time (§6.6-9)."""
    if judgement.level is not Level.CRITICAL:
        return
    matched = tuple(rule for rule in judgement.rules if rule.level == Level.CRITICAL)
    problems = []
    for name, words in (
        ("caller", "Say who called."),
        ("receiver", "Say who took the call."),
        ("at", "Say when the call was."),
    ):
        if entry.phoned and name not in entry.read_back:
            problems.append(Problem(f"read_back.{name}", words))
    again = entry.read_back.get("value", "")
    if not again:
        of = " / ".join(c.label for c in rules.concerned(data, entry.values, matched, protocol))
        words = "Type the critical value a second time, from the report or as you read it back: %(of)s."
        problems.append(Problem("read_back.value", words, {"of": of or "-"}))
    elif not rules.repeats(data, entry.values, matched, protocol, again):
        words = 'You typed "%(again)s" here and something else above. Look at the report again.'
        problems.append(Problem("read_back.value", words, {"again": again}))
    if problems:
        raise NeedsReadBack(tuple(problems), matched)


# --- writing --------------------------------------------------------------------------------


def _create(
    row: LabTest, stored: list[ResultVersion], entry: _Entry, judgement: Judgement, actor: Actor
) -> ResultVersion:
    reported_at, read_back = _after_withdrawal(stored, entry)
    return ResultVersion.objects.create(
        test=row,
        number=(stored[-1].number if stored else 0) + 1,
        status=str(entry.status),
        values=entry.values,
        text=entry.text,
        calculated={code: plain(found) for code, found in judgement.calculated.items()},
        level=str(judgement.level),
        rules=[stored_rule(rule) for rule in judgement.rules],
        phoned_critical=entry.phoned,
        read_back=read_back,
        reported_at=reported_at,
        arrived_at=clock.now(),
        entered_by_id=actor.user_id,
        change_reason=entry.change_reason,
    )


def _after_withdrawal(stored: list[ResultVersion], entry: _Entry) -> tuple[datetime, dict[str, str]]:
    """A withdrawal takes back what was reported until then; what a person enters after it is meant to count.

    So its time is put just after the withdrawn report's, and the time that was stated is kept beside it.
    """
    withdrawn = [v.reported_at for v in stored if v.status == ResultStatus.WITHDRAWN]
    if not withdrawn or entry.reported_at > max(withdrawn):
        return entry.reported_at, entry.read_back
    stated = entry.reported_at.isoformat()
    return max(withdrawn) + timedelta(microseconds=1), {**entry.read_back, "stated_reported_at": stated}


def follow(row: LabTest, procedure: Procedure, stored: list[ResultVersion], actor: Actor) -> None:
    """The test's state is the current version's; without one the result is awaited again."""
    current = versions.current(stored)
    if current is None:
        known = row.collected_at or row.received_at or procedure.started_at or min(v.reported_at for v in stored)
        if LAB_TEST.may(T(row.status), T.RECEIVED):
            rows.move(row, procedure, T.RECEIVED, "test.awaited_again", actor, collected_at=known)
        return
    if current.status == row.status:
        return
    to = T(current.status)
    if T(row.status) is T.CANCELLED:
        _check_single(row, procedure)
    received = row.received_at or current.reported_at  # any result implies receipt
    for step in (to,) if LAB_TEST.may(T(row.status), to) else (T.FINAL, to):
        rows.move(row, procedure, step, f"test.{step}", actor, received_at=received, ended_at=None, ended_reason="")


def _check_single(row: LabTest, procedure: Procedure) -> None:
    if procedure.tests.filter(code=row.code).exclude(pk=row.pk).exclude(status=T.CANCELLED).exists():
        raise Conflict("This test was cancelled and ordered again. Enter the result under the new order.")


def plain(found: Calculated) -> dict[str, Any]:
    """A calculation as it is stored beside the values it was made from."""
    stored = asdict(found)
    return {**stored, "refused": str(found.refused) if found.refused else "", "inputs": list(found.inputs)}


def stored_rule(rule: CriticalRule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "level": str(rule.level),
        "message": rule.message,
        "source": rule.source.source,
        "year": rule.source.year,
        "approved_by": rule.source.approved_by,
    }


def _known(row: LabTest, entry: _Entry) -> Known:
    return Known(test=row.code, values=entry.values, status=str(entry.status), collected_at=row.collected_at)


def _protocol(procedure: Procedure) -> Protocol:
    return procedure.protocol_version.parsed


def _test(procedure: Procedure, row: LabTest) -> Test:
    found: Test = _protocol(procedure).test(row.code)
    return found
