"""What waits for somebody to place it: the list, and one message beside those it may mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, Count, IntegerField, Min, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from procedures.domain import identity, matching, parts, said
from procedures.domain.identity import Agrees
from procedures.domain.parts import Part
from procedures.domain.protocol import Protocol
from procedures.domain.report import Moment, Person, Report, Standing
from procedures.domain.test_codes import Target
from procedures.models import InboundItem, InboundMessage, Laboratory, Patient, Procedure
from procedures.models.inbound import InboundState, ItemState
from procedures.selectors import matching as matching_selector
from procedures.selectors import reason_words

MOST_CANDIDATES = 5
MOST_CASES = 4
#: In the form: a result that no test of the protocol is.
OTHER_RESULT = "other"


@dataclass(frozen=True)
class Row:
    """A message on the list."""

    message: InboundMessage
    waiting: int
    level: str
    labels: tuple[str, ...]
    reasons: list[str]

    @property
    def unreadable(self) -> bool:
        return self.message.state == InboundState.UNREADABLE


def open_messages() -> QuerySet[InboundMessage]:
    """What cannot be read or placed; what looks critical first, then the oldest."""
    waiting = Q(items__state=ItemState.WAITING)
    rank = Case(When(items__level="critical", then=0), When(items__level="abnormal", then=1), default=Value(2))
    return (
        InboundMessage.objects.filter(state__in=[InboundState.WAITING, InboundState.UNREADABLE])
        .defer("raw")
        .select_related("laboratory")
        .annotate(
            n=Count("items", filter=waiting),
            rank=Min(rank, filter=waiting, output_field=IntegerField()),
        )
        .order_by("rank", "received_at", "pk")
    )


def rows(messages: Iterable[InboundMessage]) -> list[Row]:
    """One query for the parts of all of them."""
    shown = list(messages)
    items: dict[int, list[InboundItem]] = {message.pk: [] for message in shown}
    for item in InboundItem.objects.filter(message__in=shown, state=ItemState.WAITING).order_by("pk"):
        items[item.message_id].append(item)
    return [_row(message, items[message.pk]) for message in shown]


def _row(message: InboundMessage, items: list[InboundItem]) -> Row:
    levels = {item.level for item in items}
    return Row(
        message=message,
        waiting=len(items),
        level=next((level for level in ("critical", "abnormal") if level in levels), ""),
        labels=tuple(dict.fromkeys(item.label for item in items if item.label)),
        reasons=reason_words.words(reason for item in items for reason in item.reasons),
    )


# --- one message ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """One line of the comparison: what the message says, what we have, and whether they agree."""

    label: str
    theirs: str
    ours: str
    agrees: Agrees


@dataclass(frozen=True)
class CaseChoice:
    """A case of a candidate."""

    procedure: Procedure
    case: matching.Case
    compared: tuple[Compared, ...]
    chosen: bool


@dataclass(frozen=True)
class Candidate:
    """Somebody whom the message may mean, beside what it says."""

    patient: Patient
    compared: tuple[Compared, ...]
    cases: tuple[CaseChoice, ...]

    @property
    def disagrees(self) -> bool:
        return any(line.agrees is Agrees.NO for line in self.compared)


@dataclass(frozen=True)
class Asked:
    """One part that waits, with the tests of the chosen case that it may be."""

    item: InboundItem
    part: Part | None
    reasons: list[str]
    text: str
    options: tuple[tuple[str, str], ...]
    suggested: str
    ask_standing: bool

    @property
    def can_be_attached(self) -> bool:
        return self.part is not None


@dataclass(frozen=True)
class Question:
    """Everything on the page of one message that waits."""

    message: InboundMessage
    report: Report | None
    person: Person | None
    asked: tuple[Asked, ...]
    candidates: tuple[Candidate, ...]
    chosen: Procedure | None
    remember: bool

    @property
    def patients(self) -> list[int]:
        return [candidate.patient.pk for candidate in self.candidates]


def question(
    message: InboundMessage, report: Report, *, chosen: Procedure | None = None, also: Iterable[int] = ()
) -> Question:
    """The message beside the best candidates. ``chosen``: the case to attach to; ``also``: patients looked for."""
    laboratory = matching_selector.laboratory_of(report.sender.application, report.sender.facility)
    known = matching_selector.known_for(report, laboratory)
    found = {part.place: part for part in parts.parts_of(report, known)}
    items = list(message.items.filter(state=ItemState.WAITING).order_by("pk"))
    waiting = [found[item.place] for item in items if item.place in found]
    first = waiting[0] if waiting else next(iter(found.values()), None)
    ids = _whom(report, waiting, known, chosen, also)
    cases = matching_selector.cases_of(ids)
    people = Patient.objects.prefetch_related("identifiers").in_bulk(ids)
    moment = matching.collected(first.group) if first else None
    ranked = {pk: matching.nearest(cases.get(pk, ()), first.fluid if first else None, moment) for pk in ids}
    reasons = {reason for item in items for reason in item.reasons}
    # where a number points at another patient nobody is suggested: a person chooses
    best = chosen or (None if matching.ALARMING & reasons else _best(ids, ranked))
    procedures = _cases().in_bulk([case.id for near in ranked.values() for case in near[:MOST_CASES]])
    person = parts.person_of(report, first.group) if first else report.patient
    if best is not None and best.pk not in procedures:
        procedures[best.pk] = best
    candidates = tuple(
        _candidate(people[pk], person, laboratory, ranked[pk], procedures, best, first) for pk in ids if pk in people
    )
    protocol = best.protocol_version.parsed if best else None
    ours = matching_selector.case(best) if best else None
    asked = tuple(_asked(item, found.get(item.place), protocol, ours) for item in items)
    return Question(
        message=message,
        report=report,
        person=person,
        asked=asked,
        candidates=candidates,
        chosen=best,
        remember=parts.only_the_code(tuple(reasons)) and "several_tests" not in reasons,
    )


def _whom(
    report: Report, waiting: list[Part], known: parts.Known, chosen: Procedure | None, also: Iterable[int]
) -> list[int]:
    """By number first, then whose tube it is, then by name and birth date; whoever was looked up comes first."""
    ids = [*also, *([chosen.patient_id] if chosen else [])]
    ids += [part.who.by_number for part in waiting if part.who.by_number is not None]
    numbers = {number for part in waiting for number in matching.numbers(part.group)}
    ids += [known.owners[number] for number in sorted(numbers) if number in known.owners]
    ids += [patient.id for patient in known.patients]
    ids += [patient.id for patient in matching_selector.born_on(report)]
    return list(dict.fromkeys(ids))[:MOST_CANDIDATES]


def _cases() -> QuerySet[Procedure]:
    return Procedure.objects.select_related("patient", "protocol_version__protocol").defer("protocol_version__data")


def _best(ids: list[int], ranked: dict[int, tuple[matching.Case, ...]]) -> Procedure | None:
    """The nearest case of the first candidate who has one."""
    nearest = next((ranked[pk][0].id for pk in ids if ranked[pk]), None)
    return _cases().filter(pk=nearest).first() if nearest is not None else None


def _candidate(
    patient: Patient,
    person: Person | None,
    laboratory: Laboratory | None,
    near: tuple[matching.Case, ...],
    procedures: dict[int, Procedure],
    chosen: Procedure | None,
    first: Part | None,
) -> Candidate:
    shown = [case for case in near if case.id in procedures][:MOST_CASES]
    if chosen is not None and chosen.patient_id == patient.pk and chosen.pk not in {case.id for case in shown}:
        shown = [*shown[: MOST_CASES - 1], *(case for case in near if case.id == chosen.pk)]
    return Candidate(
        patient=patient,
        compared=_people(patient, person, laboratory),
        cases=tuple(
            CaseChoice(procedures[case.id], case, _case(case, first), chosen is not None and chosen.pk == case.id)
            for case in shown
        ),
    )


def _people(patient: Patient, person: Person | None, laboratory: Laboratory | None) -> tuple[Compared, ...]:
    ours = matching_selector.known_patients([patient])[0]
    if person is None:
        return (Compared(_("Name"), "", patient.name, Agrees.UNKNOWN),)
    theirs = identity.numbers(person, dict(laboratory.authorities) if laboratory else {})
    same = Agrees.UNKNOWN if not theirs else Agrees.YES if theirs & ours.numbers else Agrees.NO
    written = ", ".join(f"{i.value} ({i.authority or '?'})" for i in person.identifiers if i.value)
    return (
        Compared(_("Number"), written, ", ".join(f"{v} ({a})" for a, v in sorted(ours.numbers)), same),
        Compared(_("Birth date"), _day(person.birth_date), _day(patient.birth_date),
                 identity.birth_date_agrees(person, ours)),
        Compared(_("Family name"), " / ".join(person.family_names), patient.family_name,
                 identity.family_agrees(person, ours)),
        Compared(_("Given name"), " / ".join(person.given_names), patient.given_name,
                 identity.given_agrees(person, ours)),
    )  # fmt: skip


def _day(day: date | None) -> str:
    return f"{day:%d %b %Y}" if day else ""


def _case(case: matching.Case, first: Part | None) -> tuple[Compared, ...]:
    """Fluid, time, tube and order of the first part beside the case's."""
    if first is None:
        return ()
    moment = matching.collected(first.group)
    apart = matching.distance(case, moment) if moment is not None else None
    within = timedelta(hours=case.protocol.match_hours)
    near = Agrees.UNKNOWN if apart is None else Agrees.YES if apart <= within else Agrees.NO
    numbers = matching.numbers(first.group)
    ours = matching.ours(case)
    tubes = [case.code, *(tube.number for tube in case.tubes if tube.number), *sorted(ours & numbers - {case.code})]
    fluid = Agrees.UNKNOWN if first.fluid is None else Agrees.YES if case.has(first.fluid) else Agrees.NO
    same = Agrees.UNKNOWN if not numbers else Agrees.YES if ours & numbers else Agrees.NO
    fluids = sorted({test.fluid for test in case.protocol.tests})
    return (
        Compared(_("Fluid"), first.fluid.label if first.fluid else "", ", ".join(fluids), fluid),
        Compared(_("Collected"), _moment(moment), _times(case.moments), near),
        Compared(_("Tube or order"), ", ".join(sorted(numbers)), ", ".join(dict.fromkeys(tubes)), same),
    )


