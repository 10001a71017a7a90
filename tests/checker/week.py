"""A clinic's week in two seconds: told by the real services and the real engine, with a bit of everything."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import time_machine
from django.core import mail
from django.db import connection, transaction

from clinic import clock, covers
from clinic.actor import Actor
from clinic.models import User
from followups import checker, dispatch
from followups.channels.email import key_of
from followups.checker import Delivered, Report
from followups.selectors import shown
from followups.services import told_by_link
from procedures.models import Patient
from procedures.services import checklists
from tests import make
from tests.checklist_answers import harmless
from tests.factories import hl7, inbound, outreach
from tests.factories.full import Told
from tests.factories.people import make_cast
from tests.flows.words import moment

#: The engine of a story looks only when the story moves: less often than any real one.
LATE = timedelta(minutes=1)
CRITICAL = {"nucleated_cells": 900, "pmn_percent": 70}
#: What the mail server took while the newest week was told.
_accepted: list[Delivered] = []


@contextmanager
def undone() -> Iterator[None]:
    """A transaction that never was; what insists on being the outermost may stand in it, as in a test case."""
    block: Any = transaction.atomic()
    block._from_testcase = True
    with block:
        try:
            yield
        finally:
            transaction.set_rollback(True)


@contextmanager
def told(*parts: str) -> Iterator[Told]:
    """The whole week (or these parts of it), up to Friday nine o'clock. The clock stands there."""
    with undone(), time_machine.travel(moment(0, "08:00"), tick=False) as traveller:
        mail.outbox = []
        story = _week(_story(traveller.move_to), parts or PARTS)
        _accepted[:] = [Delivered(key_of(sent.extra_headers["Message-ID"]), clock.now()) for sent in mail.outbox]
        connection.check_constraints()  # what is taken away later is not looked for any more
        yield story


def _story(travel: Any) -> Told:
    cast = make_cast()
    make.opening_hours()
    rooms = {"clinic": make.room("Procedure room 1"), "radiology": make.room("Radiology", location="radiology")}
    for person in User.objects.all():
        User.objects.filter(pk=person.pk).update(email=f"{person.username}@clinic.test")
    cast = type(cast)(**{name: User.objects.get(username=name) for name in vars(cast)})
    inbound.laboratory()
    return Told(cast=cast, rooms=rooms, travel=travel)


def _week(story: Told, parts: Collection[str]) -> Told:
    _leave(story)
    for name, part in PARTS.items():
        if name in parts:
            part(story)
    for day, hour in ((2, "15:00"), (3, "08:30"), (4, "09:00")):
        story.at(day, hour)
    return story


def _leave(story: Told) -> None:
    """Pia is away from Wednesday noon on; Carl has accepted to cover."""
    pia, carl = story.cast.pia, story.cast.carl
    begins, ends = moment(2, "12:00"), moment(6, "18:00")
    row = covers.plan(actor=Actor.person(pia), user=pia, surrogate=carl, starts_at=begins, ends_at=ends)
    covers.accept(actor=Actor.person(carl), absence=row)


def _emergency(story: Told, day: int, protocol: str, indication: str, patient: Patient) -> None:
    """From the request to the needle within the hour of nine."""
    story.at(day, "09:00").request(protocol, indication, patient=patient, urgency="emergency", location="bedside")
    case = story.case
    questions = case.protocol_version.parsed.questions
    minimum = {q.code: harmless(q) for q in questions if q.minimum and not q.asked_if}
    checklists.save_answers(actor=Actor.person(story.cast.nora), procedure=case, entries=minimum)
    story.emergency_start("Septic")


def _ascites(story: Told) -> None:
    """One result is corrected after the patient was told of it, one is critical and nobody reads it."""
    _emergency(story, 1, "paracentesis", "infection_recheck", outreach.patient("email"))
    story.hold("Warfarin", last_dose=moment(1, "08:00"))
    for code in ("ascites_albumin", "ascites_protein", "ascites_glucose"):
        story.order(code)
    story.collect(accession="A1001")
    story.deliver()
    story.complete()
    story.record()
    story.sign_record()
    story.at(1, "11:00").result("ascites_albumin", albumin=1.4)
    story.review("ascites_albumin")
    story.tell()
    story.result("ascites_protein", protein=1.6)
    story.review("ascites_protein")
    story.try_to_tell("voicemail")
    story.at(1, "12:00").result("ascites_albumin", "corrected", why="Mixed up", albumin=2.4)
    story.at(1, "12:05").result("ascites_cell_count", again="900", **CRITICAL)
    for hour in ("12:06", "12:21", "13:06", "14:06", "16:30"):
        story.at(1, hour)
    _by_link(story)


def _by_link(story: Told) -> None:
    """Two messages to the patient: one waits over night and is overtaken by a call; the worker of the other dies."""
    nora = Actor.person(story.cast.nora)
    story.at(1, "21:30")
    told_by_link.send(procedure=story.case, actor=nora)
    story.at(1, "21:40").tell("ascites_protein")
    story.at(2, "08:10").result("ascites_glucose", glucose=80)
    story.review("ascites_glucose", "abnormal", tell="now")
    told_by_link.send(procedure=story.case, actor=nora)
    assert dispatch.claim_due(channel="patient_email", now=clock.now())
    story.at(2, "08:20")


def _cancelled(story: Told) -> None:
    """One case that is closed, one that nobody books."""
    story.at(2, "08:30").request("paracentesis", "relief_up_to_5_l", patient=make.patient("Bea", "Closed"))
    story.cancel("Moved to another town")
    story.tell_no_result()
    story.request("paracentesis", "relief_up_to_5_l", patient=make.patient("Cleo", "Waiting"))


def _spinal_fluid(story: Told) -> None:
    """By messages: a panel in pieces, the same once more, one that nobody can place, one that is no message."""
    _emergency(story, 2, "lumbar_puncture", "meningitis", inbound.moreau())
    story.collect(accession="S1001")
    story.deliver()
    story.complete()
    tube = story.test("csf_cell_count").specimen
    assert tube is not None
    taken = {"specimen": tube.accession, "collected": "20261118090000", "received": "20261118091000"}
    count = hl7.csf_cell_count(reported="20261118110000", **taken)
    story.at(2, "11:05")
    for number, one in enumerate(count.observations, start=1):
        piece = replace(count, observations=[one], status="P", reported=f"202611181100{number:02d}")
        inbound.send(hl7.csf_oru(piece, control_id=f"P{number}"), sent="20261118110000")
    protein = hl7.csf_protein("38", reported="20261118110000", **taken)
    for control in ("A1", "A2"):
        inbound.send(hl7.csf_oru(protein, control_id=control), sent="20261118110000")
    unknown = replace(protein, observations=[hl7.Obx(code="ACE^Angiotensin^L", value="9", unit="U/L", status="F")])
    inbound.send(hl7.csf_oru(unknown, control_id="A3"), sent="20261118110000")
    inbound.send(b"MSH|nothing of use")
    story.review("csf_protein")


PARTS = {"ascites": _ascites, "cancelled": _cancelled, "spinal_fluid": _spinal_fluid}


def accepted() -> list[Delivered]:
    """What the mail server took, by key."""
    return list(_accepted)


def check(*, late: timedelta = LATE, **more: Any) -> Report:
    """As a simulation does: with what was accepted and what the pages show."""
    now: datetime = clock.now()
    return checker.check(now, delivered=accepted(), shown=shown.counts(now), late=late, **more)


def sql(statement: str) -> None:
    """Straight into the tables, past every trigger and constraint of a reference."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")
