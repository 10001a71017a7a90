"""The figures of a period are exactly those of the facts: the database says what the pure rules say."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.utils import timezone

from followups.domain import levels
from followups.domain.figures import FEW, Share
from followups.domain.kinds import Closed, Kind
from followups.domain.period import Period
from followups.models import FollowUp, PatientContact, Review
from followups.selectors import indicators
from procedures.domain import versions
from procedures.models import Procedure, ResultVersion, Specimen
from tests import make
from tests.factories.work import DAY, HOUR, NOW, promise

pytestmark = pytest.mark.django_db
ZONE = timezone.get_default_timezone()
PERIOD = Period.of_days(30, timezone.localdate(NOW), ZONE)
LIMITS = {"critical": 1, "abnormal": 24, "normal": 72}
STATUSES = ("preliminary", "final", "corrected", "withdrawn")


@pytest.fixture
def case() -> Procedure:
    return make.procedure(status="completed", starts=NOW - 20 * DAY)


def read(version: ResultVersion, at: datetime, **more: Any) -> Review:
    case = version.test.procedure
    return Review.objects.create(
        version=version, procedure=case, reviewer=case.responsible, at=at,
        interpretation="normal", plan="none", tell="with_all", **more,
    )  # fmt: skip


def histories(case: Procedure, chance: random.Random, many: int) -> list[ResultVersion]:
    """Tests with up to four versions in any order of rank, reporting and arrival, read or not."""
    made = []
    for _ in range(many):
        test = make.lab_test(make.procedure(protocol_version=case.protocol_version, patient=case.patient))
        for number in range(1, chance.randint(2, 5)):
            arrived = NOW - chance.randint(-2, 34 * 24) * HOUR
            made.append(
                ResultVersion.objects.create(
                    test=test, number=number, status=chance.choice(STATUSES), level=chance.choice((*LIMITS, "unknown")),
                    arrived_at=arrived, reported_at=NOW - chance.randint(0, 4) * HOUR,
                )
            )  # fmt: skip
            if chance.random() < 0.5:
                read(made[-1], arrived + chance.choice((5, 30, 100, 1500, 6000)) * HOUR / 60)
    return made


def graded(row: ResultVersion, rows: list[ResultVersion]) -> str:
    """As the promise to read it is: a correction of what was read is never read as calmly as a first normal result."""
    others = [other.pk for other in rows if other.test_id == row.test_id and other.pk != row.pk]
    read_before = Review.objects.filter(version__in=others, at__lt=row.arrived_at).exists()
    return (
        levels.at_least_abnormal(row.level) if row.status == "corrected" and read_before else levels.graded(row.level)
    )


def expected(rows: list[ResultVersion]) -> dict[str, list[Any]]:
    """In time, late, unread, still in time and the times, of each level: by the rules, one version after another."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        asked = row.status != "withdrawn" and (row.status, row.level) != ("preliminary", "normal")
        if not (asked and PERIOD.starts <= row.arrived_at < PERIOD.ends):
            continue
        level = graded(row, rows)
        limit = row.arrived_at + LIMITS[level] * HOUR
        at = min((review.at for review in Review.objects.filter(version=row)), default=None)
        siblings = [other for other in rows if other.test_id == row.test_id and other.arrived_at <= limit]
        counts = versions.current(siblings)
        if at is None and (counts is None or counts.pk != row.pk):
            continue  # replaced while there was time
        numbers = found.setdefault(level, [0, 0, 0, 0, []])
        if at is not None:
            numbers[0 if at <= limit else 1] += 1
            numbers[4].append(at - row.arrived_at)
        else:
            numbers[2 if limit < NOW else 3] += 1
    return found


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happened_the_figures_are_those_of_the_rules(seed: int, case: Procedure) -> None:
    rows = histories(case, random.Random(seed), 40)
    whole, by_level = indicators.acknowledged(PERIOD, NOW, indicators.published())
    wanted = expected(rows)
    for row in by_level:
        in_time, late, unread, waiting, times = wanted.pop(row.level, [0, 0, 0, 0, []])
        assert (row.in_time, row.late, row.unread, row.waiting) == (in_time, late, unread, waiting), row.level
        assert row.limit == LIMITS[row.level] * HOUR
        assert row.times.count == len(times)
        assert row.times.median == (median(times) if times else None)
        assert (row.times.p90 is not None) == (len(times) >= FEW)
    assert not wanted
    assert whole.share.whole == sum(row.share.whole for row in by_level)
    assert whole.share.part == sum(row.in_time for row in by_level)
    assert [row.level for row in by_level] == ["critical", "abnormal", "normal"]


