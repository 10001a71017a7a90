"""Cases that wait for results, and one message for each test of theirs: what became of each can be counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clinic import clock
from clinic.roles import Role
from procedures.models import InboundItem, InboundMessage, LabTest, ResultVersion
from tests import make
from tests.factories import hl7, inbound

#: Of each case so many tests, each with a message of its own.
ORDERS = {"csf_glucose": hl7.csf_glucose, "csf_protein": hl7.csf_protein, "csf_cell_count": hl7.csf_cell_count}


def messages(count: int) -> list[bytes]:
    """So many messages, each about a test that waits for it."""
    inbound.laboratory()
    physician = make.user(Role.PHYSICIAN)
    found: list[bytes] = []
    taken = clock.now() - timedelta(hours=3)
    while len(found) < count:
        number = f"{len(found) + 7:08d}"
        patient = make.patient(given="Ada", family="Moreau", mrn=number)
        inbound.tapped(*ORDERS, patient=patient, at=taken, responsible=physician)
        found += _of(number, patient.birth_date.strftime("%Y%m%d"), taken)
    return found[:count]


def _of(number: str, born: str, taken: datetime) -> list[bytes]:
    patient = hl7.Patient(numbers=((number, "EXAMPLE HOSPITAL", "MR"),), born=born)
    times = {"collected": _at(taken), "received": _at(taken + timedelta(minutes=40)), "reported": _at(clock.now())}
    return [
        hl7.csf_oru(order(**times), patient=patient, control_id=f"{number}-{code}", sent=times["reported"]).raw()  # type: ignore[operator]
        for code, order in ORDERS.items()
    ]


def _at(when: datetime) -> str:
    return when.astimezone(ZoneInfo("America/New_York")).strftime("%Y%m%d%H%M%S")


@dataclass(frozen=True)
class Wrong:
    """What is not as it must be when every message has been acknowledged and read; empty lists and zeros are right."""

    lost: int
    unread: list[tuple[int, str, str]]
    not_once: list[int]
    other_results: int
    other_numbers: list[int]

    def __bool__(self) -> bool:
        return self != Wrong(0, [], [], 0, [])


def wrong(sent: list[bytes]) -> Wrong:
    """Every acknowledged message is stored once, and made exactly one version of one result."""
    rows = {bytes(row.raw): row for row in InboundMessage.objects.all()}
    applied = InboundItem.objects.filter(version__isnull=False, state="applied")
    by_message: dict[int, set[int]] = {}
    for message_id, version_id in applied.values_list("message_id", "version_id"):
        by_message.setdefault(message_id, set()).add(version_id)
    kept = [rows[raw] for raw in sent if raw in rows]
    return Wrong(
        lost=len(sent) - len(kept),
        unread=[(row.pk, row.state, row.problem) for row in kept if row.state != "done"],
        not_once=[row.pk for row in kept if len(by_message.get(row.pk, ())) != 1],
        other_results=ResultVersion.objects.count() - len(sent),
        other_numbers=sorted(ResultVersion.objects.exclude(number=1).values_list("test_id", flat=True)),
    )


def tests_without_result() -> int:
    return LabTest.objects.filter(versions__isnull=True).count()
