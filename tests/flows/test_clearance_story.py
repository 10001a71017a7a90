"""Nobody is punctured before it is safe: the same patient for both procedures, and what each finding asks of whom."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.models import AuditEntry
from followups.domain.kinds import Kind
from followups.domain.period import Period
from followups.selectors import overrides
from procedures.domain.answers import Entry
from procedures.domain.clearance import Decision, Standing
from procedures.models import ClearanceDecision, Patient, SafetyRun
from procedures.selectors import clearance as selector
from procedures.selectors import clearance_page
from procedures.services import checklist_rows, checklists, clearance, gates, holds, rulesets, slots
from procedures.services.clearance import To, Wish
from tests import make
from tests.flows.story import Story, moment
from tests.flows.words import local

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules(db: None) -> None:
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))


def takes(story: Story, name: str, dose: str, *, status: str = "stopped", last: datetime | None = None) -> None:
    checklist_rows.add_medicine(
        actor=Actor.person(story.cast.nora),
        procedure=story.case,
        name=name,
        dose=dose,
        status=status,
        last_dose_at=last,
        instead_of_none=True,
    )


def found(story: Story) -> selector.Clearance:
    now = selector.of(story.case, clock.now())
    assert now is not None
    return now


def waiting(story: Story) -> dict[str, Standing]:
    return {s.finding.key: s.standing for s in found(story).uncleared}


def decide(story: Story, decision: Decision, *keys: str, reason: str = "Seen and weighed", **more: object) -> None:
    now = found(story)
    wish = Wish(
        decision=decision,
        keys=keys or tuple(s.finding.key for s in now.uncleared),
        seen=now.digest,
        reason=reason,
        **more,  # type: ignore[arg-type]
    )
    clearance.decide(actor=Actor.person(story.cast.pia), procedure=story.case, wish=wish)
    story.check()


def blockers(story: Story) -> list[str]:
    return gates.start_blockers(story.case, clock.now())


def kinds(story: Story) -> set[str]:
    return {p.kind for p in story.promises} & {
        Kind.CLEAR_FINDINGS, Kind.SIGN_CLEARANCE, Kind.RERUN_SAFETY, Kind.TELL_LAST_DOSE, Kind.RESTART_MEDICINE,
    }  # fmt: skip


def apixaban(story: Story, protocol: str, indication: str, patient: Patient) -> None:
    """Booked for Wednesday ten o'clock; apixaban 5 mg twice daily, the last one 40 hours before."""
    story.at(0, "18:30").request(protocol, indication, patient=patient)
    story.book(2, "10:00")
    takes(story, "Apixaban", "5 mg twice daily", last=moment(0, "18:00"))


def test_apixaban_forty_hours_before_a_lumbar_puncture_and_a_paracentesis(story: Story) -> None:
    patient = make.patient()
    apixaban(story, "lumbar_puncture", "multiple_sclerosis", patient)
    assert waiting(story) == {"medicine:apixaban": Standing.OPEN}
    stop = found(story).uncleared[0].finding
    assert (stop.code, local(stop.earliest_safe_at)) == ("medicine_too_soon", "Thu 19 Nov 18:00")
    promised = next(p for p in story.promises if p.kind == Kind.CLEAR_FINDINGS)
    assert (promised.level, promised.responsible) == ("critical", story.cast.pia)
    assert "Apixaban" in clearance_page.to_prescriber(story.case, found(story), clock.now())

    slot = clearance_page.safe_slots(story.case, found(story), clock.now())[0]
    assert local(slot.start) == "Fri 20 Nov 08:00"
    decide(
        story,
        Decision.HOLD_UNTIL,
        agreed_with="Dr Heart, 202 555 0199",
        hold_medicines=True,
        to=To(start=slot.start, room=story.rooms["clinic"], seen=slots.token(story.case)),
    )
    assert story.case.stay.lower == slot.start
    assert [f.code for f in found(story).findings if f.key == "medicine:apixaban"] == ["medicine_to_confirm"]
    assert kinds(story) == {Kind.TELL_LAST_DOSE, Kind.RESTART_MEDICINE}
    held = story.case.holds.get()
    assert local(held.planned_last_dose_at) == "Mon 16 Nov 18:00"
    holds.told_patient(actor=Actor.person(story.cast.nora), hold=held, teach_back="none since Monday evening")
    assert story.why_ended(Kind.TELL_LAST_DOSE) == {"kept"}

    story.at(3, "09:00").answer_checklist("pre_visit", stent_or_clot=Entry(value="None"))
    story.sign("pre_visit", "consent")
    assert story.case.safety_runs.filter(moment="day_before").count() == 1
    story.at(4, "07:45").arrive()
    assert "sign" in " ".join(blockers(story))
    confirm_medicines(story)
    story.answer_checklist("sign_in", can_keep_still=Entry(pick="=yes"))
    story.sign("sign_in", "time_out")
    assert waiting(story) == {}
    story.at(4, "08:00").start()
    runs = list(story.case.safety_runs.order_by("pk").values_list("moment", flat=True))
    assert runs[0] == "booking"
    assert runs[-4:] == ["arrival", "sign_in", "time_out", "start"]

    story.at(4, "08:30").complete()
    restart = next(p for p in story.promises if p.kind == Kind.RESTART_MEDICINE)
    rule = held.restart_rule
    assert rule is not None and rule["hours"] is not None
    assert (restart.due_at - story.case.completed_at).total_seconds() == rule["hours"] * 3600
    story.record(traumatic_tap="yes")
    story.sign_record()
    lengthened = next(p for p in story.promises if p.kind == Kind.RESTART_MEDICINE)
    if rule["traumatic_hours"] is None:
        assert lengthened.about["set"]
    else:
        assert lengthened.due_at > restart.due_at
    story.at(6, "08:30").restart()
    assert Kind.RESTART_MEDICINE not in kinds(story)

    story.at(7, "08:00")
    apixaban_continues(story, patient)