def test_of_nothing_there_is_nothing_to_say(case: Procedure) -> None:
    found = indicators.of(PERIOD, NOW)
    shares = (
        found.acknowledged.share, found.overdue, found.lost, found.rejected, found.corrected, found.unreached
    )  # fmt: skip
    assert set(shares) == {Share(0, 0)}
    assert {share.percent for share in shares} == {None}
    assert (found.by_level, found.turnaround, found.overdue_by_kind) == ((), (), ())
    assert found.acknowledged.times.median is None


@pytest.mark.parametrize(("status", "counted"), [("requested", 1), ("entered_in_error", 0)])
def test_a_case_that_was_entered_in_error_is_in_no_figure(status: str, counted: int) -> None:
    case = make.procedure(status=status)
    read(make.result(make.lab_test(case, collected_at=NOW - DAY), arrived_at=NOW - HOUR), NOW)
    specimen(case)
    promise(Kind.SIGN_RECORD, procedure=case, due=-HOUR)
    contact(case, "no_answer")
    second = make.lab_test(case, "ascites_albumin")
    make.result(second, arrived_at=NOW - 2 * HOUR)
    make.result(second, status="corrected", arrived_at=NOW - HOUR)
    found = indicators.of(PERIOD, NOW)
    shares = (found.lost, found.overdue, found.unreached, found.corrected)
    assert [share.whole for share in shares] == [counted] * 4
    assert (len(found.turnaround) > 0, found.acknowledged.share.whole > 0) == (counted > 0,) * 2


# --- turnaround ----------------------------------------------------------------------------------


def test_turnaround_runs_from_collection_to_the_first_final_result_that_stands(case: Procedure) -> None:
    took = (4, 6, 11)
    for hours in took:
        test = make.lab_test(make.procedure(protocol_version=case.protocol_version), collected_at=NOW - 2 * DAY)
        at = test.collected_at + hours * HOUR
        make.result(test, status="preliminary", arrived_at=at - HOUR, reported_at=at - HOUR)
        make.result(test, status="final", arrived_at=at, reported_at=at)
        make.result(test, status="corrected", arrived_at=at + 5 * HOUR, reported_at=at + 5 * HOUR)
    first = make.lab_test(make.procedure(protocol_version=case.protocol_version), collected_at=NOW - 2 * DAY)
    wrong = make.result(first, arrived_at=NOW - 40 * HOUR, reported_at=NOW - 40 * HOUR)
    make.result(first, status="withdrawn", arrived_at=NOW - 39 * HOUR, reported_at=wrong.reported_at)
    (row,) = indicators.turnaround(PERIOD, indicators.published())
    data = case.protocol_version.parsed.tests[0]
    assert (row.code, row.usual, row.outer) == (data.code, data.usual_hours * HOUR, data.outer_hours * HOUR)
    assert row.procedure == case.protocol_version.parsed.short
    assert (row.times.count, row.times.median, row.times.p90) == (3, 6 * HOUR, None)
    assert row.in_usual == Share(sum(hours <= data.usual_hours for hours in took), 3)
    assert row.in_outer == Share(3, 3)


def test_a_result_without_a_time_of_collection_is_counted_apart(case: Procedure) -> None:
    for collected in (None, NOW + DAY):
        test = make.lab_test(
            make.procedure(protocol_version=case.protocol_version), collected_at=collected, status="ordered"
        )
        make.result(test, arrived_at=NOW - HOUR)
    (row,) = indicators.turnaround(PERIOD, indicators.published())
    assert (row.times.count, row.untimed, row.in_outer, row.picture) == (0, 2, Share(0, 0), None)


# --- the others ----------------------------------------------------------------------------------


