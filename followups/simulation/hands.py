"""What is done about a promise, by kind: the verb that its page has. A refusal leaves it for the next look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

from clinic import clock
from clinic.actor import Actor
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import Action, FollowUp, Message, SymptomCheck, TextMessage
from followups.models.symptoms import TriageOutcome
from followups.services import messages, reviews, symptoms, texts, transfers, triage
from followups.simulation import answers, care, reports
from followups.simulation.case import GOES_ON, Case
from followups.simulation.inbox import close_unreadable, place
from followups.simulation.world import World
from procedures.domain.states import Disposition, Outcome
from procedures.models import ClearanceDecision, Hold, LabTest, ResultVersion, SafetyRun, Series
from procedures.models.read_backs import Noticed
from procedures.services import clearance, holds, inbound_decisions, labs, read_backs, safety
from procedures.services import series as series_service

HOUR = timedelta(hours=1)
Hand: TypeAlias = Callable[[World, Case, FollowUp], object]
OtherHand: TypeAlias = Callable[[World, FollowUp], object]
#: What is not part of one transaction with the rest of its case: it calls the laboratory.
ALONE = frozenset({Kind.AWAITED_RESULT, Kind.REBOOK_NO_SHOW, Kind.BOOK_AGAIN})
SIGNS = {"A": 0.01, "B": 0.02, "C": 0.03}


def tries(world: World, row: FollowUp) -> int:
    """How often somebody has been at it already."""
    return world.tries.get((row.subject_kind, row.subject_id, row.key, row.generation), 0)


def tried(world: World, row: FollowUp) -> None:
    key = (row.subject_kind, row.subject_id, row.key, row.generation)
    world.tries[key] = world.tries.get(key, 0) + 1


# --- before the needle ---------------------------------------------------------------------------


def book(world: World, case: Case, row: FollowUp) -> None:
    patient = case.row.patient
    if patient.deceased_at is not None:
        case.cancel("The patient has died")
    elif tries(world, row) > 4:
        case.cancel("No appointment could be found; the referring clinic was told")
    else:
        care.book_now(world, case)


def checklist(world: World, case: Case, row: FollowUp) -> None:
    for stage in row.about["stages"]:
        case.sign(stage)


def ask_again(world: World, case: Case, row: FollowUp) -> None:
    case.answer("pre_visit")


def decide(world: World, case: Case, row: FollowUp) -> None:
    case.proceed(GOES_ON)


def second_signature(world: World, case: Case, row: FollowUp) -> None:
    decision = ClearanceDecision.objects.get(pk=row.about["decision"])
    clearance.sign(actor=_another_physician(world, case, decision.by_id), decision=decision)


def see_difference(world: World, case: Case, row: FollowUp) -> None:
    safety.seen(actor=_nurse(world, case), run=SafetyRun.objects.get(pk=row.about["run"]))


def tell_last_dose(world: World, case: Case, row: FollowUp) -> None:
    held = Hold.objects.get(pk=row.about["hold"])
    holds.told_patient(actor=_nurse(world, case), hold=held, teach_back="None from then on, until you call me")


def carry_out(world: World, case: Case, row: FollowUp) -> None:
    status = case.row.status
    if status == "scheduled":
        case.no_show()
    elif status == "arrived":
        case.cancel("Sent home: could not be done today")
    elif status == "in_progress":
        case.complete(Outcome.NOT_ATTEMPTED, Disposition.HOME, "Begun, and written down too late")


def rebook(world: World, case: Case, row: FollowUp) -> None:
    if world.rng("rebook", case.pk, tries(world, row)).random() < 0.6:
        care.again(world, world.cases[case.pk], clock.now() + 24 * HOUR)
    else:
        case.cancel("Did not come and does not want another appointment")


def next_in_series(world: World, row: FollowUp) -> None:
    series = Series.objects.get(pk=row.subject_id)
    desk = world.clinic.cast.actor(world.staff.someone(Role.SCHEDULER, world.now, series.pk))
    series_service.end(
        actor=desk, series=series, reason="Goes on at home", cancel_booked=False, seen=series.facts_version
    )


# --- record and specimens ------------------------------------------------------------------------


def sign_record(world: World, case: Case, row: FollowUp) -> None:
    fluid = case.row.outcome in {"done", "partial"}
    case.record(**({} if fluid else answers.without_fluid(case.row)))
    if case.is_unsigned("sign_out"):
        case.sign("sign_out")


def countersign(world: World, case: Case, row: FollowUp) -> None:
    started_by = case.row.emergency_by_id
    actor = _another_physician(world, case, started_by)
    case.countersign(world.staff.names[actor.user_id or 0])


def uncollected(world: World, case: Case, row: FollowUp) -> None:
    labs.cancel_uncollected(procedure=case.row, reason="No fluid for it", actor=world.clinic.cast.actor(case.operator))


def receipt(world: World, case: Case, row: FollowUp) -> None:
    case.deliver()


def lost(world: World, case: Case, row: FollowUp) -> None:
    actor = world.clinic.cast.actor(case.operator)
    for test in LabTest.objects.filter(procedure_id=case.pk, code__in=row.about["tests"]):
        if test.status in {"lost", "rejected"}:
            labs.cancel_test(test=test, reason="Not worth another needle", actor=actor)


def call_laboratory(world: World, case: Case, row: FollowUp) -> None:
    """It sends what it has; the third time it says that there will be nothing, and somebody gives the test up."""
    codes = list(row.about["tests"])
    number = tries(world, row)
    if number > 3:
        actor = world.clinic.cast.actor(case.operator)
        for test in LabTest.objects.filter(procedure_id=case.pk, code__in=codes).exclude(status="cancelled"):
            labs.cancel_test(test=test, reason="The laboratory cannot find it", actor=actor)
    elif number == 3 or world.rng("phone", case.pk, row.key).random() < 0.3:
        for code in codes:
            if reports.is_awaited(case, code):
                case.result(code)
    else:
        reports.called(world, case, codes)


# --- results -------------------------------------------------------------------------------------


def read_result(world: World, case: Case, row: FollowUp) -> None:
    """Normal finals are signed together; anything else is read by itself."""
    case.review_normals()
    version = ResultVersion.objects.select_related("test").get(pk=row.about["version"])
    if version.reviews.exists() or not reviews.is_current(version):
        return
    owed = read_backs.is_owed(version)
    noticed = {"how": str(Noticed.HERE)} if owed and not version.phoned_critical else None
    if owed and version.phoned_critical:
        noticed = {
            "how": str(Noticed.PHONED),
            "caller": "The laboratory",
            "receiver": "N. Tanaka",
            "value": _said(version),
        }
    critical, normal = version.level == "critical", version.level == "normal"
    act = critical or (not normal and world.rng("act", version.pk).random() < 0.4)
    reviews.review(
        version=version,
        actor=world.clinic.cast.actor(case.operator),
        interpretation="critical" if critical else "normal" if normal else "abnormal",
        comment="See plan",
        plan="treat" if critical else "refer" if act else "none",
        plan_detail=("Ceftriaxone 2 g i.v., admit" if critical else "Clinic this week") if act else "",
        tell="now" if not normal else "with_all",
        noticed=noticed,
    )


def _said(version: ResultVersion) -> str:
    first = next(iter(version.values.values()))
    return str(first.get("value") or first.get("text"))


def taken_back(world: World, case: Case, row: FollowUp) -> None:
    version = ResultVersion.objects.get(pk=row.about["version"])
    actor = world.clinic.cast.actor(case.operator)
    inbound_decisions.deal(version=version, done="Nothing was done on it; the other chart was told", actor=actor)


def act(world: World, case: Case, row: FollowUp) -> None:
    action = Action.objects.get(pk=row.about["action"])
    if action.done_at is None:
        reviews.finish_action(
            action=action, actor=world.clinic.cast.actor(case.operator), note="Done and written into the chart"
        )


# --- telling and asking --------------------------------------------------------------------------


def tell(world: World, case: Case, row: FollowUp) -> None:
    """Every fourth call finds nobody; some patients are never reached, and get a letter in the end."""
    patient = case.row.patient
    no_result = bool(row.about.get("no_result"))
    purpose = "cancellation" if no_result else "results"
    hard = world.rng("reached", patient.pk).random() < 0.03
    number = tries(world, row)
    if patient.is_inpatient and not no_result:
        case.tell(channel="ward_team", spoke_with="the ward's physician")
    elif (hard and number < 9) or (number == 1 and world.rng("call", case.pk, row.key).random() < 0.25):
        channel = "caregiver" if number % 2 == 0 else "phone"
        case.try_to_tell("voicemail" if patient.voicemail_allowed else "no_answer", purpose=purpose, channel=channel)
    elif no_result:
        case.tell_no_result()
    else:
        case.tell()


def letter(world: World, case: Case, row: FollowUp) -> None:
    purpose = "cancellation" if row.key.endswith(":no_result") or "no_result" in row.key else "results"
    case.try_to_tell("letter_sent", purpose=purpose, channel="letter")


def ask(world: World, case: Case, row: FollowUp) -> None:
    """On the phone."""
    check = row.about["check"]
    rng = world.rng("asked", case.pk, check, tries(world, row))
    if tries(world, row) < 3 and rng.random() < 0.15:
        symptoms.record(procedure=case.row, check_code=check, actor=_nurse(world, case), outcome="not_reached")
        return
    tier = next((tier for tier, share in SIGNS.items() if rng.random() < share), "")
    case.ask(check, signs=care.signs(case, tier, rng), handled="Advice given, calls again tomorrow")


def call(world: World, case: Case, row: FollowUp) -> None:
    case.try_to_tell("reached", purpose="other", spoke_with="the patient")


def answer_sign(world: World, case: Case, row: FollowUp) -> None:
    report = SymptomCheck.objects.get(pk=row.about["report"])
    outcome = {"A": TriageOutcome.CALLED_911, "B": TriageOutcome.SEEN}.get(report.worst_tier, TriageOutcome.ADVISED)
    rng = world.rng("sign", report.pk, tries(world, row))
    actor = _nurse(world, case)
    if rng.random() < 0.15 and tries(world, row) < 4:
        triage.record(report=report, actor=actor, outcome=TriageOutcome.NOT_REACHED)
    else:
        triage.record(
            report=report, actor=actor, outcome=outcome, done="Spoken with, and seen to", spoke_with="The patient"
        )


def answer_words(world: World, case: Case, row: FollowUp) -> None:
    report = SymptomCheck.objects.get(pk=row.about["report"])
    triage.record(
        report=report,
        actor=_nurse(world, case),
        outcome=TriageOutcome.ADVISED,
        done="Answered on the phone",
        spoke_with="The patient",
    )


def book_again(world: World, case: Case, row: FollowUp) -> None:
    """A nurse speaks with them about it; a new case would be another story."""
    report = SymptomCheck.objects.filter(procedure_id=case.pk).order_by("-at", "-pk").first()
    if report is not None:
        triage.record(
            report=report,
            actor=_nurse(world, case),
            outcome=TriageOutcome.ADVISED,
            done="Will come next week",
            spoke_with="The patient",
        )


def read_text(world: World, row: FollowUp) -> None:
    nurse = world.clinic.cast.actor(world.staff.someone(Role.NURSE, world.now, row.subject_id))
    texts.read(actor=nurse, text=TextMessage.objects.get(pk=row.subject_id), done="Called and answered")


def undelivered(world: World, row: FollowUp) -> None:
    """The administrator has found the right address, and tells the person."""
    actor = world.clinic.cast.actor("ada")
    rows = Message.objects.filter(recipient_id=row.subject_id, state__in=["failed", "unknown"], dealt_at=None)
    for message in rows.order_by("key"):
        messages.dealt_with(actor=actor, message=message, reason="Told in person; the address is right now")


# --- afterwards ----------------------------------------------------------------------------------


def restart(world: World, case: Case, row: FollowUp) -> None:
    if world.rng("restart", case.pk).random() < 0.9:
        case.restart()
    else:
        for held in case.row.holds.filter(restart="", withdrawn_at__isnull=True):
            holds.not_restart(actor=world.clinic.cast.actor(case.operator), hold=held, reason="Stopped for good")


def later_test(world: World, case: Case, row: FollowUp) -> None:
    case.read_elsewhere(row.about["item"])


def hand_on(world: World, case: Case, row: FollowUp) -> None:
    """First somebody is named, then they accept: a colleague here, or somebody outside on the phone."""
    if "transfer" in row.about:
        waiting = case.row.transfers.get(pk=row.about["transfer"])
        if waiting.to_user_id is None:
            case.accepted_on_the_phone(waiting.to_name)
        else:
            transfers.accept(actor=world.clinic.cast.actor(world.staff.names[waiting.to_user_id]), transfer=waiting)
    elif world.rng("handed", case.pk).random() < 0.4:
        actor = _another_physician(world, case, row.responsible_id)
        case.offer(row.about["why"], to=world.staff.names[actor.user_id or 0])
    else:
        case.offer(row.about["why"], outside={"name": "Dr. Haddad", "place": "Ward 4", "phone": "555-0144"})


# --- who -----------------------------------------------------------------------------------------


def _nurse(world: World, case: Case) -> Actor:
    return world.clinic.cast.actor(case.nurse)


def _another_physician(world: World, case: Case, but: int | None) -> Actor:
    there = world.staff.present(Role.PHYSICIAN, world.now) or list(world.staff.by_role[Role.PHYSICIAN])
    all_of_them = [*there, *world.staff.by_role[Role.PHYSICIAN]]
    names = [name for name in all_of_them if world.staff.cast.users[name].pk != but]
    return world.clinic.cast.actor(names[case.pk % len(names)])


HANDS: dict[Kind, Hand] = {
    Kind.BOOK_REQUEST: book,
    Kind.CHECKLIST_NOT_DONE: checklist,
    Kind.CHECKLIST_AFTER_EMERGENCY: checklist,
    Kind.ANSWERS_EXPIRING: ask_again,
    Kind.CLEAR_FINDINGS: decide,
    Kind.SIGN_CLEARANCE: second_signature,
    Kind.RERUN_SAFETY: see_difference,
    Kind.TELL_LAST_DOSE: tell_last_dose,
    Kind.CARRY_OUT: carry_out,
    Kind.REBOOK_NO_SHOW: rebook,
    Kind.SIGN_RECORD: sign_record,
    Kind.COUNTERSIGN_START: countersign,
    Kind.COLLECT_TESTS: uncollected,
    Kind.SPECIMEN_NOT_RECEIVED: receipt,
    Kind.SPECIMEN_LOST: lost,
    Kind.AWAITED_RESULT: call_laboratory,
    Kind.REVIEW_RESULT: read_result,
    Kind.REREAD_CORRECTION: read_result,
    Kind.RESULT_TAKEN_BACK: taken_back,
    Kind.DO_ACTION: act,
    Kind.TELL_PATIENT: tell,
    Kind.UNREACHABLE_PATIENT: letter,
    Kind.SYMPTOM_CHECK: ask,
    Kind.WRITE_TO_PATIENT: call,
    Kind.MESSAGE_UNDELIVERED: call,
    Kind.CALL_SILENT: ask,
    Kind.DANGER_SIGN: answer_sign,
    Kind.READ_WORDS: answer_words,
    Kind.BOOK_AGAIN: book_again,
    Kind.LINK_LOCKED: call,
    Kind.RESTART_MEDICINE: restart,
    Kind.LATER_TESTS: later_test,
    Kind.ACCEPT_TRANSFER: hand_on,
}
#: What is about no case, or about more than one.
OTHERS: dict[Kind, OtherHand] = {
    Kind.NEXT_IN_SERIES: next_in_series,
    Kind.MATCH_RESULT: place,
    Kind.UNREADABLE_MESSAGE: close_unreadable,
    Kind.READ_TEXT: read_text,
    Kind.DELIVERY_FAILED: undelivered,
}
