"""One entry of a message: what its parts say of one test of one locked case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic.actor import Actor
from procedures.domain import matching, pieces, said, versions
from procedures.domain.lab_content import OTHER, Test, other_test
from procedures.domain.parts import Part
from procedures.domain.protocol import Protocol
from procedures.domain.report import Report, Standing
from procedures.models import InboundMessage, LabTest, Procedure, ResultVersion, Specimen
from procedures.models.inbound import ItemState, TakenBackWhy
from procedures.selectors import code_data
from procedures.services import arrivals
from procedures.services import lab_rows as rows

TAKEN_BACK = {Standing.WRONG: TakenBackWhy.WRONG_PATIENT, Standing.DELETED: TakenBackWhy.DELETED}


@dataclass(frozen=True)
class Entered:
    """What came of it. ``version``: the one that it made, or that says the same already. ``reason``: why it waits."""

    state: ItemState
    test: LabTest | None = None
    version: ResultVersion | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Certain parts of one service, of one standing, that belong to one test."""

    report: Report
    message: InboundMessage
    procedure: Procedure  # locked
    code: str
    parts: tuple[Part, ...]
    actor: Actor

    @property
    def standing(self) -> Standing:
        return self.parts[0].standing

    @property
    def data(self) -> Test:
        protocol: Protocol = self.procedure.protocol_version.parsed
        return other_test(self.code) if self.code.startswith(OTHER) else protocol.test(self.code)

    @property
    def components(self) -> frozenset[str]:
        return frozenset(p.which.target.component for p in self.parts if p.which.target) - {""}

    @property
    def collected_at(self) -> datetime | None:
        moment = matching.collected(self.parts[0].group)
        return moment.at if moment is not None and not moment.to_the_day else None

    @property
    def tube(self) -> Specimen | None:
        tube = self.parts[0].where.tube
        return Specimen.objects.filter(pk=tube.id).first() if tube is not None else None


def enter(entry: Entry) -> Entered:
    """Do what the laboratory's standing asks for."""
    if entry.standing in TAKEN_BACK:
        return _take_back(entry)
    if entry.standing is Standing.CANCELLED:
        return _cancel(entry)
    test = _test(entry)
    at = pieces.reported_at(entry.report, entry.parts[0].group, entry.message.received_at)
    piece = pieces.piece(entry.data, entry.parts, code_data.words(), reported_at=at)
    version, _new = arrivals.arrive(
        procedure=entry.procedure,
        test=test,
        piece=piece,
        phoned=any(part.phoned for part in entry.parts),
        collected_at=entry.collected_at,
        actor=entry.actor,
    )
    return Entered(ItemState.APPLIED if version else ItemState.NOTED, test, version)


def _test(entry: Entry) -> LabTest:
    tube = entry.parts[0].where.tube
    return arrivals.test_of(
        procedure=entry.procedure,
        code=entry.code,
        label=entry.parts[0].label if entry.code.startswith(OTHER) else "",
        specimen=tube.id if tube is not None else None,
        collected_at=entry.collected_at,
        actor=entry.actor,
    )


def _take_back(entry: Entry) -> Entered:
    """What was never here leaves nothing behind."""
    test = entry.procedure.tests.filter(code=entry.code).order_by("pk").last()
    if test is None:
        return Entered(ItemState.NOTED)
    version = arrivals.take_back(
        procedure=entry.procedure,
        test=test,
        values=entry.components,
        why=TAKEN_BACK[entry.standing],
        at=pieces.taken_back_at(entry.report, entry.parts[0].group, entry.message.received_at),
        actor=entry.actor,
    )
    return Entered(ItemState.APPLIED if version else ItemState.NOTED, test, version)


def _cancel(entry: Entry) -> Entered:
    """There will be no result: of the whole test, or of one value of a panel."""
    test = entry.procedure.tests.filter(code=entry.code).order_by("pk").last()
    if test is None:
        return Entered(ItemState.NOTED)
    at = pieces.taken_back_at(entry.report, entry.parts[0].group, entry.message.received_at)
    current = versions.current(list(test.versions.order_by("number")))
    one_of_several = len(entry.data.components) > len(entry.components) > 0
    others_there = current is not None and set(current.values) - entry.components
    if one_of_several and (others_there or _others_come(entry)):
        here = current is not None and entry.components & set(current.values)
        version = None
        if here:
            version = arrivals.take_back(
                procedure=entry.procedure, test=test, values=entry.components, why=TakenBackWhy.DELETED, at=at,
                actor=entry.actor,
            )  # fmt: skip
        return Entered(ItemState.APPLIED if version else ItemState.NOTED, test, version)
    reason = pieces.why_cancelled(entry.parts)
    if not _of_the_tube(entry, test, reason):
        arrivals.cancelled(procedure=entry.procedure, test=test, reason=reason, at=at, actor=entry.actor)
    return Entered(ItemState.APPLIED, test)


def _others_come(entry: Entry) -> bool:
    """Whether the same service brings other values of the same test."""
    mine = {part.place for part in entry.parts}
    group = entry.parts[0].group
    return any(
        said.text_of(observation)
        for observation in group.observations
        if f"{group.place}/{observation.place}" not in mine
    )


def _of_the_tube(entry: Entry, test: LabTest, reason: str) -> bool:
    """The tube itself is unfit when the laboratory says so of the tube, has not got it, or says it of the only test
    that still waits for it. Then all its tests need a decision.
    """
    tube = entry.tube or test.specimen
    if tube is None or test.versions.exists():
        return False
    words = code_data.words()
    of_tube = any(specimen.reject_reasons for specimen in entry.parts[0].group.specimens)
    awaited = entry.procedure.tests.filter(specimen=tube, status__in=["collected", "received"]).exclude(pk=test.pk)
    only_one = words.says_unfit(reason) and not awaited.exists()
    if not (of_tube or words.says_lost(reason) or only_one):
        return False
    arrivals.specimen_unfit(
        procedure=entry.procedure, specimen=tube, lost=words.says_lost(reason), reason=reason, actor=entry.actor
    )
    return bool(rows.locked_test(test).status in {"rejected", "lost"})


def entries(
    report: Report, message: InboundMessage, cases: dict[int, Procedure], parts: Sequence[Part], actor: Actor
) -> list[Entry]:
    """Certain parts put together: one entry for each service, test and standing, in the order of the message."""
    found: dict[tuple[str, int, str, Standing], list[Part]] = {}
    for part in parts:
        assert part.where.case is not None
        assert part.which.target is not None
        key = (str(part.group.place), part.where.case.id, part.which.target.test, part.standing)
        found.setdefault(key, []).append(part)
    return [
        Entry(report=report, message=message, procedure=cases[case], code=code, parts=tuple(rows_), actor=actor)
        for (_group, case, code, _standing), rows_ in found.items()
    ]
