"""The people and their lists: every half hour they look, and do what has waited long enough for them to get to it.

How long that is is drawn for each promise: most are kept in time, some late, a few only after they were asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from clinic import clock
from clinic.errors import DomainError
from clinic.models import User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp
from followups.services import promises
from followups.services.promises import Handed
from followups.simulation import hands
from followups.simulation.case import Case
from followups.simulation.places import SATURDAY, at
from followups.simulation.timeline import Story
from followups.simulation.world import World
from procedures import events

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HALF = 30 * MINUTE
OPENS, CLOSES = time(8), time(17)
#: Outside the hours of the clinic whoever is on call looks at what cannot wait, and at weekends calls are made.
ON_CALL = (6, 20, 22)
WEEKEND = (9, 12, 16, 21)
URGENT = ("critical",)
#: These are looked at from their due time on: before it the story itself, the laboratory or the patient may come.
FROM_DUE: Mapping[str, tuple[float, float]] = {
    Kind.AWAITED_RESULT: (1, 6),
    Kind.SPECIMEN_NOT_RECEIVED: (0, 2),
    Kind.CARRY_OUT: (3, 9),
    Kind.CHECKLIST_NOT_DONE: (0, 2),
    Kind.ANSWERS_EXPIRING: (0, 2),
    Kind.WRITE_TO_PATIENT: (2, 8),
    Kind.RESTART_MEDICINE: (0, 3),
    Kind.TELL_LAST_DOSE: (-20, 2),
    Kind.SIGN_RECORD: (-1, 5),
    Kind.NEXT_IN_SERIES: (-24, 2),
    Kind.UNREACHABLE_PATIENT: (-3, 2),
    Kind.PLAN_FAILED: (0, 2),
}
#: Hours after they begin, where most are done a good while before they are due.
FROM_START: Mapping[str, tuple[float, float]] = {
    Kind.LATER_TESTS: (20, 70),
    Kind.TELL_PATIENT: (1, 20),
    Kind.SYMPTOM_CHECK: (0.3, 3),
    Kind.DO_ACTION: (0.5, 10),
    Kind.REBOOK_NO_SHOW: (2, 20),
}
SOON = (0.2, 3.0)
AT_ONCE = (0.1, 0.8)
LATE, VERY_LATE = 0.12, 0.04
#: A physician who answers nothing is answered for, so long after it was due, by who covers.
LEFT_ALONE = 4 * HOUR
TAKEN, MOST_TAKEN = 0.08, 4
COLUMNS = (
    "pk", "subject_kind", "subject_id", "key", "kind", "generation", "level", "role", "start_at", "due_at", "opened_at",
    "responsible_id", "taken_by_id", "procedure_id", "escalated_role", "about",
)  # fmt: skip


@dataclass
class Lists:
    """Who looks at what is open, and when each thing is got to."""

    world: World
    ready: dict[tuple[str, int, str, int, int], datetime] = field(default_factory=dict)

    def story(self) -> Story:
        """All year."""
        for moment in self._looks():
            yield moment
            self.look(clock.now())

    def _looks(self) -> Iterable[datetime]:
        zone = ZoneInfo(settings.CLINIC_ZONE)
        day = self.world.time.begin.astimezone(zone).date()
        while True:
            if day.weekday() < SATURDAY:
                hours = [h + half / 2 for h in range(8, 17) for half in (0, 1)]
                wanted = sorted([*ON_CALL, *hours])
            else:
                wanted = [float(hour) for hour in WEEKEND]
            for hour in wanted:
                moment = at(day, int(hour), round(hour % 1 * 60))
                if moment >= self.world.time.begin:
                    yield moment
            day += DAY

    def look(self, now: datetime) -> None:
        """Do what is ready; everything of one case at once, so that it is planned once."""
        by_subject: dict[tuple[str, int], list[FollowUp]] = {}
        for row in self._open(now):
            if self._is_ready(row, now):
                by_subject.setdefault((row.subject_kind, row.subject_id), []).append(row)
        for (subject, _pk), rows in by_subject.items():
            if subject == "procedure":
                self._of_case(rows)
            else:
                for row in rows:
                    self._do(row)
        local = now.astimezone(ZoneInfo(settings.CLINIC_ZONE))
        if local.weekday() < SATURDAY and (local.hour, local.minute) == (9, 30):
            self._take_some(now)
        if local.weekday() < SATURDAY and (local.hour, local.minute) == (16, 30):
            self._hand_over(now)

    def _open(self, now: datetime) -> list[FollowUp]:
        rows = FollowUp.objects.filter(closed_at__isnull=True, start_at__lte=now + DAY)
        return list(rows.only(*COLUMNS).order_by("due_at", "subject_kind", "subject_id", "key"))

    # --- when somebody gets to it ---------------------------------------------------------------

    def _is_ready(self, row: FollowUp, now: datetime) -> bool:
        if now < self._at(row) or (row.kind == Kind.SYMPTOM_CHECK and row.about.get("by")):
            return False  # whoever is asked by a link is called only when they are silent
        if not self._is_open(now) and not _cannot_wait(row, now):
            return False
        return self._somebody(row, now)

    def _is_open(self, now: datetime) -> bool:
        local = now.astimezone(ZoneInfo(settings.CLINIC_ZONE))
        return local.weekday() < SATURDAY and OPENS <= local.time() < CLOSES

    def _at(self, row: FollowUp) -> datetime:
        key = (row.subject_kind, row.subject_id, row.key, row.generation, hands.tries(self.world, row))
        if key not in self.ready:
            self.ready[key] = self._drawn(row, key)
        return self.ready[key]

    def _drawn(self, row: FollowUp, key: tuple[object, ...]) -> datetime:
        rng = self.world.rng("when", *key)
        begin = max(row.start_at, row.opened_at)
        if key[-1]:  # somebody has tried
            return self.world.now + rng.uniform(*SOON) * HOUR
        if row.kind in FROM_DUE:
            moment = row.due_at + rng.uniform(*FROM_DUE[row.kind]) * HOUR
        else:
            span = AT_ONCE if row.level in URGENT else FROM_START.get(row.kind, SOON)
            moment = begin + rng.uniform(*span) * HOUR
        chance = rng.random()
        if chance < VERY_LATE:
            moment = max(moment, row.due_at + rng.uniform(20, 110) * HOUR)
        elif chance < VERY_LATE + LATE:
            moment = max(moment, row.due_at + rng.uniform(0.5, 20) * HOUR)
        return max(moment, begin)

    def _somebody(self, row: FollowUp, now: datetime) -> bool:
        """A physician who is silent leaves it to who covers, when it is late enough; leave is answered for at once."""
        if row.role != Role.PHYSICIAN:
            return True
        name = self.world.staff.names.get(row.taken_by_id or row.responsible_id or 0, "")
        return not self.world.staff.is_silent(name, now) or now > row.due_at + LEFT_ALONE or bool(row.escalated_role)

    # --- doing it -------------------------------------------------------------------------------

    def _of_case(self, rows: list[FollowUp]) -> None:
        case = self.world.case(rows[0].subject_id)
        alone = [row for row in rows if row.kind in hands.ALONE]
        with events.together():
            for row in rows:
                if row.kind not in hands.ALONE:
                    self._do(row, self._for(case, row))
        for row in alone:
            self._do(row, self._for(case, row))

    def _for(self, case: Case, row: FollowUp) -> Case:
        """Who does it: the responsible physician, who covers for them, or whoever of the role is there."""
        now, staff = self.world.now, self.world.staff
        name = staff.names.get(row.taken_by_id or row.responsible_id or 0, case.operator)
        if name not in staff.by_role[Role.PHYSICIAN]:
            name = case.operator
        leave = staff.leave_of(name, now)
        if leave is not None:
            name = leave.cover or staff.someone(Role.PHYSICIAN, now, case.pk)
        elif staff.is_silent(name, now):
            name = staff.someone(Role.PHYSICIAN, now, case.pk)
        return self.world.at_work(case, name)

    def _do(self, row: FollowUp, case: Case | None = None) -> None:
        hand = self._hand(row, case)
        if hand is None:
            return
        self.world.figures[f"list: {row.kind}"] += 1
        hands.tried(self.world, row)
        try:
            with nullcontext() if row.kind in hands.ALONE else transaction.atomic():
                hand()
        except DomainError as error:
            self.world.refuse(str(row.kind), error)
        except ObjectDoesNotExist as error:  # nothing can be done about nothing; the year goes on, and has failed
            self.world.baseless.append(f"{row.kind}: {error}")

    def _hand(self, row: FollowUp, case: Case | None) -> Callable[[], object] | None:
        kind = Kind(row.kind)
        if case is None:
            other = hands.OTHERS.get(kind)
            return partial(other, self.world, row) if other else None
        found = hands.HANDS.get(kind)
        return partial(found, self.world, case, row) if found else None

    # --- taking and handing over ----------------------------------------------------------------

    def _take_some(self, now: datetime) -> None:
        """Nurses put their names to what they will see to today."""
        nurses = self.world.staff.present(Role.NURSE, now)
        rows = FollowUp.objects.filter(
            closed_at__isnull=True, role=Role.NURSE, taken_by__isnull=True, start_at__lte=now
        )
        for row in rows.select_related("procedure").order_by("due_at", "subject_kind", "subject_id", "key"):
            rng = self.world.rng("taken", row.subject_kind, row.subject_id, row.key, row.generation)
            if nurses and rng.random() < TAKEN:
                name = nurses[row.subject_id % len(nurses)]
                actor = self.world.clinic.cast.actor(name)
                if self.world.attempt("take", partial(promises.take, actor=actor, follow_up=row)):
                    self.world.figures["taken"] += 1

    def _hand_over(self, now: datetime) -> None:
        """At the end of the shift what is left goes to a colleague, or back to the role."""
        staff = self.world.staff
        for number, name in enumerate(staff.by_role[Role.NURSE]):
            rows = list(
                FollowUp.objects.filter(closed_at__isnull=True, taken_by=staff.cast.users[name])
                .select_related("procedure", "taken_by")
                .order_by("subject_kind", "subject_id", "key")
            )
            if not rows or staff.leave_of(name, now) is not None:
                continue
            others = [other for other in staff.present(Role.NURSE, now) if other != name]
            to: User | None = staff.cast.users[others[number % len(others)]] if others and number % 2 else None
            done = promises.hand_over_shift(
                actor=staff.cast.actor(name), given=[Handed(row, "Please go on") for row in rows], to=to
            )
            self.world.figures["handed over"] += len(done.done)


def _cannot_wait(row: FollowUp, now: datetime) -> bool:
    """What is done at night and at weekends: what is critical, danger signs, and calls to who was asked."""
    if row.level in URGENT or row.kind == Kind.DANGER_SIGN:
        return True
    daytime = 8 <= now.astimezone(ZoneInfo(settings.CLINIC_ZONE)).hour < 21
    return daytime and row.kind in {Kind.SYMPTOM_CHECK, Kind.CALL_SILENT, Kind.TELL_LAST_DOSE, Kind.MATCH_RESULT}
