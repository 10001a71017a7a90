"""The words in which a clinical story is told: each is one service, called by the person whose work it is.

A story moves the clock itself (``story.at(1, "09:30")`` is the second day, Tuesday, half past nine). At every move the
engine makes its pass, and after every step the invariant is checked: not closed ⇔ an open promise with an owner or a
role, and planning again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from clinic import clock
from clinic.actor import Actor
from clinic.models import Room, User
from followups import engine, reconcile
from followups.domain.kinds import Kind
from followups.models import Action, FollowUp, Message
from followups.services import contacts, nightly, reviews, symptoms, transfers
from procedures.domain import versions
from procedures.domain.answers import Entry
from procedures.domain.states import Disposition, Outcome
from procedures.models import Hold, LabTest, Patient, Procedure, ResultVersion, Specimen, Transfer
from procedures.models.labs import SpecimenLoss
from procedures.services import (
    bookings,
    checklists,
    countersignatures,
    endings,
    holds,
    labs,
    later_tests,
    moves,
    records,
    results,
    starts,
)
from procedures.services.labs import Tube
from procedures.services.records import Content
from tests import checklist_answers, make
from tests.factories.people import Cast
from tests.flows.words import harmless_record, local, moment, what, who

BEFORE_THE_NEEDLE = ("pre_visit", "consent", "sign_in", "time_out")


def natural(key: str) -> list[tuple[int, str]]:
    """Keys end in row numbers: 9 comes before 10, however many rows the tests before have made."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", key)]