def confirm_medicines(story: Story) -> None:
    """At sign-in the nurse asks for the last dose again: the same list, today, by name."""
    now = story.case
    base = now.checklists.latest("number").answers.filter(question="medicines", superseded_by=None).get().pk
    checklists.confirm(actor=Actor.person(story.cast.nora), procedure=now, bases={"medicines": base})


def apixaban_continues(story: Story, patient: Patient) -> None:
    """The same patient, the same dose, for a paracentesis: nothing is held and nothing stops it."""
    story.request("paracentesis", "serial_relief", patient=patient)
    story.book(9, "10:00")
    takes(story, "Apixaban", "5 mg twice daily", last=moment(7, "07:30"))
    said = [f for f in found(story).findings if f.key == "medicine:apixaban"]
    assert [f.severity for f in said] == ["info"]
    assert waiting(story) == {}
    assert kinds(story) == set()


def answer(story: Story, **entries: Entry) -> None:
    checklists.save_answers(actor=Actor.person(story.cast.nora), procedure=story.case, entries=entries)
    story.check()


def test_proceeding_over_a_stop_waits_for_a_second_person_and_stands_among_the_overrides(story: Story) -> None:
    apixaban(story, "lumbar_puncture", "multiple_sclerosis", make.patient())
    decide(story, Decision.PROCEED, reason="Meningitis cannot wait")
    assert waiting(story) == {"medicine:apixaban": Standing.TO_SIGN}
    assert any("second signature is missing" in line for line in blockers(story))
    assert kinds(story) == {Kind.SIGN_CLEARANCE}
    row = ClearanceDecision.objects.get()
    clearance.sign(actor=Actor.person(story.cast.dora), decision=row)
    assert waiting(story) == {}
    assert kinds(story) == set()
    assert list(selector.overrides(moment(0, "00:00"))) == [row]
    written = AuditEntry.objects.get(action="clearance.decided")
    assert (written.data["over_stop"], written.data["findings"]) == (True, ["medicine_too_soon"])
    line = story.case.checklists.get().medicines.get()
    checklist_rows.change_medicine(
        actor=Actor.person(story.cast.nora), procedure=story.case, pk=line.pk, name="Apixaban",
        dose="5 mg twice daily", status="stopped", last_dose_at=moment(0, "18:20"),
    )  # fmt: skip
    assert waiting(story) == {"medicine:apixaban": Standing.OPEN}, "a later dose is another question"


def test_what_is_put_off_is_asked_about_again_the_day_before(story: Story) -> None:
    story.at(0, "09:00").request("lumbar_puncture", "multiple_sclerosis")
    story.book(7, "10:00")
    takes(story, "Apixaban", "5 mg twice daily", status="ongoing")
    promise = next(p for p in story.promises if p.kind == Kind.CLEAR_FINDINGS)
    assert promise.level == "abnormal"
    decide(story, Decision.HOLD_UNTIL, hold_until=moment(7, "10:00"), hold_medicines=True)
    assert waiting(story) == {"medicine:apixaban": Standing.PUT_OFF}
    assert local(story.case.holds.get().planned_last_dose_at) == "Fri 20 Nov 10:00"
    told = next(p for p in story.promises if p.kind == Kind.TELL_LAST_DOSE)
    assert local(told.due_at) == "Thu 19 Nov 10:00"
    assert kinds(story) == {Kind.TELL_LAST_DOSE, Kind.RESTART_MEDICINE}
    story.at(4, "07:00")  # Friday: the last working day before Monday
    assert waiting(story) == {"medicine:apixaban": Standing.OPEN}
    assert Kind.CLEAR_FINDINGS in kinds(story)
    story.at(4, "08:00")
    assert SafetyRun.objects.filter(moment="day_before").count() == 1


