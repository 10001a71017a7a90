"""The checker is content with what the product does, and with nothing else."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from clinic import clock
from followups import checker
from followups.checker import Delivered, climbing, grounds, params
from followups.domain import kinds
from tests.checker import week
from tests.checker.disturbed import DISTURBED

#: What the caller must tell: provoked without a disturbed row.
TOLD = {"delivery.not_ours", "delivery.told_twice", "delivery.never_accepted", "inbound.lost", "worklist.count_differs"}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def clinic(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """The week, told once for this file: what a test does to it is undone after the test."""
    with django_db_blocker.unblock(), week.told() as story:
        yield story


def test_it_is_content_with_a_week_of_the_product(clinic: Any) -> None:
    report = week.check()
    assert report.complaints == []
    assert report.figures["messages accepted"] > 40
    assert report.looked["result.unpromised"] == 2
    assert set(report.idle) == {
        "inbound.item_undecided", "series.not_planned", "trail.action", "trail.gap", "trail.transfer",
    }  # fmt: skip


@pytest.mark.parametrize("code", DISTURBED)
def test_each_disturbance_is_complained_about(clinic: Any, code: str) -> None:
    week.sql(DISTURBED[code])
    assert code in _checked(week.accepted()).codes


def test_every_assertion_has_its_disturbance(clinic: Any) -> None:
    assert set(week.check(acknowledged=[]).looked) == set(DISTURBED) | TOLD


def test_what_a_provider_accepted_twice_is_told_twice_but_in_the_documented_window(clinic: Any) -> None:
    accepted = week.accepted()
    twice = _checked([*accepted, accepted[0]])
    assert twice.codes == {"delivery.told_twice"}
    assert "accepted 2 times" in twice.complaints[0].words
    pk = twice.complaints[0].id
    week.sql(
        f"""INSERT INTO followups_deliveryattempt
            (message_id, number, claim_token, started_at, ended_at, outcome, detail)
            SELECT message_id, 98, claim_token, started_at, ended_at, 'lost', 'the worker was lost while sending'
            FROM followups_deliveryattempt WHERE message_id = {pk} LIMIT 1"""
    )
    window = _checked([*accepted, accepted[0]])
    assert window.content
    assert window.figures["doubled inside the crash window"] == 1


def test_what_nobody_accepted_is_not_sent_and_what_is_not_ours_is_said(clinic: Any) -> None:
    accepted = week.accepted()
    report = _checked([*accepted[1:], Delivered("9:9:9:9:9:email", clock.now())])
    assert report.codes == {"delivery.never_accepted", "delivery.not_ours"}


def test_a_message_that_was_acknowledged_must_be_there(clinic: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM procedures_inboundmessage")
        digests = [digest for (digest,) in cursor.fetchall()]
    assert week.check(acknowledged=digests).content
    assert week.check(acknowledged=[*digests, "0" * 64]).codes == {"inbound.lost"}


def test_a_caller_may_show_a_few_numbers_only(clinic: Any) -> None:
    own = week.check().figures
    shown = {name: own[f"shown.{name}"] for name in ("open", "overdue", "criticals.unread")}
    assert checker.check(clock.now(), shown=shown, late=week.LATE).content


@pytest.mark.parametrize("shown", [{"open": 1}, {"overdue": 0}, {"inbox.critical": 0}, {"chase.role:0": 3}])
def test_a_number_that_a_page_shows_is_compared(clinic: Any, shown: dict[str, int]) -> None:
    report = checker.check(clock.now(), shown=shown, late=week.LATE)
    assert report.codes == {"worklist.count_differs"}


def test_the_command_says_what_it_looked_at_and_ends_with_1_when_something_is_wrong(clinic: Any, capsys: Any) -> None:
    call_command("check_loop", late=60)
    assert "content: " in capsys.readouterr().out
    week.sql(DISTURBED["result.unpromised"])
    with pytest.raises(SystemExit) as ended:
        call_command("check_loop", late=60, json=True)
    assert ended.value.code == 1
    said = json.loads(capsys.readouterr().out)
    assert said["assertions"]["result.unpromised"] == {"looked_at": 2, "complaints": 1}
    assert said["nothing_to_look_at"]
    assert not any(name in json.dumps(said) for name in ("Quackenbush", "Moreau", "Closed", "Waiting", "Zimmermann"))


def test_how_late_the_engine_may_be_is_the_callers_to_say(clinic: Any) -> None:
    week.sql("UPDATE followups_followup SET rung = 0, repeat = 0 WHERE closed_at IS NULL AND kind = 'book_request'")
    assert "ladder.late" in week.check(late=timedelta(minutes=1)).codes
    assert "ladder.late" not in week.check(late=timedelta(days=3)).codes


# --- its own tables against the product's -------------------------------------------------------


def test_it_knows_every_kind_of_promise() -> None:
    here = {str(spec.kind) for spec in kinds.specs()}
    assert set(grounds.GROUNDS) == here
    assert set(params.rules()["kinds"]) == here
    assert set(params.ladders()["ladder"]) == here


def test_the_published_hours_keep_within_its_limits() -> None:
    """From the arrival to the director's list, by the files alone."""
    begins = clock.real_now()
    for path in sorted(Path("procedures/protocols").glob("*.toml")):
        hours = tomllib.loads(path.read_text("utf-8")).get("review_hours", {})
        for level in hours.keys() & params.rules()["limits"].keys():
            limit = params.rules()["limits"][level]
            its = climbing.plan("review_result", level, begins, begins + timedelta(hours=hours[level]))
            assert its is not None
            moved = next(at for at, row in zip(its.at, its.rows, strict=True) if row["do"] == "move")
            assert moved - begins <= timedelta(minutes=limit["director"]), (path.name, level)


def _checked(delivered: list[Delivered]) -> checker.Report:
    return checker.check(clock.now(), delivered=delivered, late=week.LATE)
