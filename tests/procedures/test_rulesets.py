"""The safety rules are published as immutable versions; the newest judges every open case."""

from __future__ import annotations

import copy
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from clinic import clock
from clinic.actor import Actor
from procedures.domain.load_ruleset import ProtocolError
from procedures.models import RuleSetVersion
from procedures.selectors import safety
from procedures.services import rulesets
from tests import make

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("tests")


def test_the_same_rules_are_published_once_and_changed_ones_as_the_next_version() -> None:
    data = rulesets.read()
    first, new = rulesets.publish(data=data, actor=SYSTEM)
    assert new and first.number == 1
    assert rulesets.publish(data=copy.deepcopy(data), actor=SYSTEM) == (first, False)
    data["thresholds"]["title"] = "Changed"
    with pytest.raises(ProtocolError, match=r"thresholds\.toml"):
        rulesets.publish(data=data, actor=SYSTEM)
    assert RuleSetVersion.objects.count() == 1


def test_a_published_version_can_be_neither_changed_nor_deleted() -> None:
    version, _ = rulesets.publish(data=rulesets.read(), actor=SYSTEM)
    for write in (lambda: RuleSetVersion.objects.update(number=7), version.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()


def test_load_protocols_publishes_the_rules_too_and_says_which_file_is_wrong(tmp_path: Path) -> None:
    out = StringIO()
    call_command("load_protocols", stdout=out)
    assert "safety rules: published, version 1" in out.getvalue()
    (tmp_path / "medicines.toml").write_text("what = ", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("load_protocols", directory=tmp_path, stdout=StringIO(), stderr=(errors := StringIO()))
    assert "medicines.toml" in errors.getvalue()


def test_without_published_rules_nothing_is_found_and_with_them_an_unopened_checklist_is_one_line() -> None:
    case = make.procedure("lumbar_puncture", status="scheduled")
    assert safety.findings(case, clock.now()) == ()
    rulesets.publish(data=rulesets.read(), actor=SYSTEM)
    assert [f.severity for f in safety.findings(case, clock.now())].count("stop") == 0
    assert len(safety.findings(case, clock.now())) == 1


def test_the_planned_needle_is_judged_until_it_has_passed() -> None:
    case = make.procedure("lumbar_puncture", status="scheduled")
    planned = case.stay.lower
    assert safety.needle_at(case, planned - timedelta(hours=1)) == planned
    late = planned + timedelta(hours=1)
    assert safety.needle_at(case, late) == late
