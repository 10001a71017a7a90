"""A case from its request to the needle and out of the room. What nobody does here, a list has to ask for."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction

from clinic import clock
from followups.simulation import answers, links, reports
from followups.simulation.case import EXTRA_LIST, Case
from followups.simulation.diary import Booking
from followups.simulation.fates import Fate
from followups.simulation.links import Answers
from followups.simulation.people import register
from followups.simulation.series import begin_series
from followups.simulation.stories import DOAC_HOLD, Plan
from followups.simulation.timeline import Story
from followups.simulation.world import World
from procedures import events
from procedures.domain.answers import Entry
from procedures.domain.protocol import Variant
from procedures.domain.states import TEST_WAITING, Outcome
from procedures.models import Patient, Procedure, StageSignature
from procedures.services import bookings, moves, patients, slots

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
INPATIENT = {"encounter_class": "inpatient", "reach_by": "facility", "facility": "Ward 4 East"}
BEFORE = ("requested", "scheduled")
WHY_NOT_DONE = {
    Outcome.PARTIAL: "The catheter moved, and the rest was left",
    Outcome.NO_FLUID: "Three passes under ultrasound, no fluid",
    Outcome.NOT_ATTEMPTED: "Could not lie still today",
}
#: So many must have been here before one of them comes again.
KNOWN = 20
#: So often the start is tried before the case is put off.
STARTS = 3


def course(world: World, number: int, at: datetime, fate: Fate) -> Story:
    """One case. ``number`` names it."""
    yield at
    if fate.emergency:
        yield from _emergency(world, number, fate)
        return
    case = _requested(world, number, fate)
    if "book" not in fate.forgotten:
        _book(world, case, clock.now() + fate.lead_days * DAY)
    if fate.form and fate.answers:
        world.begin(links.form(world.clinic, case))
    if fate.writes:
        world.begin(_texts(world, case, fate, clock.now() + 20 * HOUR))
    if fate.locked:
        world.begin(links.wrong_birth_dates(case, clock.now() + 30 * HOUR))
    if fate.undelivered:
        world.begin(links.does_not_arrive(case, clock.now() + fate.lead_days * DAY))
    yield from prepared(world, case, fate)


def series(world: World, number: int, at: datetime, fate: Fate, every: int) -> Story:
    """Several cases at once, for somebody who comes again and again."""
    yield at
    operator = world.staff.someone_to_operate(clock.now(), number)
    plan = Plan(protocol=fate.protocol, indication=fate.indication, operator=operator, every=every)
    patient = _patient(world, number, fate)
    first = (clock.now() + 7 * DAY).replace(hour=14, minute=0, second=0)
    for case, slot in begin_series(world.clinic, patient, plan, first):
        world.keep(case)
        row = case.row
        world.diary.note(slot, row.room, operator, _variant(row))
        world.agreed[case.pk] = slot
        world.begin(prepared(world, case, fate))


def prepared(world: World, case: Case, fate: Fate) -> Story:
    """Up to the day and through it, wherever its slot is by then."""
    slot = _slot(case)
    while slot is None:
        yield clock.now() + DAY
        if case.row.status not in BEFORE:
            return
        slot = _slot(case)
    rng = world.rng("prepared", case.pk)
    if fate.held:
        yield max(clock.now() + 30 * MINUTE, slot - DOAC_HOLD - DAY)
        world.at_work(case).hold("Apixaban", slot - DOAC_HOLD, told=rng.random() < 0.8)
    if fate.thinner:
        yield clock.now() + HOUR
        at_work = world.at_work(case)
        world.attempt("medicine", partial(at_work.takes, "Rivaroxaban", "20 mg once a day"))
        at_work.proceed("The diagnosis cannot wait, and the prescriber advises against a pause")
    if fate.ends == "moved":
        yield clock.now() + rng.randrange(2, 20) * HOUR
        _move(world, case, slot + rng.randrange(1, 5) * DAY)
        slot = _slot(case) or slot
    if fate.ends == "cancelled":
        yield max(clock.now() + HOUR, slot - rng.randrange(3, 60) * HOUR)
        world.at_work(case).cancel("The referring clinic no longer needs it")
        return
    if fate.ends == "entered_in_error":
        yield clock.now() + rng.randrange(1, 10) * HOUR
        case.entered_in_error("Requested for another patient of the same name")
        return
    if "pre_visit" not in fate.forgotten:
        yield max(clock.now() + MINUTE, slot - rng.randrange(17, 30) * HOUR)
        _pre_visit(world, case, fate, slot)
    yield from _day(world, case, fate)


def _day(world: World, case: Case, fate: Fate) -> Story:
    """Where the slot stands when the day has come: it may have been moved again and again."""
    while (slot := _slot(case)) is None or clock.now() < slot - 20 * MINUTE:
        yield (slot - 20 * MINUTE) if slot is not None else clock.now() + DAY
        if case.row.status not in BEFORE:
            return
    if fate.ends == "no_show":
        yield max(slot + 40 * MINUTE, clock.now())
        world.at_work(case).no_show()
        return  # the list asks for it
    yield from _needle(world, case, fate, slot)


def again(world: World, case: Case, after: datetime) -> None:
    """Reached by phone after a no-show: wanted again, with another slot and a better end."""
    with events.together():
        world.at_work(case).reopen("Reached by phone: had the wrong date")
        _book(world, case, after)
    rng = world.rng("again", case.pk)
    row = case.row
    fate = Fate(
        protocol=row.protocol_version.protocol.code, indication=row.indication, lead_days=2, answers=rng.random() < 0.5
    )
    world.begin(_day(world, case, fate))


# --- before the needle ---------------------------------------------------------------------------


def _requested(world: World, number: int, fate: Fate) -> Case:
    after = clock.now() + fate.lead_days * DAY
    case = Case(world.clinic, operator=world.staff.someone_to_operate(after, number))
    case = world.at_work(replace_pk(case, number))
    with events.together():
        patient = _patient(world, number, fate)
        case.request(patient, fate.protocol, fate.indication, urgency=fate.urgency)
    world.keep(case)
    world.figures["requested"] += 1
    return case


def replace_pk(case: Case, number: int) -> Case:
    """Before it has a key its number says who works on it."""
    case.pk = number
    return case


def _patient(world: World, number: int, fate: Fate) -> Patient:
    rng = world.rng("patient", number)
    if fate.comes_again and len(world.patients) > KNOWN:
        known = rng.choice(world.patients)
        known.refresh_from_db()
        if known.deceased_at is None:
            return known
    desk = world.clinic.cast.actor("sam")
    more: dict[str, Any] = dict(INPATIENT) if fate.inpatient else {}
    english = {"language": "English", "interpreter_needed": False} if fate.agrees and rng.random() < 0.8 else {}
    made = register(desk, world.clinic.names.next(clock.now().date()), **{**english, **more, **_mail(fate, number)})
    links.agree(made, fate.agrees, desk)
    transaction.on_commit(partial(world.patients.append, made))  # a request that is refused takes its patient with it
    return made


def _mail(fate: Fate, number: int) -> dict[str, str]:
    return {"email": f"patient.{number}@example.org"} if "email" in fate.agrees else {}


def _variant(row: Procedure) -> Variant:
    return row.protocol_version.parsed.variant(row.variant)


def _slot(case: Case) -> datetime | None:
    row = case.row
    return row.stay.lower if row.stay is not None and row.status in BEFORE else None


def _book(world: World, case: Case, after: datetime) -> None:
    """Where the diary sees a place; when somebody else has it by then, the next one."""
    row = case.row
    rng = world.rng("book", case.pk, after)
    for name in (case.operator, ""):
        found = world.diary.find(after, _variant(row), rng, name)
        if found is not None and _scheduled(world, case, found):
            return


def _scheduled(world: World, case: Case, found: Booking, **more: Any) -> bool:
    worker = world.at_work(case)
    try:
        bookings.schedule(
            actor=world.clinic.cast.actor(worker.desk),
            procedure=worker.row,
            start=found.start,
            room=found.room,
            operator=world.staff.cast.users[found.operator],
            **more,
        )
    except slots.OutsideHours as error:
        if more:
            world.refuse("booking", error)
            return False
        return _scheduled(world, case, found, outside_hours=True, reason=EXTRA_LIST)
    except slots.SlotTaken as error:
        world.refuse("booking", error)
        return False
    case.operator = found.operator
    world.agreed[case.pk] = found.start
    return True


def book_now(world: World, case: Case) -> None:
    """What the list of the schedulers asks for."""
    _book(world, case, clock.now() + DAY)


def _move(world: World, case: Case, after: datetime) -> None:
    world.figures["moved"] += 1
    _book(world, case, after)


def _pre_visit(world: World, case: Case, fate: Fate, slot: datetime) -> None:
    worker = world.at_work(case)
    with events.together():
        if fate.held:
            dose = partial(worker.takes, "Apixaban", "5 mg twice a day", last_dose=slot - DOAC_HOLD)
            world.attempt("medicine", dose)
        if fate.allergy:
            world.attempt("allergy", partial(worker.allergic, fate.allergy, "rash"))
        worker.sign("pre_visit")


def _texts(world: World, case: Case, fate: Fate, at: datetime) -> Story:
    yield from links.writes_back(case, at, fate.writes)


# --- the day -------------------------------------------------------------------------------------


def _needle(world: World, case: Case, fate: Fate, slot: datetime) -> Story:
    worker = world.at_work(case)
    with events.together():
        worker.arrive()
        if not _signed(worker, "pre_visit"):
            worker.sign("pre_visit")
        worker.sign("consent")
        worker.sign("sign_in", _blood_thinner(fate, slot))
    yield max(slot, clock.now())
    for _ in range(STARTS):
        if world.attempt("start", partial(_started, worker)):
            break
        yield clock.now() + 30 * MINUTE  # somebody else decides or signs meanwhile
    else:
        worker.cancel("What was found could not be cleared today")
        return
    yield clock.now() + 25 * MINUTE
    yield from _out(world, worker, fate)


def _started(case: Case) -> None:
    """Timed out and begun; what has changed since it was signed is signed again."""
    with events.together():
        for stage in ("pre_visit", "consent", "sign_in", "time_out"):
            if stage == "time_out" or case.is_unsigned(stage):
                case.sign(stage)
        case.start()


def _signed(case: Case, stage: str) -> bool:
    return StageSignature.objects.filter(checklist__procedure_id=case.pk, stage=stage).exists()


def _blood_thinner(fate: Fate, slot: datetime) -> dict[str, Entry]:
    if not fate.held:
        return {}
    return {
        "blood_thinner": Entry(pick="=last_dose_known"),
        "blood_thinner_name": Entry(value="Apixaban"),
        "blood_thinner_last_dose": Entry(value=(slot - DOAC_HOLD).isoformat()),
    }


def _emergency(world: World, number: int, fate: Fate) -> Story:
    now = clock.now()
    case = Case(world.clinic, operator=world.staff.someone_to_operate(now, number))
    case = world.at_work(replace_pk(case, number))
    with events.together():
        patient = _patient(world, number, fate)
        case.request(patient, fate.protocol, fate.indication, urgency="emergency", location="bedside")
        case.answer_minimum()
    world.keep(case)
    world.figures["requested"] += 1
    yield now + 15 * MINUTE
    case.emergency_start("Fever and drowsy: treatment waits for the fluid")
    yield clock.now() + 20 * MINUTE
    yield from _out(world, case, fate)


def _out(world: World, case: Case, fate: Fate) -> Story:
    """The needle is out: tubes, the end, the record; then the laboratory and the patient go their own ways."""
    got_fluid = fate.outcome in {Outcome.DONE, Outcome.PARTIAL}
    with events.together():
        if got_fluid:
            case.collect()
            if "receive" not in fate.forgotten:
                case.deliver()
        case.complete(fate.outcome, fate.disposition, WHY_NOT_DONE.get(fate.outcome, ""))
        case.plan_restart(clock.now() + DAY)
    world.figures[f"needle: {fate.outcome}"] += 1
    rng = world.rng("out", case.pk)
    if got_fluid:
        reports.begin(world, case)
        if fate.lost:
            world.begin(_lost(world, case, clock.now() + 2 * HOUR))
    if fate.answers:
        world.begin(links.answering(world.clinic, case, _said(world, case, fate)))
    if fate.dies_after_days is not None:
        world.begin(_death(world, case, clock.now() + fate.dies_after_days * DAY))
    if fate.ends == "late_error":
        world.begin(_late_error(world, case, clock.now() + rng.randrange(2, 50) * HOUR))
    if "record" in fate.forgotten:
        return
    yield clock.now() + rng.randrange(5, 60) * MINUTE
    with events.together():
        case.record(**({} if got_fluid else answers.without_fluid(case.row)))
        case.sign("sign_out")


def _said(world: World, case: Case, fate: Fate) -> Answers:
    rng = world.rng("said", case.pk)
    return Answers(signs=signs(case, fate.tier, rng), words=fate.words, when=rng.choice(("day_1", "day_2")))


def signs(case: Case, tier: str, rng: Any) -> dict[str, str]:
    """One answer of that tier, out of all that the protocol has."""
    if not tier:
        return {}
    protocol = case.row.protocol_version.parsed
    found = [(q.code, a.code) for q in protocol.symptom_questions for a in q.answers if a.tier == tier]
    return dict([rng.choice(found)]) if found else {}


def _lost(world: World, case: Case, at: datetime) -> Story:
    yield at
    tube = case.row.specimens.filter(tests__status__in=TEST_WAITING, loss="").order_by("pk").first()
    if tube is not None:
        world.at_work(case).lose(tube.container, "Tube broken on the way")
        world.figures["tubes lost"] += 1


def _death(world: World, case: Case, at: datetime) -> Story:
    yield at
    patient = case.row.patient
    if patient.deceased_at is None:
        actor = world.clinic.cast.actor(case.operator)
        patients.set_deceased(actor=actor, patient=patient, at=clock.now(), reason="Told by the family")
        world.figures["died"] += 1


def _late_error(world: World, case: Case, at: datetime) -> Story:
    """The wrong chart, noticed after the needle."""
    yield at
    actor = world.clinic.cast.actor(case.operator)
    moves.entered_in_error(actor=actor, procedure=case.row, reason="Written into the chart of another patient")
