"""Findings on the checklist's page: each beside the question it belongs to, all together at the top."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from procedures.domain.checklist import ChecklistState
from procedures.domain.findings import Finding
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import DAY_OF
from procedures.domain.states import ProcedureStatus
from procedures.forms.checklists import Section, StagePage
from procedures.models import Procedure
from procedures.selectors import safety
from procedures.selectors.finding_words import Said, said

#: Until the needle is in; what is found later belongs to the record.
BEFORE_THE_NEEDLE = frozenset({ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED})


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A finding at the top: ``place`` is the question beside which it stands, empty when that is not on the page."""

    said: Said
    place: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The top of the page: what stops, what cautions, what nobody knows (in one line), what is only to be known."""

    stops: tuple[Placed, ...] = ()
    cautions: tuple[Placed, ...] = ()
    unknown: tuple[Placed, ...] = ()
    notes: tuple[Placed, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.stops or self.cautions or self.unknown or self.notes)


def found_of(
    procedure: Procedure, state: ChecklistState, stage: str, now: datetime, rules: RuleSet | None
) -> tuple[Finding, ...]:
    """What the rules say now. A checklist nobody has begun says so in its own grey line, not as a finding."""
    if rules is None or procedure.state not in BEFORE_THE_NEEDLE:
        return ()
    here = procedure.state is ProcedureStatus.ARRIVED and stage in DAY_OF
    moment = stage if here else safety.PRE_VISIT
    found = safety.judged_round(procedure, rules, now, state.round, moment=moment)
    return tuple(finding for finding in found if finding.code != "not_asked_yet")


def placed(page: StagePage, found: Iterable[Finding], now: datetime) -> tuple[StagePage, Panel]:
    """The page with each finding beside its question, and the panel for its top."""
    asked = [field.question.code for field in page.fields]
    beside: defaultdict[str, list[Said]] = defaultdict(list)
    top = []
    for each in said(found, now):
        place = next((code for code in each.beside if code in asked), "")
        if place:
            beside[place].append(each)
        top.append(Placed(said=each, place=place))
    sections = tuple(_with_findings(section, beside) for section in page.sections)
    known = [one for one in top if not one.said.unknown]
    panel = Panel(
        stops=tuple(one for one in known if one.said.is_stop),
        cautions=tuple(one for one in known if not one.said.is_stop and not one.said.is_info),
        unknown=tuple(one for one in top if one.said.unknown and not one.said.is_info),
        notes=tuple(one for one in top if one.said.is_info and not one.place),
    )
    return replace(page, sections=sections), panel


def _with_findings(section: Section, beside: dict[str, list[Said]]) -> Section:
    return replace(section, slots=tuple(replace(s, findings=tuple(beside.get(s.code, ()))) for s in section.slots))
