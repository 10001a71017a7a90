"""One case of the clinic and what its people do with it: each verb is a service, called at its own moment."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.models import Room, User
from clinic.ready_query import ReadyQuery
from followups.models import Action, FollowUp
from followups.services import contacts, promises, reviews, symptoms, transfers
from followups.simulation import answers
from followups.simulation.people import Cast, Names
from followups.simulation.places import Places
from followups.simulation.timeline import Timeline
from procedures import events
from procedures.domain import versions
from procedures.domain.answers import Entry
from procedures.domain.checklist import OPEN
from procedures.domain.clearance import Decision
from procedures.domain.findings import Severity
from procedures.domain.states import TEST_WAITING, Disposition, Outcome, TestStatus
from procedures.models import Patient, Procedure, ResultVersion
from procedures.models.labs import SpecimenLoss
from procedures.models.procedures import ALPHABET
from procedures.selectors import checklists as checklist_selector
from procedures.selectors import clearance as clearance_selector
from procedures.selectors import slots as calendar
from procedures.services import (
    bookings,
    checklist_rows,
    checklists,
    clearance,
    countersignatures,
    endings,
    holds,
    labs,
    later_tests,
    moves,
    records,
    results,
    slots,
    starts,
)
from procedures.services.clearance import Wish
from procedures.services.labs import Tube
from procedures.services.records import Content

GOES_ON = "Weighed with the patient: the benefit is greater, and we are prepared"
EXTRA_LIST = "Extra list, agreed with the nurse in charge"


@dataclass
class Clinic:
    """What every case of the clinic has at hand."""

    cast: Cast
    places: Places
    rng: random.Random
    names: Names
    timeline: Timeline
    patients: dict[str, Patient] = field(default_factory=dict)


#: Asked before every step of every case: written once.
ROW = ReadyQuery(
    lambda case: (
        Procedure.objects.select_related("patient", "protocol_version__protocol", "operator", "room")
        .defer("protocol_version__data")
        .filter(pk=case)
    )
)


@dataclass
class Case:
    """A procedure with its people. ``operator``: the physician who does it and answers for it."""

    clinic: Clinic
    operator: str = "pia"
    nurse: str = "nora"
    desk: str = "sam"
    pk: int = 0
    accession: int = 0

    @property
    def row(self) -> Procedure:
        return ROW.get(self.pk)

    @property
    def physician(self) -> User:
        return self.clinic.cast.users[self.operator]

    def _by(self, name: str = "") -> Actor:
        return self.clinic.cast.actor(name or self.operator)

    # --- booking ------------------------------------------------------------------------------

    def request(self, patient: Patient, protocol: str, indication: str, **more: Any) -> None:
        made = bookings.request(
            actor=self._by(self.desk),
            patient=patient,
            protocol=protocol,
            indication=indication,
            responsible=self.physician,
            code="".join(self.clinic.rng.choices(ALPHABET, k=7)),
            **more,
        )
        self.pk = made.pk

    def book_on(self, number: int) -> datetime:
        """The first free slot of the working day so many from today; where that day is full, the next one."""
        case = self.row
        wanted = self.clinic.places.moment(number, self.clinic.rng.choice((8, 9, 10, 13)))
        free = calendar.next_free(procedure=case, after=wanted, now=clock.now(), operator=self.physician, count=1)
        room = Room.objects.get(pk=free[0].room.pk) if free[0].room else None
        self._schedule(free[0].start, room)
        return free[0].start

    def book_at(self, start: datetime, room: str) -> None:
        """Exactly there, also outside the usual hours."""
        place = self.clinic.places.rooms.get(room)
        try:
            self._schedule(start, place)
        except slots.OutsideHours:
            self._schedule(start, place, outside_hours=True, reason=EXTRA_LIST)

    def _schedule(self, start: datetime, room: Room | None, **more: Any) -> None:
        bookings.schedule(
            actor=self._by(self.desk), procedure=self.row, start=start, room=room, operator=self.physician, **more
        )

    def cancel(self, reason: str) -> None:
        moves.cancel(actor=self._by(self.desk), procedure=self.row, reason=reason)

    def no_show(self) -> None:
        moves.no_show(actor=self._by(self.desk), procedure=self.row)

    def reopen(self, reason: str) -> None:
        moves.reopen(actor=self._by(self.desk), procedure=self.row, reason=reason)

    def entered_in_error(self, reason: str) -> None:
        moves.entered_in_error(actor=self._by(), procedure=self.row, reason=reason)

    # --- before the needle --------------------------------------------------------------------

    def answer(self, stage: str, special: dict[str, Entry] | None = None, *, most: int = 1000) -> None:
        """Go through a stage of the checklist; ``most``: so many answers, then the telephone rings."""
        case, nurse, now = self.row, self._by(self.nurse), clock.now()
        found = checklist_selector.state_of(case, now).stage(stage).questions
        waiting = [q for q in found if q.status in OPEN]
        bases = {q.question.code: q.answer.id for q in waiting if q.answer is not None}
        if bases:
            checklists.confirm(actor=nurse, procedure=case, bases=bases)
        if len(bases) < len(waiting):
            entries = answers.stage(stage, case, now, special or {})
            fresh = {code: entry for code, entry in entries.items() if code not in bases}
            checklists.save_answers(actor=nurse, procedure=case, entries=dict(list(fresh.items())[:most]))

    def sign(self, stage: str, special: dict[str, Entry] | None = None) -> None:
        by = self._by() if stage in {"consent", "time_out"} else self._by(self.nurse)
        with events.together():
            self.answer(stage, special)
            checklists.sign(actor=by, procedure=self.row, stage=stage)

    def is_unsigned(self, stage: str) -> bool:
        """Whether a stage is to be signed, for the first time or again."""
        return not checklist_selector.state_of(self.row, clock.now()).stage(stage).signed

    def answer_minimum(self) -> None:
        """The items of an emergency start, asked by the operator."""
        case = self.row
        asked = [q for q in case.protocol_version.parsed.questions if q.minimum and not q.asked_if]
        entries = {q.code: answers.entry(q, case, clock.now(), {}) for q in asked}
        checklists.save_answers(actor=self._by(), procedure=case, entries=entries)

    def takes(self, medicine: str, dose: str, *, last_dose: datetime | None = None) -> None:
        """A line of the medicine list; with ``last_dose`` it was stopped then."""
        checklist_rows.add_medicine(
            actor=self._by(self.nurse),
            procedure=self.row,
            name=medicine,
            dose=dose,
            status="stopped" if last_dose else "ongoing",
            last_dose_at=last_dose,
            thins_blood=last_dose is not None,
        )

    def allergic(self, substance: str, reaction: str, severity: str = "reaction") -> None:
        checklist_rows.add_allergy(
            actor=self._by(self.nurse), procedure=self.row, substance=substance, reaction=reaction, severity=severity
        )

    def hold(self, medicine: str, last_dose: datetime, *, told: bool = True) -> None:
        with events.together():
            held = holds.hold(
                actor=self._by(),
                procedure=self.row,
                ingredient=medicine,
                decided_by=self.physician,
                reason="Neuraxial procedure",
                agreed_with="Cardiology clinic, 555-0142",
                planned_last_dose_at=last_dose,
            )
            if told:
                holds.told_patient(
                    actor=self._by(self.nurse), hold=held, teach_back="None from then on, until you call me"
                )

    # --- the day ------------------------------------------------------------------------------

    def arrive(self) -> None:
        moves.arrive(actor=self._by(self.desk), procedure=self.row)

    def proceed(self, reason: str, *severities: Severity) -> None:
        """The operator goes on over what is found (all of it, or of these severities)."""
        found = clearance_selector.of(self.row, clock.now())
        left = found.uncleared if found is not None else ()
        keys = [s.finding.key for s in left if not severities or s.finding.severity in severities]
        if found is None or not keys:
            return
        wish = Wish(decision=Decision.PROCEED, keys=keys, seen=found.digest, reason=reason)
        clearance.decide(actor=self._by(), procedure=self.row, wish=wish)

    def start(self) -> None:
        self.proceed(GOES_ON, Severity.CAUTION)  # over a stop nobody goes on alone
        starts.start(actor=self._by(), procedure=self.row)

    def emergency_start(self, reason: str) -> None:
        starts.emergency_start(actor=self._by(), procedure=self.row, reason=reason, operator=self.physician)

    def complete(self, outcome: Outcome, to: Disposition, reason: str = "") -> None:
        endings.complete(actor=self._by(), procedure=self.row, outcome=outcome, disposition=to, outcome_reason=reason)

    # --- what others sign and accept ----------------------------------------------------------

    def countersign(self, by: str) -> None:
        countersignatures.countersign(actor=self._by(by), procedure=self.row, agrees=True)

    def offer(self, why: str, *, to: str = "", outside: dict[str, Any] | None = None) -> None:
        """Hand on what is pending; offered is not accepted."""
        person = self.clinic.cast.users[to] if to else None
        transfers.offer(actor=self._by(), procedure=self.row, why=why, to=person, **(outside or {}))

    def accepted_on_the_phone(self, name: str) -> None:
        waiting = self.row.transfers.get(answer="")
        transfers.accept_by_phone(actor=self._by(self.nurse), transfer=waiting, name=name, read_back=True)

    def later_tests_due(self) -> list[tuple[str, datetime]]:
        """What is to be taken on a later day, and from when."""
        found = FollowUp.objects.filter(procedure_id=self.pk, kind="later_tests", closed_at__isnull=True)
        return [(row.about["item"], row.start_at) for row in found.order_by("start_at")]

    def read_elsewhere(self, item: str) -> None:
        """Taken by the patient's own practice."""
        later_tests.read_elsewhere(
            actor=self._by(),
            procedure=self.row,
            item=item,
            place="Record of the patient's practice",
            sampled_on=timezone.localdate(clock.now()),
            finding="normal",
            interpretation="Sodium and creatinine as before",
        )

    def record(self, *, sign: bool = True, **special: Any) -> None:
        case = self.row
        content = Content(
            started_at=case.started_at,
            ended_at=case.completed_at,
            operator_id=case.operator_id,
            no_complications=True,
            fields={**answers.record(case, self.clinic.rng), **special},
        )
        saved = records.save(procedure=case, actor=self._by(), content=content, seen=None)
        if sign:
            records.sign(procedure=case, actor=self._by(), seen=saved.saved_at)

    # --- the laboratory -----------------------------------------------------------------------

    def order(self, code: str) -> None:
        labs.add_test(procedure=self.row, code=code, actor=self._by())

    def collect(self) -> None:
        """One labelled tube for each container that is needed."""
        case = self.row
        by_container: dict[str, list[int]] = {}
        for test in case.tests.filter(status__in=[TestStatus.ORDERED, TestStatus.LOST]):
            by_container.setdefault(test.container, []).append(test.pk)
        self.accession = self.clinic.rng.randrange(100_000, 999_999)
        tubes = [
            Tube(
                container=container,
                tests=tuple(tests),
                tube_number=number,
                volume_ml=Decimal("2.5"),
                accession=f"L{self.accession}-{case.pk}-{number}",
                label_checked=True,
            )
            for number, (container, tests) in enumerate(sorted(by_container.items()), start=1)
        ]
        labs.collect(procedure=case, tubes=tubes, collected_at=clock.now(), actor=self._by(self.nurse))

    def deliver(self, *, received: bool = True) -> None:
        case, nurse, now = self.row, self._by(self.nurse), clock.now()
        tubes = [row.pk for row in case.specimens.filter(loss="")]
        if received:
            labs.receive(procedure=case, specimens=tubes, confirmed_by="Laboratory reception", at=now, actor=nurse)
        else:
            labs.hand_over(procedure=case, specimens=tubes, to="Courier", at=now, actor=nurse)

    def lose(self, container: str, reason: str) -> None:
        tube = self.row.specimens.get(container=container)
        labs.report_loss(specimen=tube, loss=SpecimenLoss.LOST, reason=reason, actor=self._by(self.nurse))

    def result(self, code: str, status: str = "final", values: dict[str, Any] | None = None, *, why: str = "") -> None:
        """Enter a result; a critical one is typed a second time."""
        case = self.row
        test = case.tests.exclude(status=TestStatus.CANCELLED).get(code=code)
        found = values or answers.result(case, code, status == "preliminary")
        units = {c.code: c.units[0] if c.units else "" for c in case.protocol_version.parsed.test(code).components}
        typed = {name: {"value": value, "unit": units[name]} for name, value in found.items()}
        enter: dict[str, Any] = {
            "test": test,
            "status": status,
            "actor": self._by(self.nurse),
            "values": typed,
            "change_reason": why,
        }
        try:
            results.enter(**enter)
        except results.NeedsReadBack:
            results.enter(**enter, read_back={"value": str(next(iter(found.values())))})

    @property
    def collected_at(self) -> datetime:
        """When the first tube was taken."""
        first = self.row.specimens.order_by("collected_at").first()
        assert first is not None
        collected: datetime = first.collected_at
        return collected

    def is_awaited(self, code: str) -> bool:
        """Whether the laboratory still owes the last word on a test."""
        return self.row.tests.filter(code=code, status__in=TEST_WAITING).exists()

    def level(self, code: str) -> str:
        """How the current version of a result was graded."""
        return str(self._current(code).level)

    def _current(self, code: str) -> ResultVersion:
        test = self.row.tests.exclude(status=TestStatus.CANCELLED).get(code=code)
        found = versions.current(list(test.versions.all()))
        assert found is not None
        return found

    # --- reading, telling, asking -------------------------------------------------------------

    def review_normals(self) -> None:
        case = self.row
        chosen = [v.pk for v in reviews.normals(case)]
        if chosen:
            reviews.review_normals(procedure=case, versions=chosen, actor=self._by())

    def review(self, code: str, interpretation: str, **more: Any) -> None:
        reviews.review(version=self._current(code), actor=self._by(), interpretation=interpretation, **more)

    def act(self, note: str) -> None:
        for action in Action.objects.filter(procedure_id=self.pk, done_at__isnull=True):
            reviews.finish_action(action=action, actor=self._by(), note=note)

    def tell(self, *, channel: str = "phone", spoke_with: str = "the patient") -> None:
        """Reached and told of everything that was reviewed."""
        case = self.row
        chosen = contacts.tellable_keys(case)
        if chosen:
            self.try_to_tell("reached", channel=channel, spoke_with=spoke_with, versions=chosen, understood=True)

    def tell_no_result(self) -> None:
        self.try_to_tell("reached", purpose="cancellation", spoke_with="the patient")

    def try_to_tell(self, outcome: str, *, purpose: str = "results", channel: str = "phone", **more: Any) -> None:
        contacts.record(
            procedure=self.row, actor=self._by(self.nurse), purpose=purpose, channel=channel, outcome=outcome, **more
        )

    def ask(self, check: str, *, signs: dict[str, str] | None = None, handled: str = "") -> None:
        """The danger signs; what is not named shows none."""
        case = self.row
        data = symptoms.check_of(case.protocol_version.parsed, check)
        assert data is not None
        questions = symptoms.questions_of(case.protocol_version.parsed, data)
        symptoms.record(
            procedure=case,
            check_code=check,
            actor=self._by(self.nurse),
            outcome="answered",
            answers={q.code: q.answers[0].code for q in questions} | (signs or {}),
            answered_by="the ward" if case.patient.is_inpatient else "the patient",
            handled=handled,
        )

    def checks_due(self) -> list[tuple[str, datetime]]:
        """The promised checks of danger signs, and from when each is asked."""
        found = FollowUp.objects.filter(procedure_id=self.pk, kind="symptom_check", closed_at__isnull=True)
        return [(row.about["check"], row.start_at) for row in found.order_by("start_at")]

    def plan_restart(self, due_at: datetime) -> None:
        for held in self.row.holds.all():
            holds.set_restart_due(actor=self._by(), hold=held, due_at=due_at)

    def restart(self) -> None:
        for held in self.row.holds.filter(restart="", withdrawn_at__isnull=True):
            holds.restart(actor=self._by(self.nurse), hold=held, at=clock.now() - timedelta(minutes=30))

    def take(self, kind: str, by: str, note: str) -> None:
        """Somebody takes a promise and says what has been tried."""
        row = FollowUp.objects.filter(procedure_id=self.pk, kind=kind, closed_at__isnull=True).first()
        if row is not None:
            promises.take(actor=self._by(by), follow_up=row)
            promises.note(actor=self._by(by), follow_up=row, text=note)
