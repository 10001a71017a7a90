"""What was decided knowingly is listed with who and why, the newest first, whatever it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic import audit, clock
from clinic.actor import Actor
from clinic.models import User
from clinic.roles import Role
from followups.domain.period import Period
from followups.models import Action, Review, SymptomCheck
from followups.selectors import overrides
from procedures.models import Procedure
from tests import make
from tests.factories.work import DAY, HOUR, NOW

pytestmark = pytest.mark.django_db
PERIOD = Period.of_days(30, timezone.localdate(NOW), timezone.get_default_timezone())


@pytest.fixture
def pia() -> User:
    return make.user(Role.PHYSICIAN, full_name="Pia Physician")


@pytest.fixture
def case(pia: User) -> Procedure:
    return make.procedure(responsible=pia)


def review(case: Procedure, by: User, *, level: str, ago: timedelta, code: str, **more: str) -> Review:
    version = make.result(make.lab_test(case, code), level=level)
    fields = {"interpretation": "normal", "plan": "none", "tell": "with_all", **more}
    return Review.objects.create(version=version, procedure=case, reviewer=by, at=NOW - ago, **fields)


def every_kind(case: Procedure, pia: User, monkeypatch: pytest.MonkeyPatch) -> None:
    who = Actor.person(pia)
    for hours, action in (
        (7, "procedure.overbooked"),
        (6, "procedure.outside_hours"),
        (5, "procedure.emergency_started"),
    ):
        monkeypatch.setattr(clock, "now", lambda hours=hours: NOW - hours * HOUR)
        audit.record(action=action, actor=who, subject=case, reason=f"because {hours}")
    monkeypatch.setattr(clock, "now", lambda: NOW)
    audit.record(action="procedure.scheduled", actor=who, subject=case, reason="an ordinary step")
    review(case, pia, level="critical", ago=4 * HOUR, code="ascites_cell_count", comment="Contaminated tube")
    review(case, pia, level="normal", ago=3 * HOUR, code="ascites_albumin", tell="not_this", tell_reason="Ward tells")
    plain = review(case, pia, level="critical", ago=HOUR, code="ascites_protein", interpretation="critical")
    Action.objects.create(
        review=plain, procedure=case, what="Treat", plan="treat", responsible=pia, created_at=NOW, due_at=NOW,
        done_at=NOW - 2 * HOUR, done_by=pia, done_note="Patient declined", not_done=True,
    )  # fmt: skip
    SymptomCheck.objects.create(
        procedure=case, check_code="day_1", outcome="not_needed", reason="On the ward", at=NOW - HOUR, by=pia
    )


def test_every_kind_is_listed_with_who_and_why_the_newest_first(
    case: Procedure, pia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_kind(case, pia, monkeypatch)
    found = overrides.load(PERIOD)
    assert [(str(row.what), row.why) for row in found.rows] == [
        ("Danger signs not asked", "On the ward"),
        ("Decided action not done", "Patient declined"),
        ("Patient not told about a result", "Ward tells"),
        ("Critical by the rules, read as normal", "Contaminated tube"),
        ("Started as an emergency, by one person", "because 5"),
        ("Booked outside the hours", "because 6"),
        ("Room or operator booked twice", "because 7"),
    ]
    assert {row.who for row in found.rows} == {"Pia Physician"}
    assert {row.procedure for row in found.rows} == {case}
    assert found.total == len(found.rows) == sum(number for _title, number in found.counts)
    assert overrides.patients(PERIOD) == (7, [case.patient_id])
    assert [row.at for row in overrides.every(PERIOD, size=2)] == [row.at for row in found.rows]


def test_what_was_before_or_after_the_period_is_not_in_it(case: Procedure, pia: User) -> None:
    for ago, code in ((31 * DAY, "ascites_cell_count"), (-2 * DAY, "ascites_albumin")):
        review(case, pia, level="critical", ago=ago, code=code, comment="x")
    assert overrides.load(PERIOD).total == 0


def test_an_action_that_a_later_review_replaced_was_not_left_undone(case: Procedure, pia: User) -> None:
    first = review(case, pia, level="normal", ago=DAY, code="ascites_cell_count", plan="treat", plan_detail="x")
    Action.objects.create(
        review=first, procedure=case, what="x", plan="treat", responsible=pia, created_at=NOW, due_at=NOW,
        done_at=NOW, done_by=pia, done_note="Replaced by a later review", not_done=True,
    )  # fmt: skip
    assert overrides.load(PERIOD).total == 1
    Review.objects.create(
        version=first.version, procedure=case, reviewer=make.user(Role.PHYSICIAN), at=NOW,
        interpretation="normal", plan="none", tell="with_all", supersedes=first,
    )  # fmt: skip
    assert overrides.load(PERIOD).total == 0