def test_a_cancellation_leaves_the_telling_and_the_restart_and_makes_them_due_at_once(story: Story) -> None:
    story.at(0, "09:00").request("lumbar_puncture", "multiple_sclerosis")
    story.book(7, "10:00")
    takes(story, "Apixaban", "5 mg twice daily", status="ongoing")
    decide(story, Decision.HOLD_UNTIL, hold_until=moment(7, "10:00"), hold_medicines=True)
    story.at(1, "09:00")
    decide(story, Decision.CANCEL_UNSAFE, reason="The stent is four months old")
    assert story.case.status == "cancelled"
    owed = {line for line in story.owed if "apixaban" in line or "no result" in line}
    assert owed == {
        "nurse/pia: tell that there is no need to stop apixaban by Tue 17 Nov 09:00",
        "physician/pia: restart apixaban by Tue 17 Nov 09:00",
        "nurse/pia: tell that there is no result by Mon 23 Nov 10:00",
    }


@pytest.mark.parametrize(
    ("protocol", "indication"), [("lumbar_puncture", "multiple_sclerosis"), ("paracentesis", "serial_relief")]
)
def test_warfarin_with_an_inr_of_two_point_six_stops_only_the_lumbar_puncture(
    story: Story, protocol: str, indication: str
) -> None:
    story.at(0, "09:00").request(protocol, indication)
    story.book(2, "10:00")
    takes(story, "Warfarin", "5 mg once daily", status="ongoing")
    answer(story, inr=Entry(value="2.6"), inr_at=Entry(value="2026-11-16T08:00"))
    stops = {key for key, standing in waiting(story).items() if key in ("medicine:warfarin", "lab:inr")}
    assert stops == ({"medicine:warfarin", "lab:inr"} if protocol == "lumbar_puncture" else set())


def test_a_latex_anaphylaxis_stops_until_the_kit_is_latex_free(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "serial_relief")
    story.book(2, "10:00")
    checklist_rows.add_allergy(
        actor=Actor.person(story.cast.nora), procedure=story.case, substance="Latex", category="latex",
        severity="anaphylaxis", instead_of_none=True,
    )  # fmt: skip
    keys = [key for key in waiting(story) if "latex" in key]
    assert keys
    assert "latex_free" in {flag for f in found(story).findings for flag in f.flags}
    decide(story, Decision.CORRECT_FIRST, *keys, correct="Latex-free tray, first case of the day")
    assert {waiting(story)[key] for key in keys} == {Standing.PUT_OFF}


def test_an_unknown_pregnancy_stops_the_x_rays_and_not_the_needle(story: Story) -> None:
    story.at(0, "09:00").request("lumbar_puncture", "multiple_sclerosis", variant="fluoroscopic", location="radiology")
    story.book(2, "10:00")
    answer(story, pregnancy_status=Entry(pick="=unknown"))
    assert "rule:pregnancy_fluoroscopy" in waiting(story)
    story.request("lumbar_puncture", "multiple_sclerosis", patient=story.case.patient)
    story.book(3, "10:00")
    answer(story, pregnancy_status=Entry(pick="=unknown"))
    assert "rule:pregnancy_fluoroscopy" not in waiting(story)


def test_platelets_of_forty_five_wait_for_a_clinician(story: Story) -> None:
    story.at(0, "09:00").request("lumbar_puncture", "multiple_sclerosis")
    story.book(2, "10:00")
    answer(story, platelets=Entry(value="45"), platelets_at=Entry(value="2026-11-16T08:00"))
    assert waiting(story) == {"lab:platelets": Standing.OPEN}
    assert any("A physician must say to proceed" in line for line in blockers(story))
    decide(story, Decision.PROCEED, reason="Stable for months")
    assert waiting(story) == {}
    assert not any("Caution" in line for line in blockers(story))
    answer(story, platelets=Entry(value="42", base=_base(story, "platelets")))
    assert waiting(story) == {"lab:platelets": Standing.OPEN}, "another value is another question"


def _base(story: Story, question: str) -> int:
    answers = story.case.checklists.latest("number").answers
    return int(answers.filter(question=question, superseded_by=None).get().pk)


def test_an_emergency_is_never_kept_waiting_and_what_it_passed_over_is_on_record(story: Story) -> None:
    apixaban(story, "lumbar_puncture", "meningitis", make.patient())
    story.answer_checklist()
    story.emergency_start("Meningitis, cannot wait")
    row = ClearanceDecision.objects.get()
    assert row.emergency
    assert "medicine:apixaban" in {f.key for f in selector.passed_in_emergency(story.case)}
    assert list(selector.overrides(moment(0, "00:00"))) == [row]
    period = Period.of_days(2, timezone.localdate(clock.now()), timezone.get_default_timezone())
    listed = {str(title): count for title, count in overrides.load(period).counts}
    assert listed["Decided to proceed over a stop of the safety rules"] == 1
    assert Kind.SIGN_CLEARANCE not in kinds(story)