def specimen(case: Procedure, loss: str = "", *, ago: timedelta = HOUR) -> Specimen:
    more = {"loss": loss, "loss_at": NOW, "loss_reason": "broke"} if loss else {}
    return Specimen.objects.create(procedure=case, container="tube", collected_at=NOW - ago, receipt_due_at=NOW, **more)


def contact(case: Procedure, outcome: str, *, ago: timedelta = HOUR, purpose: str = "results") -> PatientContact:
    return PatientContact.objects.create(
        procedure=case, purpose=purpose, channel="phone", outcome=outcome,
        at=NOW - ago, recorded_at=NOW, by=case.responsible,
    )  # fmt: skip


def test_overdue_is_what_was_open_when_it_was_due(case: Procedure) -> None:
    def closed(kind: Kind, due: timedelta, after: timedelta, because: Closed = Closed.KEPT) -> None:
        row = promise(kind, procedure=case, due=due)
        FollowUp.objects.filter(pk=row.pk).update(closed_at=row.due_at + after, closed_because=str(because))

    promise(Kind.SIGN_RECORD, procedure=case, due=-HOUR)  # open: overdue
    promise(Kind.SIGN_RECORD, procedure=case, due=HOUR)  # not due yet
    promise(Kind.SIGN_RECORD, procedure=case, due=-40 * DAY)  # before the period
    closed(Kind.TELL_PATIENT, -DAY, HOUR)  # kept too late
    closed(Kind.TELL_PATIENT, -DAY, -HOUR)  # kept in time
    closed(Kind.TELL_PATIENT, -DAY, timedelta(0))  # kept in the last moment
    closed(Kind.TELL_PATIENT, -DAY, -HOUR, Closed.NO_LONGER_NEEDED)  # not in it
    closed(Kind.TELL_PATIENT, -DAY, HOUR, Closed.NO_LONGER_NEEDED)  # was needed when it was due
    found = indicators.of(PERIOD, NOW)
    assert found.overdue == Share(3, 5)
    assert found.overdue_by_kind == ((str(Kind.TELL_PATIENT), Share(2, 4)), (str(Kind.SIGN_RECORD), Share(1, 1)))


def test_specimens_corrections_and_patients_are_counted_with_what_they_are_out_of(case: Procedure) -> None:
    for loss in ("", "", "lost", "rejected"):
        specimen(case, loss)
    specimen(case, "lost", ago=40 * DAY)
    for code, seen in (("ascites_cell_count", True), ("ascites_albumin", False)):
        test = make.lab_test(case, code)
        first = make.result(test, arrived_at=NOW - 5 * HOUR)
        if seen:
            read(first, NOW - 4 * HOUR)
        late = make.result(test, status="corrected", arrived_at=NOW - 3 * HOUR)
        read(late, NOW - 2 * HOUR)  # reading the correction itself is no earlier reading
    other, third = make.procedure(), make.procedure()
    contact(case, "no_answer")
    contact(case, "reached")
    contact(other, "voicemail")
    contact(other, "letter_sent")
    contact(other, "reached", ago=60 * DAY)  # long before
    contact(third, "no_answer", purpose="other")  # about something else
    found = indicators.of(PERIOD, NOW)
    assert (found.lost, found.rejected) == (Share(1, 4), Share(1, 4))
    assert found.corrected == Share(1, 2)
    assert (found.unreached, found.letters) == (Share(1, 2), 1)


def test_whatever_is_added_changes_the_marker_and_nothing_else_does(case: Procedure) -> None:
    def marker() -> str:
        return indicators.marker(PERIOD, NOW)

    seen = {marker()}
    assert marker() in seen
    version = make.result(make.lab_test(case))
    for change in (
        lambda: None,
        lambda: read(version, NOW),
        lambda: contact(case, "reached"),
        lambda: specimen(case),
        lambda: Specimen.objects.update(loss="lost", loss_at=NOW, loss_reason="x"),
        lambda: promise(Kind.SIGN_RECORD, procedure=case),
        lambda: FollowUp.objects.update(closed_at=NOW, closed_because="kept"),
    ):
        change()
        assert marker() not in seen
        seen.add(marker())
    assert indicators.marker(Period.of_days(7, PERIOD.last, ZONE), NOW) not in seen
