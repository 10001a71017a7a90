"""Everything that the stories of a year share: the clinic, its laboratory, the diary, and what is counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from clinic.errors import DomainError
from clinic.roles import Role
from followups.simulation.case import Case, Clinic
from followups.simulation.diary import Diary
from followups.simulation.laboratory import Line
from followups.simulation.passing import Passing
from followups.simulation.staff import Staff
from followups.simulation.timeline import Story
from procedures.models import Patient


@dataclass
class World:
    """One clinic and one year. ``cases``: by the key of the procedure."""

    seed: int
    clinic: Clinic
    staff: Staff
    time: Passing
    diary: Diary
    line: Line = field(default_factory=Line)
    cases: dict[int, Case] = field(default_factory=dict)
    patients: list[Patient] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    #: Promises that somebody went to see to, and what they are about was not there: the year has failed.
    baseless: list[str] = field(default_factory=list)
    #: How often somebody has been at a promise: by its subject, key and generation.
    tries: dict[tuple[str, int, str, int], int] = field(default_factory=dict)
    #: SHA-256 of every message of a laboratory that was acknowledged.
    acknowledged: list[str] = field(default_factory=list)
    #: What was agreed with the patient: the local time of each booking, for the days on which clocks change.
    agreed: dict[int, datetime] = field(default_factory=dict)
    #: A laboratory's message is read when it comes; else the engine's next look has to find it.
    nudged: bool = True

    @property
    def now(self) -> datetime:
        return self.time.clock()

    def rng(self, *names: object) -> random.Random:
        """Random numbers of one thing, whatever else happens."""
        return self.rng_of(self.seed, *names)

    @staticmethod
    def rng_of(*names: object) -> random.Random:
        return random.Random(":".join(map(str, names)))  # invented lives, no secrets

    def begin(self, story: Story) -> None:
        """Let a story take its course. Where the product refuses a step its people have to look at their lists."""
        self.time.add(self._told(story))

    def _told(self, story: Story) -> Story:
        while True:
            try:
                moment = next(story, None)
            except DomainError as error:
                self.refuse("story", error)
                return
            if moment is None:
                return
            yield moment

    def attempt(self, what: str, step: Callable[[], object]) -> bool:
        """One step that may be refused."""
        try:
            step()
        except DomainError as error:
            self.refuse(what, error)
            return False
        return True

    def refuse(self, what: str, error: DomainError) -> None:
        self.refused[f"{what}: {type(error).__name__}: {str(error)[:70]}"] += 1

    # --- who -----------------------------------------------------------------------------------

    def case(self, pk: int) -> Case:
        """A case with who works on it now."""
        known = self.cases.get(pk)
        return self.at_work(known or self._found(pk))

    def at_work(self, case: Case, operator: str = "") -> Case:
        return replace(
            case,
            operator=operator or case.operator,
            nurse=self.staff.someone(Role.NURSE, self.now, case.pk),
            desk=self.staff.someone(Role.SCHEDULER, self.now, case.pk),
        )

    def keep(self, case: Case) -> None:
        self.cases[case.pk] = case

    def _found(self, pk: int) -> Case:
        case = Case(self.clinic, pk=pk)
        row = case.row
        name = self.staff.names.get(row.operator_id or row.responsible_id, case.operator)
        self.cases[pk] = found = replace(case, operator=name)
        return found
