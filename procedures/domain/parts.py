"""A message in its parts: what each observation is, whose, of which case and test, or why that is not certain. Pure.

The order is fixed: who, then which case, then which test. Nothing that is uncertain is entered; every doubt is a
reason with a code, and all of them are said at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from procedures.domain import critical_words, grading, identity, matching, said, test_codes
from procedures.domain.fluids import Fluid, Fluids
from procedures.domain.identity import Who
from procedures.domain.lab_content import OTHER
from procedures.domain.matching import Case, CaseReason, WaitReason, Where
from procedures.domain.measurement import Value, factor
from procedures.domain.protocol import Protocol
from procedures.domain.report import Group, Observation, Person, Report, Standing
from procedures.domain.said import Words
from procedures.domain.states import Level
from procedures.domain.test_codes import Clues, CodeReason, Mapped, Target, Which

#: What a laboratory flags so has been phoned, or should have been (HL7 table 0078: beyond the panic limits).
PANIC_FLAGS = frozenset({"HH", "LL", "AA"})


@dataclass(frozen=True, kw_only=True)
class Known:
    """Everything of ours that a message is compared with."""

    authorities: Mapping[str, str]
    patients: tuple[identity.Known, ...]  # whoever bears one of its numbers
    cases: Mapping[int, tuple[Case, ...]]  # of those patients
    owners: Mapping[str, int]  # a tube's or an order's number → the patient it is of
    mapped: Mapping[str, tuple[Mapped, ...]]  # by protocol
    protocols: tuple[Protocol, ...]  # the newest of each, for what belongs to no case yet
    fluids: Fluids
    words: Words
    laboratory_known: bool = True


@dataclass(frozen=True, kw_only=True)
class Part:
    """One observation, or a service without any. Certain when there is no reason against it."""

    place: str
    group: Group
    observation: Observation | None
    standing: Standing
    who: Who
    where: Where
    which: Which
    fluid: Fluid | None = None
    reasons: tuple[str, ...] = ()
    level: Level = Level.UNKNOWN  # how it looks, for what waits
    phoned: bool = False

    @property
    def certain(self) -> bool:
        return not self.reasons

    @property
    def label(self) -> str:
        """What the laboratory calls it."""
        code = self.observation.code if self.observation else self.group.service
        return code.text or code.local or code.loinc or self.group.service.text or self.place


@dataclass(frozen=True, kw_only=True)
class _Whole:
    """What is true of a whole service."""

    group: Group
    who: Who
    where: Where
    fluid: Fluid | None
    reasons: tuple[str, ...] = field(default=())


def parts_of(report: Report, known: Known) -> tuple[Part, ...]:
    """Every part, in the order of the message."""
    return tuple(part for group in report.groups for part in _of_group(report, group, known))


def person_of(report: Report, group: Group) -> Person | None:
    return group.patient or report.patient


def numbers_of(report: Report) -> frozenset[str]:
    return frozenset(number for group in report.groups for number in matching.numbers(group))


def _of_group(report: Report, group: Group, known: Known) -> Iterator[Part]:
    whole = _whole(report, group, known)
    if not group.observations:
        yield _empty(whole, known)
    for observation in group.observations:
        yield _part(whole, observation, known)


def _whole(report: Report, group: Group, known: Known) -> _Whole:
    who = identity.who(person_of(report, group), known.authorities, known.patients)
    fluid = fluid_of(group, known.fluids)
    bearer = who.patient or who.by_number
    foreign = frozenset(
        number
        for number in matching.numbers(group)
        if number in known.owners and known.owners[number] != bearer and bearer is not None
    )
    cases = known.cases.get(bearer, ()) if bearer is not None else ()
    where = matching.case_of(group, fluid, cases, foreign=foreign)
    reasons = [str(WaitReason.UNKNOWN_LABORATORY)] if not known.laboratory_known else []
    if not report.is_production:
        reasons.append(str(WaitReason.NOT_PRODUCTION))
    if who.reason is not None:
        reasons.append(str(who.reason))
    inside = {problem for observation in group.observations for problem in observation.problems}
    if group.observations and set(group.problems) - inside:
        reasons.append(str(WaitReason.UNREADABLE_PART))
    if where.reason is not None and (bearer is not None):
        reasons.append(str(where.reason))
    return _Whole(group=group, who=who, where=where, fluid=fluid, reasons=tuple(reasons))


def fluid_of(group: Group, fluids: Fluids) -> Fluid | None:
    """By the specimen's words, else by the codes, else by the names of the tests."""
    specimens = [text for s in group.specimens for text in (*s.fluid_codes, s.fluid_text, s.source_text)]
    found = fluids.of_words(*specimens)
    if found is not None:
        return found
    codes = [group.service, *(observation.code for observation in group.observations)]
    by_code = {fluid.code: fluid for code in codes if (fluid := fluids.of_loinc(code.loinc)) is not None}
    if len(by_code) == 1:
        return next(iter(by_code.values()))
    return None if by_code else fluids.of_words(group.service.text, *group.service.also_called)


