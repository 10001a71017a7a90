"""What happens to the demonstration's patients. A story is told to its end; where the present comes first, it stops.

So the same few stories, begun on different days, leave cases in every state: waiting, under way, overdue, told, closed.
After the needle a case has several threads at once (record, laboratory, danger signs), as in real life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clinic import clock
from followups.simulation import links
from followups.simulation.case import Case, Clinic
from followups.simulation.people import register
from followups.simulation.series import begin_series
from followups.simulation.timeline import Story
from procedures.domain.answers import Entry
from procedures.domain.states import Disposition, Outcome
from procedures.domain.transfers import ELSEWHERE
from procedures.models import Patient
from procedures.services import patients

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DOAC_HOLD = 74 * HOUR
LEAD = 4  # working days from the request to the needle
QUICK = 24  # hours: what the laboratory reports on the day itself
SO_FAR = (26, 48)  # hours after which a culture is reported as *no growth so far*
WEEKLY = tuple(range(30, 1032, 168))

ENDS = {
    "cancelled": "The referring clinic no longer needs it",
    "entered_in_error": "Requested for another patient of the same name",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One story. ``day``: the working day of the needle, counted from today; ``start`` and ``room`` say exactly when.

    What is named in ``never`` nobody does: pre_visit, sign_in, arrive, start, complete, collect, deliver, receive,
    record, review, tell, ask, restart, act.
    """

    protocol: str = "paracentesis"
    indication: str = "relief_up_to_5_l"
    day: int = 0
    start: datetime | None = None
    room: str = ""
    requested_at: datetime | None = None
    operator: str = "pia"
    location: str = "clinic"
    urgency: str = "elective"
    patient: Mapping[str, Any] = field(default_factory=dict)
    known_as: str = ""  # the same patient comes again
    more_tests: tuple[str, ...] = ()
    held: str = ""
    thinner: str = ""  # still taken: the safety rules stop it until somebody decides
    proceeds: bool = False  # over that stop, by one physician so far
    untold: bool = False  # it is held, and the patient has not heard of it
    allergy: str = ""
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # results out of the ordinary
    arrivals: Mapping[str, datetime] = field(default_factory=dict)  # when they come, if not at their usual hour
    missing: frozenset[str] = frozenset()  # tests that the laboratory never reports
    lost: str = ""  # a container
    corrected: tuple[str, Mapping[str, Any], datetime] | None = None
    outcome: Outcome = Outcome.DONE
    disposition: Disposition = Disposition.HOME
    signs: Mapping[str, str] = field(default_factory=dict)  # danger signs on the second day
    never: frozenset[str] = frozenset()
    half: bool = False  # the checklist was begun and not finished
    ends: str = ""  # cancelled, no_show, entered_in_error: instead of the needle
    ended_at: datetime | None = None
    dies_at: datetime | None = None
    rebooked: bool = False  # a no-show who is given another slot
    handed_to: str = ""  # who is asked to accept what is pending; empty: somebody outside accepts on the phone
    every: int = 0  # days: one of a series
    taken: tuple[str, datetime] | None = None  # a kind of promise that the nurse takes, and when
    agrees: tuple[str, ...] = ()  # channels on which the patient may be written to
    form: bool = False  # the patient answers the form before the visit
    by_link: links.Answers | None = None  # danger signs are answered on the patient's telephone
    told_by_link: bool = False  # results are sent by a link, which nobody has opened
    texts: tuple[datetime, str] | None = None  # what the patient writes back, and when
    undelivered_at: datetime | None = None  # when the last text is reported as not delivered
    locked_at: datetime | None = None  # when somebody has guessed ten birth dates


def told(clinic: Clinic, plan: Plan) -> Story:
    """From the request to the last question."""
    case = Case(clinic, operator=plan.operator)
    yield plan.requested_at or clinic.places.moment(min(plan.day - LEAD, -2), clinic.rng.choice((8, 9, 11, 14)))
    case.request(_patient(clinic, plan), plan.protocol, plan.indication, location=plan.location, urgency=plan.urgency)
    for code in plan.more_tests:
        case.order(code)
    if plan.taken:
        clinic.timeline.add(_taken(case, *plan.taken))
    if "book" in plan.never:
        return
    yield clock.now() + clinic.rng.randrange(10, 50) * MINUTE
    if plan.start is not None:
        case.book_at(plan.start, plan.room)
        slot = plan.start
    else:
        slot = case.book_on(plan.day)
    yield from _before(clinic, case, plan, slot)


