"""The demonstration's series: several bookings at once, as the page that plans one makes them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from clinic import clock
from clinic.models import Room
from followups.simulation.case import Case, Clinic
from procedures.domain import series as rules
from procedures.domain.series import Wanted
from procedures.models import Patient
from procedures.models.procedures import ALPHABET
from procedures.selectors import series as selector
from procedures.services import protocols
from procedures.services import series as service
from procedures.services.series import Tap

if TYPE_CHECKING:
    from followups.simulation.stories import Plan

COUNT = 3


def begin_series(clinic: Clinic, patient: Patient, plan: Plan, first: datetime) -> list[tuple[Case, datetime]]:
    """Its cases with their slots, booked by the scheduler."""
    version = protocols.newest(plan.protocol)
    assert version is not None
    physician = clinic.cast.users[plan.operator]
    local = timezone.localtime(first, timezone.get_default_timezone())
    days = rules.ideal_days(local.date(), plan.every, COUNT)
    proposals = selector.proposals(
        patient=patient,
        version=version,
        variant=version.parsed.indication(plan.indication).variant,
        location=plan.location,
        wanted=[Wanted(day=day, at=local.time()) for day in days],
        interval_days=plan.every,
        now=clock.now(),
        operators=physician,
    )
    slots = [proposal.slot for proposal in proposals if proposal.slot]
    rooms = {room.pk: room for room in Room.objects.all()}
    made = service.start(
        actor=clinic.cast.actor("sam"),
        patient=patient,
        plan=service.Plan(
            protocol=plan.protocol,
            indication=plan.indication,
            responsible=physician,
            operator=physician,
            location=plan.location,
            interval_days=plan.every,
            weekday=local.weekday(),
            at=local.time(),
        ),
        taps=[
            Tap(row=n, start=slot.start, room=rooms[slot.room.pk] if slot.room else None, operator=physician)
            for n, slot in enumerate(slots)
        ],
        code="".join(clinic.rng.choices(ALPHABET, k=7)),
    )
    cases = made.taps.order_by("series_place")
    return [(Case(clinic, plan.operator, pk=case.pk), slot.start) for case, slot in zip(cases, slots, strict=True)]
