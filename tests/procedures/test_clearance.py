"""Decisions about findings: whose, about what was seen, with a second person over a stop, and never changed."""

from __future__ import annotations

import copy
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.roles import Role
from procedures.domain.answers import Entry
from procedures.domain.clearance import Decision, Moment, Standing
from procedures.models import ClearanceDecision, ClearanceSignature, Procedure, RuleSetVersion, SafetyRun
from procedures.selectors import clearance as selector
from procedures.selectors import rule_sets
from procedures.services import checklist_rows, checklists, clearance, gates, rulesets, safety
from procedures.services.clearance import Wish
from tests import make

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("tests")


@pytest.fixture
def stopped() -> Procedure:
    """A lumbar puncture in two days, of somebody who takes apixaban."""
    rulesets.publish(data=rulesets.read(), actor=SYSTEM)
    case = make.procedure("lumbar_puncture", status="scheduled")
    checklist_rows.add_medicine(
        actor=make.actor(), procedure=case, name="Apixaban", dose="5 mg twice daily", status="ongoing"
    )
    return case


def found(case: Procedure) -> selector.Clearance:
    now = selector.of(case, clock.now())
    assert now is not None
    return now


def wish(case: Procedure, decision: Decision = Decision.PROCEED, **more: Any) -> Wish:
    now = found(case)
    fields = {"keys": [s.finding.key for s in now.uncleared], "seen": now.digest, "reason": "Cannot wait"} | more
    return Wish(decision=decision, **fields)


def decided(case: Procedure, by: Actor | None = None, **more: Any) -> ClearanceDecision:
    return clearance.decide(actor=by or make.actor(Role.PHYSICIAN), procedure=case, wish=wish(case, **more))


def test_a_stop_is_kept_at_once_and_only_when_what_stops_the_case_is_different(stopped: Procedure) -> None:
    (run,) = SafetyRun.objects.all()
    assert (run.moment, run.changed, run.rule_set.number) == (Moment.STOP_APPEARED, False, 1)
    assert "medicine:apixaban" in {f.key for f in run.found}
    checklists.save_answers(actor=make.actor(), procedure=stopped, entries={"latex": Entry(pick="=no")})
    assert SafetyRun.objects.count() == 1


def test_without_published_rules_nothing_is_run_and_nothing_waits() -> None:
    case = make.procedure("lumbar_puncture", status="scheduled")
    checklist_rows.add_medicine(actor=make.actor(), procedure=case, name="Apixaban", status="ongoing")
    assert selector.of(case, clock.now()) is None
    assert not SafetyRun.objects.exists()
    assert gates.safety_blockers(case, clock.now()) == []


