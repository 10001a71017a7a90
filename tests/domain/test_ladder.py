"""The ladders: what the file may say, and when the next step comes."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.domain.ladder import Do, From, Ladder, LadderError, Ladders, Rung, To, parse, parse_duration
from followups.services import ladders

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
DUE = START + timedelta(days=2)
LAST = {"after": "P1D", "from": "due", "do": "message", "to": "director", "channel": "email", "repeat_every": "P1D"}


def file(rungs: list[dict[str, Any]] | None = None, **levels: Any) -> dict[str, Any]:
    """A valid file in which every kind has one rung, except that ``plan_failed`` has what is given."""
    tables: dict[str, Any] = {str(kind): {"normal": [dict(LAST)]} for kind in Kind}
    tables["plan_failed"] = {"normal": rungs if rungs is not None else [dict(LAST)], **levels}
    hours = {"out_of_hours": {"levels": ["critical"]}, "quiet_hours": {"from": "21:00", "until": "08:00"}}
    return {"digest": {"at": "08:00"}, "ladder": tables, **hours}


def read(data: dict[str, Any]) -> Ladders:
    return parse(data, name="escalation.toml", channels={"email"})


def refusal(data: dict[str, Any]) -> str:
    with pytest.raises(LadderError) as refused:
        read(data)
    return str(refused.value)


def rung(**changes: Any) -> dict[str, Any]:
    row = {"after": "PT0M", "from": "due", "do": "message", "to": "owner", "channel": "email"}
    return {key: value for key, value in {**row, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT0M", timedelta(0)),
        ("PT15M", timedelta(minutes=15)),
        ("PT2H30M", timedelta(hours=2, minutes=30)),
        ("P1D", timedelta(days=1)),
        ("P1DT12H", timedelta(days=1, hours=12)),
    ],
)
def test_durations_are_days_hours_and_minutes(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "1D", "P1M", "P1W", "-PT5M", "PT5", "PT1.5H", 15, None])
def test_anything_else_is_not_a_duration(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "plan_failed.normal: an empty ladder"),
        (
            [rung(to="janitor"), LAST],
            "plan_failed.normal[0].to: 'janitor' is neither owner, role, cover, patient, involved nor a role",
        ),
        ([rung(channel="pigeon"), LAST], "plan_failed.normal[0].channel: 'pigeon' is none of email"),
        ([rung(channel=None), LAST], "plan_failed.normal[0].channel: '' is none of email"),
        ([rung(do="shout"), LAST], "plan_failed.normal[0].do: 'shout' is none of message, move"),
        ([rung(**{"from": "birth"}), LAST], "plan_failed.normal[0].from: 'birth' is none of start, due"),
        ([rung(after="soon"), LAST], "plan_failed.normal[0].after: 'soon' is not a duration"),
        ([rung(hue="red"), LAST], "plan_failed.normal[0].hue: unknown key"),
        ([rung(repeat_every="P1D"), LAST], "plan_failed.normal[0].repeat_every: only the last rung repeats"),
        ([{**LAST, "repeat_every": "PT0M"}], "plan_failed.normal[0].repeat_every: a zero interval"),
        ([{k: v for k, v in LAST.items() if k != "repeat_every"}], "[0].repeat_every: missing: the last rung repeats"),
        ([{**LAST, "to": "owner"}], "plan_failed.normal[0].to: 'owner': a ladder ends in a message to a role"),
        ([rung(do="move", to="cover", channel=None), LAST], "[0].to: 'cover': a promise moves to a role"),
        ([rung(do="move", to="director"), LAST], "plan_failed.normal[0].channel: 'email': a move sends nothing"),
        ([rung(after="P2D"), LAST], "plan_failed.normal[1].after: earlier than a rung before it"),
        ([rung(digest=True), LAST], "plan_failed.normal[0].digest: only a message to a role"),
        (
            [rung(do="move", to=r, channel=None) for r in ("nurse", "director", "nurse")] + [LAST],
            "plan_failed.normal[2].to: 'nurse' a second time: the ladder runs in a loop",
        ),
        (["up"], "plan_failed.normal[0]: 'up' is not a rung"),
    ],
)
def test_a_wrong_ladder_is_refused_with_file_kind_and_key(rows: list[Any], says: str) -> None:
    said = refusal(file(rows))
    assert said.startswith("escalation.toml: ladder.plan_failed")
    assert says in said


def test_every_kind_must_have_a_ladder() -> None:
    data = file()
    del data["ladder"]["review_result"]
    assert refusal(data) == "escalation.toml: ladder.review_result: missing: every kind of promise needs a ladder"


def test_a_kind_that_does_not_exist_is_refused() -> None:
    data = file()
    data["ladder"]["water_plants"] = {"normal": [LAST]}
    assert "ladder.water_plants: no such kind of promise" in refusal(data)


def test_the_normal_level_is_needed_and_an_unknown_one_refused() -> None:
    data = file()
    data["ladder"]["plan_failed"] = {"urgent": [LAST]}
    said = refusal(data)
    assert "plan_failed.urgent: no such level" in said
    assert "plan_failed.normal: missing" in said


def test_the_digest_needs_a_time_of_day() -> None:
    data = file()
    data["digest"] = {"at": "morning"}
    assert "digest.at: 'morning' is not a time of day" in refusal(data)


def test_everything_wrong_is_said_at_once() -> None:
    said = refusal(file([rung(to="janitor"), rung(after="soon"), LAST]))
    assert len(said.splitlines()) == 2


def test_a_valid_file_becomes_rungs() -> None:
    found = read(file([rung(), rung(after="P1D", do="move", to="nurse", channel=None), {**LAST, "digest": True}]))
    assert found.digest_at == time(8)
    assert found.ladder(Kind.PLAN_FAILED, "normal").rungs == (
        Rung(after=timedelta(0), base=From.DUE, do=Do.MESSAGE, to=To.OWNER, channel="email"),
        Rung(after=timedelta(days=1), base=From.DUE, do=Do.MOVE, to=Role.NURSE),
        Rung(
            after=timedelta(days=1),
            base=From.DUE,
            do=Do.MESSAGE,
            to=Role.DIRECTOR,
            channel="email",
            repeat_every=timedelta(days=1),
            digest=True,
        ),
    )


def test_a_level_without_a_ladder_climbs_the_next_calmer_one() -> None:
    quick = [rung(**{"from": "start"}), dict(LAST)]
    found = read(file(abnormal=quick))
    assert len(found.ladder(Kind.PLAN_FAILED, "critical").rungs) == 2
    assert len(found.ladder(Kind.PLAN_FAILED, "abnormal").rungs) == 2
    assert len(found.ladder(Kind.PLAN_FAILED, "normal").rungs) == 1


def test_an_unknown_level_is_never_taken_for_normal() -> None:
    found = read(file(abnormal=[rung(), dict(LAST)]))
    assert len(found.ladder(Kind.PLAN_FAILED, "unknown").rungs) == 2


# --- time -------------------------------------------------------------------------------------


def ladder() -> Ladder:
    rows = [rung(), rung(after="PT2H", to="cover"), {**LAST, "repeat_every": "PT6H"}]
    return read(file(rows)).ladder(Kind.PLAN_FAILED, "normal")


@pytest.mark.parametrize(
    ("taken", "repeat", "after_due"),
    [
        (0, 0, timedelta(0)),
        (1, 0, timedelta(hours=2)),
        (2, 0, timedelta(days=1)),
        (3, 0, timedelta(days=1, hours=6)),
        (3, 1, timedelta(days=1, hours=12)),
        (3, 9, timedelta(days=1, hours=60)),
    ],
)
def test_the_next_step_is_counted_from_due_and_the_last_one_repeats(
    taken: int, repeat: int, after_due: timedelta
) -> None:
    assert ladder().action_at(rung=taken, repeat=repeat, start_at=START, due_at=DUE) == DUE + after_due


def test_a_rung_is_never_earlier_than_the_one_before_it() -> None:
    rows = [rung(after="P5D", **{"from": "start"}), rung(), dict(LAST)]
    climbed = read(file(rows)).ladder(Kind.PLAN_FAILED, "normal")
    assert climbed.action_at(rung=1, repeat=0, start_at=START, due_at=DUE) == START + timedelta(days=5)


@given(
    minutes=st.lists(st.integers(0, 10_000), min_size=1, max_size=6),
    bases=st.lists(st.sampled_from(From), min_size=6, max_size=6),
    every=st.integers(1, 5_000),
    lead=st.integers(-5_000, 20_000),
)
def test_a_ladder_never_falls_silent_and_never_goes_back(
    minutes: list[int], bases: list[From], every: int, lead: int
) -> None:
    rungs = [
        Rung(after=timedelta(minutes=m), base=b, do=Do.MESSAGE, to=Role.DIRECTOR, channel="email")
        for m, b in zip(minutes, bases, strict=False)
    ]
    last = Rung(**{**vars(rungs[-1]), "repeat_every": timedelta(minutes=every)})
    climbed = Ladder(rungs=(*rungs[:-1], last))
    due = START + timedelta(minutes=lead)
    steps = [(taken, 0) for taken in range(len(rungs))] + [(len(rungs), repeat) for repeat in range(5)]
    times = [climbed.action_at(rung=taken, repeat=repeat, start_at=START, due_at=due) for taken, repeat in steps]
    assert times == sorted(times)
    assert all(later > earlier for earlier, later in zip(times[len(rungs) - 1 :], times[len(rungs) :], strict=False))


def test_repetitions_that_an_idle_engine_missed_are_passed_over() -> None:
    climbed = ladder()
    times = {"start_at": START, "due_at": DUE}
    a_week_late = DUE + timedelta(days=8, hours=1)
    newest = climbed.latest_repeat(repeat=0, now=a_week_late, **times)
    assert newest == 28
    assert climbed.action_at(rung=3, repeat=newest, **times) > a_week_late
    assert climbed.latest_repeat(repeat=newest, now=a_week_late, **times) == newest + 1


# --- the file of the product --------------------------------------------------------------------


def test_the_product_has_a_valid_ladder_for_every_kind_and_level() -> None:
    loaded = ladders.load()
    assert set(loaded.by_kind) == set(Kind)
    for kind in Kind:
        for level in ("normal", "abnormal", "critical"):
            last = loaded.ladder(kind, level).rungs[-1]
            assert last.to in set(Role)
            assert last.repeat_every


#: Alarms of the product about itself: somebody is asked at once, whatever their level.
ALARMS = {Kind.PLAN_FAILED, Kind.DELIVERY_FAILED, Kind.EMPTY_ROLE}


#: Somebody else waits for the answer, so that it is asked for when it is owed, not when it is late.
WAITED_FOR = {Kind.SPECIMEN_LOST, Kind.SIGN_CLEARANCE, Kind.READ_TEXT}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in ALARMS | WAITED_FOR])
def test_what_is_normal_sends_nothing_before_it_is_due(kind: Kind) -> None:
    climbed = ladders.ladder(kind, "normal")
    to_staff = next(place for place, rung in enumerate(climbed.rungs) if rung.to is not To.PATIENT)
    assert climbed.action_at(rung=to_staff, repeat=0, start_at=START, due_at=DUE) >= DUE


@pytest.mark.parametrize("kind", [Kind.REVIEW_RESULT, Kind.TELL_PATIENT, Kind.PLAN_FAILED])
def test_what_is_critical_asks_at_once(kind: Kind) -> None:
    first = ladders.ladder(kind, "critical")
    assert first.action_at(rung=0, repeat=0, start_at=START, due_at=DUE) == START
    assert first.rungs[0].to is To.OWNER


def test_a_critical_result_reaches_cover_in_half_an_hour_director_and_nurse_within_the_hour() -> None:
    rungs = ladders.ladder(Kind.REVIEW_RESULT, "critical").rungs
    latest = {To.COVER: 30, Role.DIRECTOR: 60, Role.NURSE: 60, Role.ADMINISTRATOR: 120}
    for to, minutes in latest.items():
        first = next(r for r in rungs if r.to == to and r.do is Do.MESSAGE)
        assert first.base is From.START
        assert first.after <= timedelta(minutes=minutes)


@pytest.mark.parametrize("level", ["normal", "abnormal"])
# the director may give a second signature, and is asked for it
@pytest.mark.parametrize(
    "kind", [kind for kind in Kind if kind not in {Kind.PLAN_FAILED, Kind.EMPTY_ROLE, Kind.SIGN_CLEARANCE}]
)
def test_the_director_hears_of_what_is_not_critical_in_the_daily_digest_alone(kind: Kind, level: str) -> None:
    asked = [r for r in ladders.ladder(kind, level).rungs if r.to is Role.DIRECTOR and r.do is Do.MESSAGE]
    assert asked
    assert all(r.digest for r in asked)


def test_what_the_digest_names_is_on_the_directors_list_first() -> None:
    for by_level in ladders.load().by_kind.values():
        for climbed in by_level.values():
            moves = [i for i, r in enumerate(climbed.rungs) if r.do is Do.MOVE]
            digests = [i for i, r in enumerate(climbed.rungs) if r.digest]
            assert not digests or (moves and min(moves) < min(digests))


def test_reading_a_file_that_is_not_toml_names_it(tmp_path: Any) -> None:
    path = tmp_path / "escalation.toml"
    path.write_text("[ladder", encoding="utf-8")
    with pytest.raises(LadderError, match=r"escalation\.toml"):
        ladders.read(path)


def test_the_helper_of_these_tests_makes_a_file_that_is_valid() -> None:
    assert set(read(deepcopy(file())).by_kind) == set(Kind)


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ("2026-11-20T12:59:00+00:00", "2026-11-20T13:00:00+00:00"),  # 07:59 in New York
        ("2026-11-20T13:00:00+00:00", "2026-11-21T13:00:00+00:00"),
        ("2026-10-31T13:00:00+00:00", "2026-11-01T13:00:00+00:00"),  # the night the clocks go back: still 08:00
        ("2027-03-13T14:00:00+00:00", "2027-03-14T12:00:00+00:00"),  # and forward
    ],
)
def test_the_digest_comes_at_the_clinics_hour_also_when_the_clocks_change(now: str, at: str, settings: Any) -> None:
    settings.CLINIC_ZONE = "America/New_York"
    assert ladders.next_digest(datetime.fromisoformat(now)) == datetime.fromisoformat(at)


# --- nights, weekends and quiet hours -----------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "value", "says"),
    [
        ("out_of_hours", None, "out_of_hours.levels: missing"),
        ("out_of_hours", {"levels": "critical"}, "out_of_hours.levels: missing"),
        ("out_of_hours", {"levels": ["abnormal"]}, "out_of_hours.levels: 'critical' is missing"),
        ("out_of_hours", {"levels": ["critical", "urgent"]}, "out_of_hours.levels: 'urgent' is none of normal"),
        ("out_of_hours", {"levels": ["critical"], "hue": 1}, "out_of_hours.hue: unknown key"),
        ("quiet_hours", None, "quiet_hours.from: None is not a time of day"),
        ("quiet_hours", {"from": "25:00", "until": "08:00"}, "quiet_hours.from: '25:00' is not a time of day"),
        ("quiet_hours", {"from": 21, "until": "08:00"}, "quiet_hours.from: 21 is not a time of day"),
        ("quiet_hours", {"from": "21:00+01:00", "until": "08:00"}, "quiet_hours.from: '21:00+01:00' names a zone"),
        ("quiet_hours", {"from": "08:00", "until": "08:00"}, "quiet_hours.until: 08:00: a zero interval"),
        ("quiet_hours", {"from": "06:00", "until": "22:00"}, "06:00 to 22:00 is most of the day: are the two swapped?"),
        ("quiet_hours", {"from": "21:00", "until": "08:00", "to": "all"}, "quiet_hours.to: unknown key"),
    ],
)
def test_wrong_hours_are_refused_with_file_and_key(table: str, value: Any, says: str) -> None:
    data = {name: rows for name, rows in file().items() if name != table}
    said = refusal(data if value is None else {**data, table: value})
    assert said.startswith("escalation.toml: ")
    assert says in said


def test_only_what_cannot_wait_wakes_somebody_and_an_unknown_level_counts_as_abnormal() -> None:
    both = read({**file(), "out_of_hours": {"levels": ["critical", "abnormal"]}})
    wakes = {level: both.wakes(level, open_now=False) for level in ("normal", "abnormal", "critical", "strange")}
    assert wakes == {"normal": False, "abnormal": True, "critical": True, "strange": True}
    assert not both.wakes("critical", open_now=True)
    assert not read(file()).wakes("abnormal", open_now=False)


def test_the_own_file_wakes_for_critical_and_abnormal_and_spares_patients_at_night() -> None:
    own = ladders.load()
    assert own.out_of_hours == {"critical", "abnormal"}
    assert own.quiet is not None and own.quiet.holds(time(3))


def test_quiet_hours_hold_for_patients_alone_and_never_for_what_is_critical() -> None:
    night = datetime(2026, 11, 20, 3, tzinfo=UTC)
    own = read(file())
    morning = datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert own.not_before(night, level="normal", to_patient=True, zone=UTC) == morning
    assert own.not_before(night, level="abnormal", to_patient=True, zone=UTC) == morning
    assert own.not_before(night, level="critical", to_patient=True, zone=UTC) == night
    assert own.not_before(night, level="normal", to_patient=False, zone=UTC) == night