def serial(clinic: Clinic, plan: Plan) -> Story:
    """Four bookings at once for somebody who comes every fortnight; each is then carried out, or still to come."""
    yield clinic.places.moment(plan.day - LEAD, 9)
    patient = _patient(clinic, plan)
    first = clinic.places.moment(plan.day, 9)
    for case, slot in begin_series(clinic, patient, plan, first):
        clinic.timeline.add(_before(clinic, case, plan, slot))


def _patient(clinic: Clinic, plan: Plan) -> Patient:
    if plan.known_as and plan.known_as in clinic.patients:
        return clinic.patients[plan.known_as]
    made = register(clinic.cast.actor("sam"), clinic.names.next(clinic.places.today), **plan.patient)
    links.agree(made, plan.agrees, clinic.cast.actor("sam"))
    clinic.patients[plan.known_as or str(made.pk)] = made
    return made


# --- before the needle ----------------------------------------------------------------------


def _before(clinic: Clinic, case: Case, plan: Plan, slot: datetime) -> Story:
    last_dose = slot - DOAC_HOLD
    if plan.form:
        clinic.timeline.add(links.form(clinic, case))
    if plan.texts:
        clinic.timeline.add(links.writes_back(case, *plan.texts))
    if plan.locked_at:
        clinic.timeline.add(links.wrong_birth_dates(case, plan.locked_at))
    if plan.undelivered_at:
        clinic.timeline.add(links.does_not_arrive(case, plan.undelivered_at))
    if plan.thinner:
        yield clock.now() + 40 * MINUTE
        case.takes(plan.thinner, "20 mg once a day")
        if plan.untold:
            case.hold(plan.thinner, last_dose, told=False)
        if plan.proceeds:
            yield clock.now() + HOUR
            case.proceed("The diagnosis cannot wait, and the prescriber advises against a pause")
    if plan.held:
        yield max(clock.now() + 30 * MINUTE, last_dose - DAY)
        case.hold(plan.held, last_dose)
    if "pre_visit" not in plan.never:
        yield slot - 20 * HOUR
        _pre_visit(case, plan, last_dose)
    if plan.ends:
        yield plan.ended_at or slot + 40 * MINUTE
        yield from _ended(clinic, case, plan, slot)
        return
    yield from _needle(clinic, case, plan, slot)


def _pre_visit(case: Case, plan: Plan, last_dose: datetime) -> None:
    if plan.held:
        case.takes(plan.held, "5 mg twice a day", last_dose=last_dose)
        case.takes("Metoprolol", "50 mg once a day")
    if plan.protocol == "paracentesis":
        case.takes("Spironolactone", "100 mg once a day")
    if plan.allergy:
        case.allergic(plan.allergy, "rash")
    if plan.half:
        case.answer("pre_visit", most=9)
    else:
        case.sign("pre_visit")


def _ended(clinic: Clinic, case: Case, plan: Plan, slot: datetime) -> Story:
    if plan.ends == "no_show":
        case.no_show()
    elif plan.ends == "cancelled":
        case.cancel(ENDS["cancelled"])
    else:
        case.entered_in_error(ENDS["entered_in_error"])
        return
    if plan.rebooked:
        yield clock.now() + 3 * HOUR
        case.reopen("Reached by phone: had the wrong date")
        case.book_on(3)
    elif "tell" not in plan.never and plan.ends == "cancelled":
        yield clock.now() + 5 * HOUR
        case.tell_no_result()
        case.restart()


def _needle(clinic: Clinic, case: Case, plan: Plan, slot: datetime) -> Story:
    """The day itself: here, asked again, timed out, in, out."""
    if "arrive" in plan.never:
        return
    yield slot - 25 * MINUTE
    case.arrive()
    if "sign_in" in plan.never:
        return
    if "pre_visit" in plan.never:
        case.sign("pre_visit")
    yield slot - 15 * MINUTE
    case.sign("consent")
    case.sign("sign_in", _blood_thinner(plan, slot - DOAC_HOLD))
    if "start" in plan.never:
        return
    yield slot - 2 * MINUTE
    case.sign("time_out")
    yield slot + 2 * MINUTE
    case.start()
    if plan.outcome in {Outcome.DONE, Outcome.PARTIAL} and "collect" not in plan.never:
        yield slot + 12 * MINUTE
        case.collect()
    if "complete" not in plan.never:
        yield from _afterwards(clinic, case, plan, slot)


