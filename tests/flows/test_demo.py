"""The demonstration's data: every state is there, nothing is lost, and it is made once."""

from __future__ import annotations

import random
import stat
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinic import clock
from clinic.models import Absence, AuditEntry, ClinicHours, DemoClock, OnCall, Room, User
from followups import reconcile
from followups.demo import build, plans
from followups.domain.kinds import Kind
from followups.management.commands import demo as demo_command
from followups.models import Action, FollowUp, FollowUpNote, Message, PatientContact, Review, SymptomCheck
from followups.selectors import loop, mail
from followups.services import nightly
from followups.simulation import people
from procedures.models import (
    Laboratory,
    Patient,
    PatientIdentifier,
    PatientReport,
    Procedure,
    ResultVersion,
    StageSignature,
)
from tests import make
from tests.flows.story import moment

pytestmark = pytest.mark.django_db

NOTHING = {"procedures": 0, "patients": 0, "users": 0}


@pytest.fixture
def demonstration(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEMO=1 with published protocols; the log-ins go to a folder of this test."""
    settings.DEMO = True
    monkeypatch.setattr(people, "LOGINS", tmp_path / "demo-logins.txt")
    call_command("load_protocols", stdout=StringIO())


def demo(*args: str) -> str:
    out = StringIO()
    call_command("demo", *args, stdout=out)
    return out.getvalue()


def rows() -> dict[str, int]:
    return {"procedures": Procedure.objects.count(), "patients": Patient.objects.count(), "users": User.objects.count()}


def open_kinds() -> set[str]:
    return set(FollowUp.objects.filter(closed_at__isnull=True).values_list("kind", flat=True))


@pytest.mark.proof  # nearly a minute; the suite builds a smaller one at an awkward hour
def test_every_state_is_there_and_nothing_is_lost(demonstration: None, time_machine: Any) -> None:
    time_machine.move_to(moment(3, "10:40"))  # a Thursday morning
    shown = len(plans.shown(clock.real_now()))
    assert "The demonstration is ready." in demo("--procedures", str(shown))

    assert DemoClock.objects.get().offset.total_seconds() == 0
    every_case_is_sound(shown + build.SERIES_MORE)
    the_people_and_places_are_there()
    the_board_is_alive()
    the_lists_have_something_on_them()
    nobody_real_is_named()
    it_is_made_once()


def test_nothing_that_is_written_out_is_cut_off_unasked() -> None:
    assert len(plans.shown(clock.real_now())) <= demo_command.DEFAULT


def every_case_is_sound(shown: int) -> None:
    assert Procedure.objects.count() == shown
    assert nightly.violations() == {}
    assert nightly.check(replan=reconcile.procedure).violations == {}
    assert not FollowUp.objects.filter(kind=Kind.PLAN_FAILED).exists()
    assert not AuditEntry.objects.filter(action="invariant.violated").exists()
    assert not AuditEntry.objects.filter(at__gt=clock.now()).exclude(action__endswith=".published").exists()
    statuses = {"requested", "scheduled", "arrived", "in_progress", "completed", "cancelled", "no_show"}
    assert statuses | {"entered_in_error"} == set(Procedure.objects.values_list("status", flat=True))
    assert Procedure.objects.filter(closed_at__isnull=False).count() >= 6


def the_people_and_places_are_there() -> None:
    assert {u.username: u.roles for u in User.objects.all()} == {name: [role] for name, _, _, role in people.STAFF}
    assert User.objects.get(username="pia").display_name == "Pia Castellanos, MD"
    text = people.LOGINS.read_text(encoding="utf-8")
    assert stat.S_IMODE(people.LOGINS.stat().st_mode) == 0o600
    password = text.split("all of them: ")[1].split(")")[0]
    assert len(password) >= 12
    assert all(user.check_password(password) for user in User.objects.all())
    assert Room.objects.filter(has_fluoroscopy=True).exists()
    assert ClinicHours.objects.count() == 5
    assert OnCall.objects.filter(starts_at__gt=clock.now()).exists()
    assert Absence.objects.filter(accepted_at__isnull=False, surrogate__username="carl").count() == 2


def the_board_is_alive() -> None:
    today = Procedure.objects.filter(stay__startswith__date=clock.now().date())
    assert {"one", "two"} <= {"one" if "1" in c.room.name else "two" for c in today if c.room}
    assert {c.status for c in today} >= {"scheduled", "arrived", "in_progress", "completed", "no_show"}
    signed = {c.pk: StageSignature.objects.filter(checklist__procedure=c).count() for c in today}
    assert len(set(signed.values())) >= 3  # different readiness
    assert Procedure.objects.filter(emergency_start=True).exists()


def the_lists_have_something_on_them() -> None:
    # short-lived ones, and those that the demonstration's fortnight has no time for
    every = set(Kind) - {
        Kind.PLAN_FAILED,
        Kind.COLLECT_TESTS,
        Kind.ANSWERS_EXPIRING,
        Kind.UNREACHABLE_PATIENT,
        Kind.RERUN_SAFETY,
    }
    every -= {Kind.DELIVERY_FAILED, Kind.EMPTY_ROLE}  # every address works, every role has somebody
    assert open_kinds() >= {str(kind) for kind in every}
    asked = FollowUp.objects.get(closed_at__isnull=True, kind=Kind.ACCEPT_TRANSFER)
    assert (asked.responsible.username, asked.procedure.responsible.username) == ("carl", "pia")
    assert FollowUp.objects.filter(closed_at__isnull=True, kind=Kind.COUNTERSIGN_START, responsible=None).exists()
    counts = loop.counts(clock.now())
    assert all(counts[name] for name in ("critical", "overdue", "due", "waiting", "unreviewed", "untold", "escalated"))
    late = FollowUp.objects.filter(closed_at__isnull=True, due_at__lt=clock.now())
    assert set(late.values_list("kind", flat=True)) >= {"book_request", "symptom_check"}
    restart = FollowUp.objects.filter(closed_at__isnull=True, kind=Kind.RESTART_MEDICINE).earliest("due_at")
    assert restart.due_at < clock.now() + timedelta(days=1)
    assert [f.about["tests"] for f in late if f.kind == Kind.AWAITED_RESULT] == [["ascites_cytology"]]
    assert FollowUp.objects.filter(closed_at__isnull=True, about__extended=True).exists()
    critical = FollowUp.objects.get(closed_at__isnull=True, kind=Kind.REVIEW_RESULT, level="critical")
    assert critical.about["test"] == "ascites_cell_count"
    corrected = FollowUp.objects.get(closed_at__isnull=True, kind=Kind.REREAD_CORRECTION)
    assert corrected.about["involved"]
    told = {pk for row in PatientContact.objects.all() for pk in row.told_versions}
    assert ResultVersion.objects.filter(pk__in=told, test__versions=corrected.about["version"]).exists()
    assert FollowUpNote.objects.filter(action="comment", follow_up__closed_at__isnull=True).exists()
    assert Message.objects.filter(state="sent").exists()
    assert Message.objects.get(state="failed").report == "undelivered"  # one text, as its provider says
    assert Review.objects.exists() and Action.objects.filter(done_at__isnull=True).exists()
    assert SymptomCheck.objects.filter(worst_tier="C").exists()
    patients_have_their_say()


def patients_have_their_say() -> None:
    """By the links of their messages, each of which can be read and followed."""
    sign = FollowUp.objects.get(closed_at__isnull=True, kind=Kind.DANGER_SIGN)
    assert (sign.about["tier"], sign.due_at > clock.now()) == ("B", True)
    well = SymptomCheck.objects.filter(channel="link", outcome="answered", worst_tier="", note="")
    assert well.exists()
    assert SymptomCheck.objects.filter(language="es").exclude(note="").exists()
    assert PatientReport.objects.get().procedure.status == "scheduled"
    unread = PatientContact.objects.filter(outcome="link_sent").latest("at")
    assert unread.link is not None and unread.link.spent_at is None
    assert Laboratory.objects.get().last_pickups
    words = [found.body for found in mail.newest(limit=1000)]
    assert any("/p/" in text and "mensaje nuevo" in text for text in words)


def nobody_real_is_named() -> None:
    for patient in Patient.objects.all():
        assert "55501" in str(patient.phone)
        assert patient.email.endswith("@example.org") or not patient.email
    assert PatientIdentifier.objects.count() == Patient.objects.count()


def it_is_made_once() -> None:
    before = rows()
    audit = AuditEntry.objects.count()
    assert demo("--once") == ""
    assert (rows(), AuditEntry.objects.count()) == (before, audit)
    assert people.LOGINS.read_text(encoding="utf-8") in demo("--once", "--print-logins")
    with pytest.raises(CommandError, match="there already"):
        demo()


@pytest.mark.parametrize(
    ("day", "at"),
    [
        (-15, "01:30"),
        pytest.param(6, "23:50", marks=pytest.mark.proof),
        pytest.param(0, "00:10", marks=pytest.mark.proof),
    ],
)
def test_it_can_be_made_at_any_hour(demonstration: None, time_machine: Any, day: int, at: str) -> None:
    """Sunday night, after midnight, and the hour that comes twice."""
    time_machine.move_to(moment(day, at))
    demo("--procedures", "5")
    assert nightly.violations() == {}
    assert set(Procedure.objects.values_list("status", flat=True)) == {"in_progress", "arrived", "scheduled"}


def test_the_same_seed_makes_the_same_clinic_and_another_one_does_not(demonstration: None) -> None:
    first, again, other = (invented(seed) for seed in (1, 1, 2))
    assert first == again != other


def invented(seed: int) -> list[str]:
    names = people.Names(random.Random(seed))
    today = clock.now().date()
    return [str(sorted(names.next(today).items())) for _ in range(50)]


def test_it_is_refused_where_no_demonstration_is(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO=1"):
        demo("--once")
    assert rows() == NOTHING


def test_it_is_refused_where_there_are_patients_already(demonstration: None) -> None:
    make.patient()
    with pytest.raises(CommandError, match="not the demonstration's"):
        demo("--once")
    assert rows() == {**NOTHING, "patients": 1}


def test_it_is_refused_where_somebody_has_one_of_its_names(demonstration: None) -> None:
    make.user(username="nora")
    with pytest.raises(CommandError, match="already has the user name"):
        demo()
    assert DemoClock.objects.get().offset.total_seconds() == 0


def test_an_interrupted_one_puts_the_clock_back_and_says_so(
    demonstration: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build.Replay, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        demo()
    assert DemoClock.objects.get().offset.total_seconds() == 0
    with pytest.raises(CommandError, match="interrupted while it was made"):
        demo("--once")


def test_without_protocols_it_says_what_to_do_first(settings: Any) -> None:
    settings.DEMO = True
    with pytest.raises(CommandError, match="load_protocols first"):
        demo()
    assert rows() == NOTHING