def _empty(whole: _Whole, known: Known) -> Part:
    """A service without an observation: a status, or nothing."""
    group = whole.group
    standing = group.standing
    if group.order_control in {"CA", "OC", "DC"} and standing in (Standing.UNKNOWN, Standing.PENDING):
        standing = Standing.CANCELLED
    where, reasons = whole.where, list(whole.reasons)
    which = Which(None)
    if where.case is not None:
        protocol = where.case.protocol
        by_number = matching.open_orders(where.case, group.placer_number) if group.placer_number else frozenset()
        code = test_codes.by_service(protocol, group.service, known.mapped.get(protocol.code, ()))
        if not code and len(by_number) == 1 and any(o.number == group.placer_number for o in where.case.orders):
            code = next(iter(by_number))
        which = Which(Target(code)) if code else Which(None, CodeReason.UNKNOWN_CODE)
    if standing is Standing.PENDING:
        reasons = []  # nothing to enter, so nothing to ask
    elif which.reason is not None:
        reasons.append(str(which.reason))
    elif standing in (Standing.UNKNOWN, Standing.FINAL, Standing.PRELIMINARY, Standing.CORRECTED, Standing.AMENDED):
        reasons.append(str(WaitReason.NOTHING_INSIDE))
    if group.problems and reasons != []:
        reasons.append(str(WaitReason.UNREADABLE_PART))
    return Part(
        place=str(group.place), group=group, observation=None, standing=standing, who=whole.who, where=where,
        which=which, fluid=whole.fluid, reasons=_once(reasons), level=_alarm(reasons, group.notes),
    )  # fmt: skip


def _part(whole: _Whole, observation: Observation, known: Known) -> Part:
    group, where = whole.group, whole.where
    standing = said.standing(observation, group.standing, group.standing_written)
    which = _which(whole, observation, known)
    reasons = list(whole.reasons)
    if which.reason is not None:
        reasons.append(str(which.reason))
    if standing is Standing.UNKNOWN:
        reasons.append(str(WaitReason.UNKNOWN_STANDING))
    if observation.problems:
        reasons.append(str(WaitReason.UNREADABLE_PART))
    if standing is Standing.CORRECTED and not said.text_of(observation) and observation.document is None:
        reasons.append(str(WaitReason.NOTHING_INSIDE))
    nothing = standing is Standing.PENDING or (
        standing in (Standing.FINAL, Standing.PRELIMINARY)
        and not said.text_of(observation)
        and observation.document is None
        and not observation.notes
        and which.target is None
    )
    phoned = is_phoned(observation, group)
    return Part(
        place=f"{group.place}/{observation.place}",
        group=group,
        observation=observation,
        standing=Standing.PENDING if nothing else standing,
        who=whole.who,
        where=where,
        which=which,
        fluid=whole.fluid,
        reasons=() if nothing else _once(reasons),
        level=_looks(whole, observation, standing, which, known, phoned, reasons),
        phoned=phoned,
    )