def test_rules_that_fail_never_lose_an_answer_and_never_open_the_gate(
    stopped: Procedure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("a broken rule")

    monkeypatch.setattr(selector.safety, "evaluate", broken)
    checklist_rows.add_medicine(actor=make.actor(), procedure=stopped, name="Warfarin", status="ongoing")
    assert stopped.checklists.get().medicines.count() == 2
    assert "could not be run" in gates.safety_blockers(stopped, clock.now())[0]


def test_only_a_physician_decides_and_says_why_about_something_that_was_found(stopped: Procedure) -> None:
    with pytest.raises(NotPermitted):
        decided(stopped, make.actor(Role.NURSE))
    for field, more in {
        "reason": {"reason": " "},
        "keys": {"keys": ["medicine:heparin"]},
        "correct": {"decision": Decision.CORRECT_FIRST},
        "hold_until": {"decision": Decision.HOLD_UNTIL, "hold_until": clock.now() - timedelta(hours=1)},
    }.items():
        with pytest.raises(Invalid) as refused:
            decided(stopped, **more)
        assert refused.value.field == field
    assert not ClearanceDecision.objects.exists()


def test_a_decision_about_findings_that_are_no_longer_so_is_refused(stopped: Procedure) -> None:
    old = wish(stopped)
    checklist_rows.add_medicine(actor=make.actor(), procedure=stopped, name="Warfarin", status="ongoing")
    with pytest.raises(Conflict):
        clearance.decide(actor=make.actor(Role.PHYSICIAN), procedure=stopped, wish=old)
    assert not ClearanceDecision.objects.exists()


def test_the_second_signature_is_another_persons_and_counts_once(stopped: Procedure) -> None:
    first, second = make.actor(Role.PHYSICIAN), make.actor(Role.DIRECTOR)
    row = decided(stopped, first)
    with pytest.raises(NotPermitted):
        clearance.sign(actor=first, decision=row)
    with pytest.raises(NotPermitted):
        clearance.sign(actor=make.actor(Role.NURSE), decision=row)
    assert [s.standing for s in found(stopped).uncleared] == [Standing.TO_SIGN]
    signature = clearance.sign(actor=second, decision=row)
    assert clearance.sign(actor=second, decision=row) == signature  # a double click
    with pytest.raises(Conflict):
        clearance.sign(actor=make.actor(Role.PHYSICIAN), decision=row)
    assert found(stopped).uncleared == ()


def test_postgresql_refuses_a_second_signature_by_the_same_person(stopped: Procedure) -> None:
    row = decided(stopped)
    with pytest.raises(IntegrityError), transaction.atomic():
        ClearanceSignature.objects.create(decision=row, by=row.by, at=clock.now())
    ClearanceSignature.objects.create(decision=row, by=make.user(Role.PHYSICIAN), at=clock.now())


def test_runs_decisions_and_signatures_are_never_changed(stopped: Procedure) -> None:
    row = decided(stopped)
    clearance.sign(actor=make.actor(Role.PHYSICIAN), decision=row)
    for model, change in (
        (SafetyRun, {"moment": "booking"}),
        (ClearanceDecision, {"reason": "other"}),
        (ClearanceSignature, {"at": clock.now()}),
    ):
        for write in (lambda m=model, c=change: m.objects.update(**c), model.objects.all()._raw_delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                write("default") if write.__name__ == "_raw_delete" else write()


def test_once_the_needle_is_in_nothing_is_left_to_sign(stopped: Procedure) -> None:
    row = decided(stopped)
    Procedure.objects.filter(pk=stopped.pk).update(status="in_progress", started_at=clock.now())
    with pytest.raises(Conflict):
        clearance.sign(actor=make.actor(Role.PHYSICIAN), decision=row)


def test_the_day_before_runs_once_for_each_slot(stopped: Procedure) -> None:
    day = timezone.localdate(stopped.stay.lower)
    assert safety.day_before(actor=SYSTEM, first=day, last=day) == (1, 0)
    assert safety.day_before(actor=SYSTEM, first=day, last=day) == (0, 0)
    assert SafetyRun.objects.filter(moment=Moment.DAY_BEFORE).count() == 1


def softer() -> dict[str, Any]:
    """Rules under which two days are long enough for apixaban before a neuraxial needle."""
    data = copy.deepcopy(rulesets.read())
    for rule in data["medicines"]["holds"]:
        if "apixaban" in rule["ingredients"] and rule.get("hold_hours"):
            rule["hold_hours"] = 24
    return data


def test_a_newer_rule_set_says_which_open_cases_it_judges_otherwise_and_runs_them_once(stopped: Procedure) -> None:
    line = stopped.checklists.get().medicines.get()
    checklist_rows.change_medicine(
        actor=make.actor(), procedure=stopped, pk=line.pk, name="Apixaban", dose="5 mg twice daily", status="stopped",
        last_dose_at=clock.now() - timedelta(minutes=5),
    )  # fmt: skip
    version, _new = rulesets.publish(data=softer(), actor=SYSTEM)
    (case,) = rule_sets.changed_cases(version, clock.now())
    assert case.waits
    assert ("softer", "medicine:apixaban") in {(c.kind, c.after.key) for c in case.changes if c.after}
    assert safety.rules_changed(actor=SYSTEM) == 1
    assert safety.rules_changed(actor=SYSTEM) == 0
    run = SafetyRun.objects.get(moment=Moment.RULE_CHANGE)
    assert (run.changed, run.rule_set) == (True, version)
    assert [c.waits for c in rule_sets.changed_cases(version, clock.now())] == [False]
    safety.seen(actor=make.actor(Role.NURSE), run=run)
    assert run.seen.by_id


def test_load_protocols_says_how_many_cases_are_judged_otherwise(stopped: Procedure) -> None:
    call_command("load_protocols", stdout=StringIO())
    RuleSetVersion.objects.get()  # the same rules: no new version
    call_command("load_protocols", stdout=(out := StringIO()))
    assert "judged otherwise" not in out.getvalue()


def test_time_out_cannot_follow_the_start() -> None:
    case = make.procedure("paracentesis", status="in_progress")
    checklists.open_round(actor=make.actor(), procedure=case)
    with pytest.raises(Conflict, match="has started"):
        checklists.sign(actor=Actor.person(case.responsible), procedure=case, stage="time_out")