def _blood_thinner(plan: Plan, last_dose: datetime) -> dict[str, Entry]:
    if not plan.held:
        return {}
    return {
        "blood_thinner": Entry(pick="=last_dose_known"),
        "blood_thinner_name": Entry(value=plan.held),
        "blood_thinner_last_dose": Entry(value=last_dose.isoformat()),
    }


def _afterwards(clinic: Clinic, case: Case, plan: Plan, slot: datetime) -> Story:
    """The needle is out: the threads begin."""
    if "deliver" not in plan.never and plan.outcome in {Outcome.DONE, Outcome.PARTIAL}:
        yield slot + 25 * MINUTE
        case.deliver(received="receive" not in plan.never)
    yield slot + 38 * MINUTE
    reason = "" if plan.outcome is Outcome.DONE else "Three passes under ultrasound, no fluid"
    case.complete(plan.outcome, plan.disposition, reason)
    case.plan_restart(slot + DAY)
    begin = clinic.timeline.add
    begin(_record(clinic, case, plan))
    begin(_laboratory(clinic, case, plan))
    begin(links.answering(clinic, case, plan.by_link) if plan.by_link else _questions(clinic, case, plan))
    begin(_later(clinic, case, plan))
    if plan.disposition in ELSEWHERE:
        begin(_handed_on(case, plan))
    if plan.held and "restart" not in plan.never:
        begin(_restart(case, slot + DAY + HOUR))
    if plan.dies_at:
        begin(_death(clinic, case, plan.dies_at))
    if plan.outcome is Outcome.NO_FLUID and "tell" not in plan.never:
        yield clock.now() + 20 * MINUTE
        case.tell_no_result()


# --- threads after the needle ---------------------------------------------------------------


def _record(clinic: Clinic, case: Case, plan: Plan) -> Story:
    yield clock.now() + clinic.rng.randrange(10, 80) * MINUTE
    special = {} if plan.outcome is Outcome.DONE else {"appearance": "none", "volume_removed_ml": 0}
    case.record(sign="record" not in plan.never, **special)
    if "sign_out" not in plan.never:
        case.sign("sign_out")


def _handed_on(case: Case, plan: Plan) -> Story:
    """Where the patient goes somebody is to accept what is pending; a colleague has not answered yet."""
    yield clock.now() + 20 * MINUTE
    why = str(ELSEWHERE[plan.disposition])
    if plan.handed_to:
        case.offer(why, to=plan.handed_to)
        return
    case.offer(why, outside={"name": "Dr. Haddad", "place": "Ward 4", "phone": "555-0144"})
    yield clock.now() + 30 * MINUTE
    case.accepted_on_the_phone("Dr. Haddad")


def _later(clinic: Clinic, case: Case, plan: Plan) -> Story:
    """What is taken again on a later day comes from the practice of the patient."""
    yield clock.now() + 30 * HOUR  # the record is signed by then
    while "ask" not in plan.never and (due := case.later_tests_due()):
        item, start = due[0]
        yield max(start, clock.now()) + clinic.rng.randrange(20, 70) * HOUR
        if item in {code for code, _ in case.later_tests_due()}:
            case.read_elsewhere(item)


def _restart(case: Case, at: datetime) -> Story:
    yield at
    case.restart()


def _death(clinic: Clinic, case: Case, at: datetime) -> Story:
    yield at
    patients.set_deceased(
        actor=clinic.cast.actor(case.operator), patient=case.row.patient, at=clock.now(), reason="Told by the family"
    )


def _taken(case: Case, kind: str, at: datetime) -> Story:
    yield at
    case.take(kind, "nora", "Called the laboratory: they are looking for it and call back by four.")


def _questions(clinic: Clinic, case: Case, plan: Plan) -> Story:
    """Each promised check is asked in its window; a sign may promise further ones."""
    yield clock.now() + 2 * HOUR
    while "ask" not in plan.never and (due := case.checks_due()):
        code, start = due[0]
        yield max(start, clock.now()) + clinic.rng.randrange(15, 170) * MINUTE
        if code not in {check for check, _ in case.checks_due()}:
            return  # nobody is asked any more
        signs = dict(plan.signs) if code == "day_2" else {}
        case.ask(code, signs=signs, handled="Advice given, calls again tomorrow" if signs else "")


