"""Booking a slot with its constraints and row locks, and the same without the constraints: side by side, in turn.

Then the race: twenty people book one slot at the same moment.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from bench import ground
from bench.fill import Filler
from bench.model_cases import Maker
from clinic import clock
from clinic.actor import Actor
from clinic.models import Room
from procedures.models import Procedure
from procedures.services import bookings
from procedures.services.slots import SlotTaken

ROWS = 10_000
BOOKINGS = 200
RACERS = 20
RACES = 5
#: What the product promises of a race.
RACE_SECONDS = 1.0
EXCLUSIONS = ("procedure_patient_once", "procedure_room_once", "procedure_operator_once")


def main(*, quick: bool = False) -> int:
    filler = Filler()
    filler.to(ROWS // 10 if quick else ROWS)
    print(f"{Procedure.objects.count():,} procedures; {BOOKINGS} bookings each, milliseconds\n")
    print(side_by_side(filler))
    print(f"\n{RACERS} bookings of one room and time at the same moment, each on its own connection, {RACES} times\n")
    races = [race(filler, number) for number in range(RACES)]
    head = ("race", "booked", "refused: room is taken", "anything else", "seconds")
    print(ground.table(head, [(n + 1, *row[:3], f"{row[3]:.2f}") for n, row in enumerate(races)]))
    right = all(row[:3] == (1, RACERS - 1, 0) and row[3] <= RACE_SECONDS for row in races)
    print("\nOne winner and nineteen refusals within a second each time." if right else "\nNOT as promised.")
    return 0 if right else 1


def side_by_side(filler: Filler) -> str:
    """Both ways in turn, ten bookings at a time, so that a busy machine slows both."""
    waiting = _requests(filler, 2 * BOOKINGS + 20)
    times: dict[bool, list[float]] = {True: [], False: []}
    slots = _starts()
    for _ in range(10):
        _book(filler, waiting.pop(), next(slots))  # warm
    while len(times[False]) < BOOKINGS:
        for guarded in (True, False):
            if not guarded:
                definitions = _drop()
            for _ in range(10):
                case, start = waiting.pop(), next(slots)
                began = time.perf_counter()
                _book(filler, case, start)
                times[guarded].append((time.perf_counter() - began) * 1000)
            if not guarded:
                _restore(definitions)
    with_, without = times[True], times[False]
    medians = ground.median(with_), ground.median(without)
    tails = ground.p95(with_), ground.p95(without)
    rows = [
        ("three exclusion constraints", medians[0], tails[0]),
        ("none (dropped)", medians[1], tails[1]),
        ("ratio", f"{medians[0] / medians[1]:.2f}", f"{tails[0] / tails[1]:.2f}"),
    ]
    return ground.table(("bookings.schedule", "median", "p95"), rows)


def race(filler: Filler, number: int) -> tuple[int, int, int, float]:
    """Booked, refused because the room is taken, anything else, and how long it took until the last one knew."""
    room = Room.objects.create(name=f"Race {number}")
    start = next(_starts()) + timedelta(days=7 * (number + 1))
    cases = _requests(filler, RACERS)
    ready = threading.Barrier(RACERS + 1)

    def one(case: Procedure) -> str:
        try:
            connection.ensure_connection()
            ready.wait()
            _book(filler, case, start, room=room, free=True)
        except SlotTaken as refused:
            return str(refused.what)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return "booked"

    with ThreadPoolExecutor(RACERS) as pool:
        futures = [pool.submit(one, case) for case in cases]
        ready.wait()
        began = time.perf_counter()
        outcome = Counter(future.result() for future in futures)
        seconds = time.perf_counter() - began
    other = {what: count for what, count in outcome.items() if what not in {"booked", "room"}}
    for what in other:
        print(f"race {number + 1}: {what}")
    return outcome["booked"], outcome["room"], sum(other.values()), seconds


def _requests(filler: Filler, count: int) -> list[Procedure]:
    """Cases that wait for a slot, one patient each, made by the product."""
    maker = Maker(people=filler.people, room=filler.rooms[0])
    actor = Actor.person(filler.people["schedulers"][0])
    return [
        bookings.request(
            actor=actor,
            patient=maker.patient(),
            protocol="paracentesis",
            indication="new_ascites",
            responsible=filler.people["physicians"][0],
            variant="diagnostic",
        )
        for _ in range(count)
    ]


def _starts() -> Iterator[datetime]:
    """Free hours far ahead: every hour of every day, later than anything that is booked."""
    first = timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=200)
    at: datetime = first
    while True:
        yield at
        at += timedelta(hours=1)


def _book(filler: Filler, case: Procedure, start: datetime, *, room: Room | None = None, free: bool = False) -> None:
    """``free``: without an operator."""
    bookings.schedule(
        actor=Actor.person(filler.people["schedulers"][0]),
        procedure=case,
        start=start,
        room=room or filler.rooms[0],
        operator=None if free else filler.people["physicians"][0],
        outside_hours=True,
        reason="measurement",
    )


def _drop() -> dict[str, str]:
    """The three constraints are gone; their definitions."""
    table = Procedure._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = ANY(%s)", [list(EXCLUSIONS)]
        )
        definitions = dict(cursor.fetchall())
        for name in EXCLUSIONS:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return definitions


def _restore(definitions: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        for name, definition in definitions.items():
            cursor.execute(f"ALTER TABLE {Procedure._meta.db_table} ADD CONSTRAINT {name} {definition}")