def _moment(moment: Moment | None) -> str:
    if moment is None or moment.at is None:
        return moment.written if moment else ""
    return f"{moment.at:%d %b %Y}" if moment.to_the_day else _times((moment.at,))


def _times(moments: tuple[datetime, ...]) -> str:
    return ", ".join(dict.fromkeys(f"{timezone.localtime(at):%d %b %Y %H:%M}" for at in moments))


def _asked(item: InboundItem, part: Part | None, protocol: Protocol | None, ours: matching.Case | None) -> Asked:
    options = [*targets_of(protocol), (OTHER_RESULT, _("Another result, in its own words"))] if protocol else []
    return Asked(
        item=item,
        part=part,
        reasons=reason_words.words(item.reasons),
        text=_text(part),
        options=tuple(options),
        suggested=_suggested(part, protocol, ours, {code for code, _label in options}),
        ask_standing=part is not None and part.standing is Standing.UNKNOWN,
    )


def targets_of(protocol: Protocol) -> list[tuple[str, str]]:
    """Every test and value, as they are chosen from: ``test.value``; without a value: the report's text."""
    found = []
    for test in protocol.tests:
        for component in test.components:
            label = test.label if len(test.components) == 1 else f"{test.label}: {component.label}"
            found.append((f"{test.code}.{component.code}", label))
        found.append((f"{test.code}.", _("%(test)s: text of the report") % {"test": test.label}))
    return found


def _text(part: Part | None) -> str:
    if part is None:
        return ""
    if part.observation is None:
        return "\n".join(part.group.notes)
    notes = "\n".join(part.observation.notes)
    return "\n".join(text for text in (said.text_of(part.observation), notes) if text)


def _suggested(part: Part | None, protocol: Protocol | None, ours: matching.Case | None, options: set[str]) -> str:
    """The test that it most likely is: by its codes, else nothing."""
    if part is None or protocol is None:
        return ""
    targets = [part.which.target] if part.which.target else list(part.which.may_be)
    if part.observation is not None:
        targets += [Target(*pair) for pair in protocol.by_loinc.get(part.observation.code.loinc, ())]
    ordered = {order.code for order in ours.orders} if ours else set()
    ranked = sorted(targets, key=lambda target: target.test not in ordered)
    found = (f"{target.test}.{target.component}" for target in ranked)
    return next((value for value in found if value in options), "")
