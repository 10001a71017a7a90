"""What the laboratory sends, when, and how it goes wrong: late, in parts, garbled, silent, twice, corrected, mixed up.

All of it as bytes through the way of every laboratory's messages.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from clinic import clock
from followups.simulation import answers, laboratory
from followups.simulation.case import Case
from followups.simulation.timeline import Story
from followups.simulation.world import World
from procedures.domain.states import TEST_WAITING
from procedures.models import LabTest, Patient, Procedure

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: What the laboratory reports on the day itself comes in one message.
QUICK = 24
SO_FAR = (26, 48)
WEEKLY = tuple(range(30, 1032, 168))
HOWS = {
    "ordinary": 860, "late": 50, "silent": 15, "parts": 25, "unknown_code": 12, "garbled": 8, "twice": 12,
    "number_again": 6, "another_number": 6, "wrong_patient": 7, "held_up": 5,
}  # fmt: skip
CORRECTED, ODD = 0.015, 0.12
#: Results that somebody must act on: critical or abnormal by the protocol's rules.
REMARKABLE: Mapping[str, tuple[dict[str, Any], ...]] = {
    "ascites_cell_count": (
        {"nucleated_cells": 940, "pmn_percent": 82, "red_cells": 400},
        {"nucleated_cells": 310, "pmn_percent": 30, "red_cells": 90},
        {"nucleated_cells": 1200, "red_cells": 300},
    ),
    "ascites_gram": ({"result": "organisms_seen", "organism": "Gram-negative rods"},),
    "ascites_culture": ({"growth": "growth", "organism": "Escherichia coli"},),
    "ascites_cytology": ({"result": "malignant"}, {"result": "atypical"}, {"result": "unsatisfactory"}),
    "ascites_protein": ({"protein": 1.1},),
    "serum_sodium": ({"sodium": 121},),
    "csf_cell_count": ({"white_cells": 340, "red_cells": 12, "pmn_percent": 84}, {"white_cells": 9, "red_cells": 4}),
    "csf_glucose": ({"glucose": 21},),
    "csf_protein": ({"protein": 96},),
    "csf_gram": ({"result": "organisms_seen", "organism": "Gram-positive cocci"},),
    "csf_culture": ({"growth": "growth", "organism": "Streptococcus pneumoniae"},),
    "csf_hsv_pcr": ({"result": "detected"},),
    "csf_xanthochromia": ({"result": "present"}, {"result": "indeterminate"}),
    "csf_cytology": ({"result": "malignant"},),
    "oligoclonal_bands": ({"csf_only_bands": 5, "csf_bands": 7},),
    "autoimmune_encephalitis": ({"result": "positive"},),
    "csf_cryptococcal_antigen": ({"result": "detected"},),
    "rt_quic": ({"interpretation": "abnormal"},),
}


def begin(world: World, case: Case) -> None:
    """Everything that was collected is under way."""
    rng = world.rng("laboratory", case.pk)
    tests = list(case.row.tests.filter(collected_at__isnull=False, ended_at=None).order_by("pk"))
    quick = [test.code for test in tests if test.usual_hours <= QUICK]
    quick.sort(key=lambda code: (not code.startswith("serum"), code))
    if quick:
        longest = max(test.usual_hours for test in tests if test.code in quick)
        world.begin(_reported(world, case, quick, longest, rng.randrange(1 << 30)))
    for test in tests:
        if test.code in quick:
            continue
        world.begin(_reported(world, case, [test.code], test.usual_hours, rng.randrange(1 << 30)))
        if test.has_preliminary:
            world.begin(_so_far(world, case, test.code, WEEKLY if test.extended else SO_FAR))


def _reported(world: World, case: Case, codes: list[str], hours: int, seed: int) -> Story:
    """One message, or what becomes of it."""
    rng = random.Random(seed)  # invented lives, no secrets
    how = rng.choices(list(HOWS), list(HOWS.values()))[0]
    world.figures[f"laboratory: {how}"] += 1
    usual = hours * rng.uniform(0.6, 1.0)
    if how == "late":
        usual = hours * rng.uniform(1.5, 4) + 4
    yield clock.now() + usual * HOUR
    if how == "silent":
        return
    yield from _sent(world, case, codes, how, rng)


def _sent(world: World, case: Case, codes: list[str], how: str, rng: random.Random) -> Story:
    values = {code: _values(case, code, rng) for code in codes if is_awaited(case, code)}
    if not values:
        return
    if how == "parts":
        for code, found in values.items():
            send(world, case, {code: found})
            yield clock.now() + rng.randrange(5, 90) * MINUTE
    elif how == "wrong_patient":
        yield from _mixed_up(world, case, values, rng)
    elif how == "unknown_code":
        raw = _line(world, case, values, code=lambda test, component: f"X{component.code}^{component.label}^L")
        _take(world, raw)
    elif how == "garbled":
        _take(world, _line(world, case, values).replace(b"PID|", b"P\x00D|", 1)[: rng.randrange(60, 200)])
        yield clock.now() + 3 * HOUR
        send(world, case, values)
    elif how == "held_up":  # the line is down: it comes when the laboratory has been called
        yield clock.now() + rng.randrange(20, 90) * HOUR
        send(world, case, values)
    else:
        raw = send(world, case, values)
        if how == "twice":
            yield clock.now() + rng.randrange(1, 60) * MINUTE
            _take(world, raw)
        elif how == "number_again":
            yield clock.now() + rng.randrange(1, 60) * MINUTE
            _take(world, raw.replace(b"|TRACKER|", b"|TRACKER2|", 1))
        elif how == "another_number":
            yield clock.now() + rng.randrange(1, 60) * MINUTE
            _take(world, world.line.again(raw))
    if rng.random() < CORRECTED:
        yield clock.now() + rng.randrange(3, 120) * HOUR
        code = rng.choice(list(values))
        world.figures["laboratory: corrected"] += 1
        send(world, case, {code: _other(case, code, rng)}, status="C", note="Recounted by hand")


def _mixed_up(world: World, case: Case, values: Mapping[str, Mapping[str, Any]], rng: random.Random) -> Story:
    """Somebody else's name stands on it. The laboratory notices, or it does not."""
    other = _another(world, case, rng)
    if other is None:
        send(world, case, values)
        return
    _take(world, _line(world, case, values, about=other))
    if rng.random() < 0.5:
        yield clock.now() + rng.randrange(1, 30) * HOUR
        _take(world, _line(world, case, values, about=other, status="W"))
    yield clock.now() + 2 * HOUR
    send(world, case, values)