def _which(whole: _Whole, observation: Observation, known: Known) -> Which:
    """The test in the case's protocol; without a case, whatever the newest protocols make of the code."""
    case = whole.where.case
    if case is None:
        may_be = [
            Target(*pair) for protocol in known.protocols for pair in protocol.by_loinc.get(observation.code.loinc, ())
        ]
        return Which(None, None, tuple(may_be))
    clues = Clues(
        fluid=whole.fluid or _of_tube(whole.where, known.fluids),
        on_tube=_on_tube(whole.where),
        ordered=matching.open_orders(case, whole.group.placer_number),
        service=whole.group.service,
    )
    found = test_codes.which(
        case.protocol, observation.code, known.mapped.get(case.protocol.code, ()), known.fluids, clues
    )
    blood_by_time = clues.fluid is not None and clues.fluid.code == "blood" and not whole.where.by_number
    if found.target and blood_by_time and found.target.test not in {order.code for order in case.orders}:
        return Which(None, CodeReason.FLUID_DIFFERS, (found.target,))  # any blood of that day: only what was ordered
    return found


def _of_tube(where: Where, fluids: Fluids) -> Fluid | None:
    if where.tube is None:
        return None
    return next((fluid for fluid in fluids.rows if where.tube.fluid in fluid.serves), None)


def _on_tube(where: Where) -> frozenset[str]:
    if where.case is None or where.tube is None:
        return frozenset()
    return frozenset(order.code for order in where.case.orders if order.tube_id == where.tube.id)


def is_phoned(observation: Observation, group: Group) -> bool:
    """Whether the laboratory itself treats it as critical: a panic flag, or its own words, here or at the service."""
    flags = {flag.strip().upper() for flag in observation.flags}
    texts = [reading.text for reading in observation.readings]
    return bool(flags & PANIC_FLAGS) or critical_words.sounds_critical(texts, [*observation.notes, *group.notes])


def _looks(
    whole: _Whole,
    observation: Observation,
    standing: Standing,
    which: Which,
    known: Known,
    phoned: bool,
    reasons: list[str],
) -> Level:
    """Critical when anything says so: then it waits for minutes, not for the morning."""
    if phoned or matching.ALARMING & set(reasons) or standing is Standing.WRONG:
        return Level.CRITICAL
    protocols = [whole.where.case.protocol] if whole.where.case else known.protocols
    found = [which.target] if which.target else list(which.may_be)
    levels = {
        _graded(protocol, target, observation, standing, known.words)
        for protocol in protocols
        for target in found or _by_service(protocol, whole.group, observation, known)
    }
    if Level.CRITICAL in levels:
        return Level.CRITICAL
    return Level.ABNORMAL if Level.ABNORMAL in levels else Level.UNKNOWN


def _by_service(protocol: Protocol, group: Group, observation: Observation, known: Known) -> list[Target]:
    """Of an unknown code: the values of the test that was asked for, as far as its unit is theirs. Only to judge how
    long it may wait.
    """
    code = test_codes.by_service(protocol, group.service, known.mapped.get(protocol.code, ()))
    if not code:
        return []
    values = [
        c for c in protocol.test(code).components if c.kind != "number" or factor(c, observation.unit) is not None
    ]
    return [Target(code, component.code) for component in values]


def _graded(
    protocol: Protocol, target: Target, observation: Observation, standing: Standing, words: Words
) -> Level | None:
    if target.test.startswith(OTHER) or not any(test.code == target.test for test in protocol.tests):
        return None
    test = protocol.test(target.test)
    found = said.values(test, {target.component: observation}, words, preliminary=standing is Standing.PRELIMINARY)
    values = {code: Value.from_stored(stored) for code, stored in found.items()}
    level, _rules = grading.grade(test, values, {})
    return level


def _alarm(reasons: list[str], notes: tuple[str, ...]) -> Level:
    critical = matching.ALARMING & set(reasons) or critical_words.sounds_critical([], notes)
    return Level.CRITICAL if critical else Level.UNKNOWN


def _once(reasons: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reasons))


#: What only a decision about the code would answer: then the code is remembered unless somebody says no.
def only_the_code(reasons: tuple[str, ...]) -> bool:
    answered = {str(reason) for reason in test_codes.ANSWERED_BY_A_MAPPING}
    return bool(reasons) and set(reasons) <= answered


def is_alarming(reasons: tuple[str, ...]) -> bool:
    return str(CaseReason.ANOTHER_PATIENTS_SPECIMEN) in reasons