def _laboratory(clinic: Clinic, case: Case, plan: Plan) -> Story:
    """What is quick comes together; the rest one by one, each at its hour."""
    if plan.lost:
        yield clock.now() + 3 * HOUR
        case.lose(plan.lost, "Tube broken on the way")
    tests = [t for t in case.row.tests.filter(collected_at__isnull=False, ended_at=None) if t.code not in plan.missing]
    begin, rng = clinic.timeline.add, clinic.rng
    quick = [t.code for t in tests if t.usual_hours <= QUICK and t.code not in plan.arrivals]
    quick.sort(key=lambda code: (not code.startswith("serum"), code))
    if quick:
        begin(_reported(clinic, case, plan, quick, case.collected_at + rng.randrange(200, 330) * MINUTE))
    for test in tests:
        if test.code in quick:
            continue
        usual = case.collected_at + timedelta(hours=test.usual_hours * rng.uniform(0.8, 1.0))
        begin(_reported(clinic, case, plan, [test.code], plan.arrivals.get(test.code, usual)))
        if test.has_preliminary:
            begin(_so_far(case, test.code, WEEKLY if test.extended else SO_FAR))
    if plan.corrected:
        begin(_corrected(clinic, case, plan))
    yield clock.now()


def _reported(clinic: Clinic, case: Case, plan: Plan, codes: list[str], at: datetime) -> Story:
    """Reported, read, told."""
    yield at
    for code in codes:
        case.result(code, values=dict(plan.values.get(code, {})))
    if "review" in plan.never:
        return
    urgent = [code for code in codes if case.level(code) == "critical"]
    yield clock.now() + (20 * MINUTE if urgent else clinic.rng.randrange(60, 400) * MINUTE)
    yield from _read(clinic, case, plan, codes)


def _read(clinic: Clinic, case: Case, plan: Plan, codes: list[str]) -> Story:
    case.review_normals()
    found = {code: case.level(code) for code in codes}
    remarkable = [code for code, level in found.items() if level != "normal"]
    for code in remarkable:
        critical = found[code] == "critical"
        plan_, what = ("treat", "Ceftriaxone 2 g i.v., admit") if critical else ("refer", "Oncology clinic this week")
        level = "critical" if critical else "abnormal"
        case.review(code, level, comment="See plan", plan=plan_, plan_detail=what, tell="now")
    if remarkable and "act" not in plan.never:
        clinic.timeline.add(_acted(case, clock.now() + clinic.rng.randrange(30, 600) * MINUTE))
    if "tell" in plan.never or case.row.patient.deceased_at:
        return
    yield clock.now() + (HOUR if remarkable else clinic.rng.randrange(900, 1500) * MINUTE)
    if plan.told_by_link:
        links.send_results(case)
        return
    yield from _tell(clinic, case)


def _tell(clinic: Clinic, case: Case) -> Story:
    """Every third call finds nobody at first."""
    if clinic.rng.random() < 1 / 3:
        case.try_to_tell("voicemail" if case.row.patient.voicemail_allowed else "no_answer")
        yield clock.now() + 3 * HOUR
    patient = case.row.patient
    if patient.deceased_at:
        return
    if patient.is_inpatient:
        case.tell(channel="ward_team", spoke_with="the ward's physician")
    else:
        case.tell()


def _acted(case: Case, at: datetime) -> Story:
    yield at
    case.act("Done and written into the chart")


def _so_far(case: Case, code: str, hours: tuple[int, ...]) -> Story:
    """The laboratory's reports on the way, until it has said the last word."""
    for after in hours:
        yield max(case.collected_at + after * HOUR, clock.now())
        if case.is_awaited(code):
            case.result(code, "preliminary")


def _corrected(clinic: Clinic, case: Case, plan: Plan) -> Story:
    assert plan.corrected is not None
    code, values, at = plan.corrected
    yield at
    case.result(code, "corrected", values=dict(values), why="Recounted by hand")
    if "review" not in plan.never:
        yield clock.now() + 20 * MINUTE
        yield from _read(clinic, case, plan, [code])


# --- the emergency --------------------------------------------------------------------------


def emergency(clinic: Clinic, plan: Plan) -> Story:
    """Called at night: six answers, the needle, and the rest of the checklist is owed."""
    assert plan.start is not None
    case = Case(clinic, operator=plan.operator)
    yield plan.start - 15 * MINUTE
    case.request(_patient(clinic, plan), plan.protocol, plan.indication, urgency="emergency", location=plan.location)
    case.answer_minimum()
    yield plan.start
    case.emergency_start("Fever, stiff neck and drowsy: treatment waits for the fluid")
    yield plan.start + 12 * MINUTE
    case.collect()
    yield from _afterwards(clinic, case, plan, plan.start)