def _another(world: World, case: Case, rng: random.Random) -> Patient | None:
    mine = case.row.patient_id
    others = [patient for patient in world.patients[-30:] if patient.pk != mine]
    return rng.choice(others) if others else None


def _so_far(world: World, case: Case, code: str, hours: tuple[int, ...]) -> Story:
    """Reports on the way, until the last word has come."""
    collected = clock.now()
    for after in hours:
        yield collected + after * HOUR
        if not is_awaited(case, code):
            return
        send(world, case, {code: answers.result(case.row, code, True)}, status="P")


# --- the messages --------------------------------------------------------------------------------


def called(world: World, case: Case, codes: list[str]) -> bool:
    """The laboratory was asked: it sends what it has. False: nothing of it is awaited."""
    rng = world.rng("called", case.pk, *codes)
    values = {code: _values(case, code, rng) for code in codes if is_awaited(case, code)}
    if values:
        send(world, case, values)
    return bool(values)


def send(
    world: World, case: Case, values: Mapping[str, Mapping[str, Any]], *, status: str = "F", note: str = ""
) -> bytes:
    raw = _line(world, case, values, status=status, note=note)
    _take(world, raw)
    return raw


def _line(world: World, case: Case, values: Mapping[str, Mapping[str, Any]], **more: Any) -> bytes:
    return world.line.report(case.row, values, at=clock.now(), **more)


def _take(world: World, raw: bytes) -> None:
    """Stored, acknowledged, and read: by whoever was nudged, or by the engine's next look."""
    kept = laboratory.keep(raw, now=clock.now())
    if kept is not None:
        world.acknowledged.append(hashlib.sha256(raw).hexdigest())
    world.figures["laboratory's messages"] += kept is not None and kept.is_new
    world.figures["sent twice"] += kept is not None and not kept.is_new
    if world.nudged:
        laboratory.read()


def is_awaited(case: Case, code: str) -> bool:
    """Whether a message about it makes sense: collected, not given up."""
    return LabTest.objects.filter(procedure_id=case.pk, code=code, status__in=TEST_WAITING, specimen__loss="").exists()


def _values(case: Case, code: str, rng: random.Random) -> dict[str, Any]:
    row: Procedure = case.row
    if code in REMARKABLE and rng.random() < ODD:
        return dict(rng.choice(REMARKABLE[code]))
    return dict(answers.result(row, code, False))


def _other(case: Case, code: str, rng: random.Random) -> dict[str, Any]:
    """Something else than before, as far as the test has anything else to say."""
    if code in REMARKABLE:
        return dict(rng.choice(REMARKABLE[code]))
    found = dict(answers.result(case.row, code, False))
    return {name: round(value * 1.25, 2) if isinstance(value, int | float) else value for name, value in found.items()}