@dataclass
class Story:
    """One case and the people around it. Verbs act on the newest case; ``case`` is always fresh."""

    cast: Cast
    rooms: dict[str, Room]
    travel: Callable[[datetime], object]
    code: str = ""
    specimens: dict[str, Specimen] = field(default_factory=dict)
    looked_at: list[str] = field(default_factory=list)
    mails_seen: int = 0

    # --- time and who owes what ---------------------------------------------------------------

    def at(self, day: int, when: str) -> Story:
        """Move the clock, and let the engine look at what has become due."""
        self.travel(moment(day, when))
        report = engine.run_pass(clock.now())
        assert (report.swept, report.set_aside, report.empty_ladders) == (0, 0, 0)
        self.check()
        return self

    @property
    def case(self) -> Procedure:
        rows = Procedure.objects.select_related("patient", "protocol_version__protocol", "responsible", "operator")
        return rows.get(code=self.code)

    @property
    def is_closed(self) -> bool:
        return self.case.closed_at is not None

    @property
    def promises(self) -> list[FollowUp]:
        """The open promises of the case, the next due first."""
        rows = FollowUp.objects.filter(procedure__code=self.code, closed_at__isnull=True)
        return sorted(rows.select_related("responsible"), key=lambda p: (p.due_at, natural(p.key)))

    @property
    def owed(self) -> list[str]:
        """Who owes what by when: ``nurse/pia: await ascites_culture by Mon 23 Nov 09:50``."""
        return [f"{who(p)}: {what(p)} by {local(p.due_at)}" for p in self.promises]

    def news(self) -> list[str]:
        """What was kept or dropped (-) and what was promised anew (+) since the last look."""
        before, self.looked_at = self.looked_at, self.owed
        gone = [f"- {line}" for line in before if line not in self.looked_at]
        return gone + [f"+ {line}" for line in self.looked_at if line not in before]

    def mailed(self) -> list[str]:
        """Who was reminded of what since the last look; the mails themselves name no patient."""
        sent = Message.objects.filter(pk__gt=self.mails_seen, state="sent", recipient__isnull=False)
        rows = list(sent.select_related("recipient"))
        self.mails_seen = max((row.pk for row in rows), default=self.mails_seen)
        return [f"{row.recipient.username}: {row.kind}" for row in rows]

    def why_ended(self, kind: Kind) -> set[str]:
        """Why the closed promises of a kind were closed."""
        rows = FollowUp.objects.filter(procedure__code=self.code, kind=kind, closed_at__isnull=False)
        return set(rows.values_list("closed_because", flat=True))

    def check(self) -> None:
        """The invariant, for every case of the clinic, and that planning twice equals planning once."""
        assert nightly.violations() == {}
        for pk in Procedure.objects.values_list("pk", flat=True):
            before = nightly._fingerprint(pk)
            reconcile.procedure(pk)
            assert nightly._fingerprint(pk) == before
        assert not FollowUp.objects.filter(kind=Kind.PLAN_FAILED).exists()

    # --- the booking --------------------------------------------------------------------------

    def request(
        self, protocol: str, indication: str, *, patient: Patient | None = None, location: str = "clinic", **more: Any
    ) -> Procedure:
        make.protocol_version(protocol)
        made = bookings.request(
            actor=Actor.person(self.cast.sam),
            patient=patient or make.patient(),
            protocol=protocol,
            indication=indication,
            responsible=self.cast.pia,
            location=location,
            **more,
        )
        self.code = made.code
        self.specimens, self.looked_at = {}, []
        self.check()
        return made

    def book(self, day: int, when: str, *, operator: User | None = None) -> None:
        case = self.case
        bookings.schedule(
            actor=Actor.person(self.cast.sam),
            procedure=case,
            start=moment(day, when),
            room=self.rooms.get(case.location),
            operator=operator or self.cast.pia,
        )
        self.check()

    def order(self, code: str) -> None:
        labs.add_test(procedure=self.case, code=code, actor=Actor.person(self.cast.pia))
        self.check()

    def order_panel(self, panel: str) -> None:
        labs.order_panel(procedure=self.case, panel=panel, actor=Actor.person(self.cast.nora))
        self.check()

    def cancel(self, reason: str) -> None:
        moves.cancel(actor=Actor.person(self.cast.sam), procedure=self.case, reason=reason)
        self.check()

    def no_show(self) -> None:
        moves.no_show(actor=Actor.person(self.cast.sam), procedure=self.case)
        self.check()

    def entered_in_error(self, reason: str) -> None:
        moves.entered_in_error(actor=Actor.person(self.cast.pia), procedure=self.case, reason=reason)
        self.check()

    # --- checklist and held medicines ---------------------------------------------------------

    def answer_checklist(self, *stages: str, **special: Entry) -> None:
        checklist_answers.fill(self.case, Actor.person(self.cast.nora), *stages, **special)
        self.check()

    def sign(self, *stages: str) -> None:
        for stage in stages:
            self.answer_checklist(stage)
            by = self.cast.pia if stage in {"consent", "time_out"} else self.cast.nora
            checklists.sign(actor=Actor.person(by), procedure=self.case, stage=stage)
        self.check()

    def hold(self, ingredient: str, *, last_dose: datetime, agreed_with: str = "") -> Hold:
        """Held, and the patient told of the last dose in the same breath."""
        row = holds.hold(
            actor=Actor.person(self.cast.pia),
            procedure=self.case,
            ingredient=ingredient,
            decided_by=self.cast.pia,
            reason="bleeding risk",
            agreed_with=agreed_with,
            planned_last_dose_at=last_dose,
        )
        row = holds.told_patient(actor=Actor.person(self.cast.nora), hold=row)
        self.check()
        return row

    def restart_planned(self, day: int, when: str) -> None:
        held = self.case.holds.get()
        holds.set_restart_due(actor=Actor.person(self.cast.pia), hold=held, due_at=moment(day, when))
        self.check()

    def restart(self) -> None:
        """The nurse hears that the medicine was taken again just now."""
        holds.restart(actor=Actor.person(self.cast.nora), hold=self.case.holds.get(), at=clock.now())
        self.check()

    # --- the day ------------------------------------------------------------------------------

    def arrive(self) -> None:
        moves.arrive(actor=Actor.person(self.cast.sam), procedure=self.case)
        self.check()

    def start(self) -> None:
        starts.start(actor=Actor.person(self.cast.pia), procedure=self.case)
        self.check()

    def emergency_start(self, reason: str, *, operator: User | None = None) -> None:
        by = operator or self.cast.pia
        starts.emergency_start(actor=Actor.person(by), procedure=self.case, reason=reason, operator=by)
        self.check()

    def abandon(self, reason: str) -> None:
        starts.abandon_start(actor=Actor.person(self.cast.pia), procedure=self.case, reason=reason)
        self.check()

    def complete(
        self, outcome: Outcome = Outcome.DONE, *, to: Disposition = Disposition.HOME, reason: str = ""
    ) -> None:
        endings.complete(
            actor=Actor.person(self.cast.pia),
            procedure=self.case,
            outcome=outcome,
            disposition=to,
            outcome_reason=reason,
        )
        self.check()

    def countersign(self, *, by: User | None = None, agrees: bool = True, comment: str = "") -> None:
        """Somebody else than who started it signs."""
        signer = Actor.person(by or self.cast.carl)
        countersignatures.countersign(actor=signer, procedure=self.case, agrees=agrees, comment=comment)
        self.check()

    def offer(self, why: str, *, to: User | None = None, take_over: bool = False, **outside: str) -> Transfer:
        """The nurse hands on what is pending."""
        made = transfers.offer(
            actor=Actor.person(self.cast.nora), procedure=self.case, why=why, to=to, take_over=take_over, **outside
        )
        self.check()
        return made

    def accepted_on_the_phone(self, by: str) -> None:
        waiting = self.case.transfers.get(answer="")
        transfers.accept_by_phone(actor=Actor.person(self.cast.nora), transfer=waiting, name=by, read_back=True)
        self.check()

    def later_not_needed(self, reason: str) -> None:
        """A physician's word on everything that the protocol asks for on a later day."""
        for item in self.case.protocol_version.parsed.later_tests:
            later_tests.not_needed(
                actor=Actor.person(self.cast.pia), procedure=self.case, item=item.code, reason=reason
            )
        self.check()

    def drained(self, *, indication: str = "relief_up_to_5_l", **more: Any) -> None:
        """An ordinary paracentesis up to the signed record and delivered tubes: Tuesday nine o'clock."""
        self.at(0, "09:00").request("paracentesis", indication, **more)
        self.book(1, "09:00")
        self.at(1, "08:30").arrive()
        self.sign(*BEFORE_THE_NEEDLE)
        self.at(1, "09:00").start()
        self.at(1, "09:15").collect()
        self.at(1, "09:45").deliver()
        self.at(1, "10:00").complete()
        self.record()
        self.sign_record()
        self.looked_at = self.owed

    def record(self, **fields: Any) -> None:
        """Save the record: ``fields`` over harmless ones, needle in at the start, ended now."""
        case = self.case
        draft = records.draft_of(case)
        content = Content(
            started_at=case.started_at,
            ended_at=clock.now(),
            operator_id=case.operator_id,
            no_complications=True,
            fields={**harmless_record(case), **fields},
        )
        records.save(
            procedure=case, actor=Actor.person(self.cast.pia), content=content, seen=draft.saved_at if draft else None
        )
        self.check()

    def sign_record(self) -> None:
        case = self.case
        draft = records.draft_of(case)
        assert draft is not None
        records.sign(procedure=case, actor=Actor.person(self.cast.pia), seen=draft.saved_at)
        self.check()

    # --- the laboratory -----------------------------------------------------------------------

    def test(self, code: str) -> LabTest:
        """The order of that code that still counts."""
        return self.case.tests.exclude(status="cancelled").get(code=code)

    def collect(self, *codes: str, accession: str = "") -> None:
        """One tube per container for the tests that wait for one (or for ``codes``)."""
        case = self.case
        waiting = [t for t in case.tests.all() if t.status in {"ordered", "lost", "rejected"}]
        chosen = [t for t in waiting if not codes or t.code in codes]
        by_container: dict[str, list[int]] = {}
        for row in chosen:
            by_container.setdefault(row.container, []).append(row.pk)
        tubes = [
            Tube(
                container=container,
                tests=tuple(tests),
                volume_ml=Decimal(10),
                accession=f"{accession}-{container}" if accession else "",
                label_checked=True,
            )
            for container, tests in sorted(by_container.items())
        ]
        made = labs.collect(procedure=case, tubes=tubes, collected_at=clock.now(), actor=Actor.person(self.cast.nora))
        self.specimens |= {row.container: row for row in made}
        self.check()

    def deliver(self) -> None:
        """Handed to the courier and confirmed by the laboratory at once."""
        nurse, case = Actor.person(self.cast.nora), self.case
        tubes = [s.pk for s in case.specimens.filter(loss="", received_at__isnull=True)]
        labs.hand_over(procedure=case, specimens=tubes, to="courier 7", at=clock.now(), actor=nurse)
        labs.receive(
            procedure=case,
            specimens=tubes,
            confirmed_by="laboratory reception",
            at=clock.now(),
            actor=nurse,
            counted=len(tubes),
        )
        self.check()

    def lose(self, container: str, reason: str) -> None:
        labs.report_loss(
            specimen=self.specimens[container],
            loss=SpecimenLoss.LOST,
            reason=reason,
            actor=Actor.person(self.cast.nora),
        )
        self.check()

    def result(
        self, code: str, status: str = "final", *, again: str = "", why: str = "", **values: Any
    ) -> ResultVersion:
        """Enter a result: numbers in the component's first unit, choices by code. ``again``: the critical value."""
        row = self.test(code)
        components = {c.code: c for c in row.procedure.protocol_version.parsed.test(code).components}
        typed = {
            name: {"value": value, "unit": components[name].units[0] if components[name].units else ""}
            for name, value in values.items()
        }
        version = results.enter(
            test=row,
            status=status,
            actor=Actor.person(self.cast.nora),
            values=typed,
            read_back={"value": again} if again else None,
            change_reason=why,
        )
        self.check()
        return version

    def normal_results(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        for code, components in values.items():
            assert self.result(code, **components).level == "normal"

    # --- reading and telling ------------------------------------------------------------------

    def current(self, code: str) -> ResultVersion:
        found = versions.current(list(self.test(code).versions.all()))
        assert found is not None
        return found

    def review(self, code: str, interpretation: str = "normal", *, by: User | None = None, **more: Any) -> None:
        fields = {"plan": "none", "tell": "with_all", **more}
        reviews.review(
            version=self.current(code), actor=Actor.person(by or self.cast.pia), interpretation=interpretation, **fields
        )
        self.check()

    def review_normals(self) -> None:
        """The physician signs every normal final of the case on one screen."""
        case = self.case
        ids = [v.pk for v in reviews.normals(case)]
        reviews.review_normals(procedure=case, versions=ids, actor=Actor.person(self.cast.pia))
        self.check()

    def act(self, note: str) -> None:
        action = Action.objects.get(procedure=self.case, done_at__isnull=True)
        reviews.finish_action(action=action, actor=Actor.person(self.cast.pia), note=note)
        self.check()

    def tell(self, *codes: str, spoke_with: str = "the patient", channel: str = "phone") -> None:
        """The nurse reaches the patient about these tests (all that were reviewed, when none is named)."""
        case = self.case
        chosen = [v.pk for v in contacts.tellable(case) if not codes or v.test.code in codes]
        self.contact("results", "reached", channel, spoke_with=spoke_with, versions=chosen, understood=True)

    def tell_no_result(self, outcome: str = "reached") -> None:
        """The patient hears that there will be no (full) result."""
        self.contact("cancellation", outcome, "phone", spoke_with="the patient" if outcome == "reached" else "")

    def try_to_tell(self, outcome: str, *, channel: str = "phone") -> None:
        self.contact("results", outcome, channel)

    def contact(self, purpose: str, outcome: str, channel: str, **more: Any) -> None:
        contacts.record(
            procedure=self.case,
            actor=Actor.person(self.cast.nora),
            purpose=purpose,
            channel=channel,
            outcome=outcome,
            **more,
        )
        self.check()

    def ask_symptoms(self, check: str, *, handled: str = "", **signs: str) -> str:
        """The nurse asks the danger signs; what is not named is answered without a sign. Returns the worst tier."""
        case = self.case
        protocol = case.protocol_version.parsed
        data = symptoms.check_of(protocol, check)
        assert data is not None
        answers = {q.code: q.answers[0].code for q in symptoms.questions_of(protocol, data)} | signs
        saved = symptoms.record(
            procedure=case,
            check_code=check,
            actor=Actor.person(self.cast.nora),
            outcome="answered",
            answers=answers,
            answered_by="the patient",
            handled=handled,
        )
        self.check()
        return saved.worst_tier
