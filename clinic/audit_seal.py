"""The daily seal of the audit trail: whoever changes, removes or slips in a row of a sealed day is found out.

Nothing here locks or slows the writing of rows. A day is sealed when it has been over for ``GRACE`` and no transaction
that began in it is still open. A row that is committed later still, under a number inside a sealed day, does not get
into the seal: the check then names it, because nobody can tell it from one that was slipped in.

Days are those of the clinic by the wall clock (``recorded_at``). The chain is only as safe as its newest digest:
it is also written to the log, which belongs on another machine.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Min, Subquery

from clinic import audit, clock
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.models import AuditEntry, AuditSeal, Heartbeat

logger = logging.getLogger(__name__)

HEARTBEAT = "audit_seal"
ACCEPTED = "audit_seal.accepted"
#: Far longer than any transaction may take.
GRACE = timedelta(hours=1)
DAY = timedelta(days=1)
#: How many of the newest days the nightly run checks again; ``audit_seal --verify`` checks all.
NEWEST = 7
COLUMNS = (
    "id",
    "action",
    "at",
    "recorded_at",
    "actor_id",
    "actor_name",
    "via",
    "subject_type",
    "subject_id",
    "patient_id",
    "data",
    "reason",
)
MARK = struct.Struct(">I8s")
CHUNK = 2000


@dataclass(frozen=True)
class Mismatch:
    """The first day that is not as it was sealed, and the row, where one can be named."""

    day: date
    row: int | None
    what: str
    digest: str = ""  # of the day as it is now

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row is not None else ""
        return f"{self.day.isoformat()}{row}: {self.what}"


@dataclass(frozen=True)
class Sealed:
    """The rows of one day as they are now."""

    first_id: int | None
    last_id: int
    count: int
    digest: str
    marks: bytes


# --- sealing --------------------------------------------------------------------------------


def seal(now: datetime) -> list[AuditSeal]:
    """Seal every day that is over, oldest first; returns the new seals. ``now`` is the wall clock."""
    made = []
    while (day := _next_day(now)) is not None and not _still_open(_end(day)):
        row = _seal_day(day, now)
        if row is None:
            break  # somebody else is at it
        logger.info("audit sealed %s rows %s sha256 %s", day, row.count, row.digest)
        made.append(row)
    return made


def _next_day(now: datetime) -> date | None:
    """The oldest day that can be sealed and is not; None when there is none."""
    last = AuditSeal.objects.aggregate(day=Max("day"))["day"]
    if last is None:
        first = AuditEntry.objects.aggregate(at=Min("recorded_at"))["at"]
        if first is None:
            return None
        last = _day_of(first) - DAY
    day: date = last + DAY
    return day if _end(day) + GRACE <= now else None


def _seal_day(day: date, now: datetime) -> AuditSeal | None:
    previous = AuditSeal.objects.order_by("-day").first()
    after = previous.last_id if previous else 0
    upto = AuditEntry.objects.filter(id__gt=after, recorded_at__lt=_end(day)).aggregate(last=Max("id"))["last"] or after
    before = previous.digest if previous else ""
    found = _digest(day, before, after, upto)
    try:
        with transaction.atomic():
            return AuditSeal.objects.create(day=day, previous=before, sealed_at=now, **asdict(found))
    except IntegrityError:
        return None


def _still_open(end: datetime) -> bool:
    """Has a transaction that has written something been open since before ``end``?"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_xid IS NOT NULL AND xact_start < %s AND pid <> pg_backend_pid()",
            [end],
        )
        (found,) = cursor.fetchone()
    return bool(found)


# --- digest ---------------------------------------------------------------------------------


def canonical(row: tuple[Any, ...]) -> bytes:
    """One row as bytes that are the same whenever and wherever they are made."""
    return json.dumps(row, default=_utc, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _utc(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(value)


def _digest(day: date, before: str, after: int, upto: int) -> Sealed:
    whole = hashlib.sha256(f"{before}\n{day.isoformat()}\n{after}\n{upto}\n".encode())
    first, marks = None, bytearray()
    for number, text in _rows(after, upto):
        first = first or number
        one = hashlib.sha256(text).digest()
        whole.update(one)
        marks += MARK.pack(number - after, one[:8])
    return Sealed(first, upto, len(marks) // MARK.size, whole.hexdigest(), bytes(marks))


def _rows(after: int, upto: int) -> Iterator[tuple[int, bytes]]:
    rows = AuditEntry.objects.filter(id__gt=after, id__lte=upto).order_by("id").values_list(*COLUMNS)
    for row in rows.iterator(chunk_size=CHUNK):
        yield row[0], canonical(row)


# --- verifying ------------------------------------------------------------------------------


def verify(*, newest: int | None = None) -> Mismatch | None:
    """Recompute the seals, all or the ``newest``, and name the first that does not match."""
    days = AuditSeal.objects.order_by("-day")
    seals = list(reversed(days if newest is None else days[:newest]))
    before = AuditSeal.objects.filter(day__lt=seals[0].day).order_by("-day").first() if seals else None
    accepted = set(AuditEntry.objects.filter(action=ACCEPTED).values_list("data__day", "data__digest"))
    for row in seals:
        wrong = _compare(row, before)
        if wrong is not None and (wrong.day.isoformat(), wrong.digest) not in accepted:
            return wrong
        before = row
    return None


def _compare(row: AuditSeal, before: AuditSeal | None) -> Mismatch | None:
    digest, after = (before.digest, before.last_id) if before else ("", 0)
    if row.previous != digest or (before and row.day != before.day + DAY):
        return Mismatch(row.day, None, "the seal does not follow the one of the day before")
    found = _digest(row.day, digest, after, row.last_id)
    if found.digest == row.digest and (found.first_id, found.count) == (row.first_id, row.count):
        return None
    number, what = _first_difference(bytes(row.marks), found.marks)
    return Mismatch(row.day, after + number if number else None, what, found.digest)


def _first_difference(sealed: bytes, found: bytes) -> tuple[int | None, str]:
    was, now = dict(_marks(sealed)), dict(_marks(found))
    for number in sorted({*was, *now}):
        if number not in now:
            return number, "the row was removed"
        if number not in was:
            return number, "the row was added after the day was sealed"
        if was[number] != now[number]:
            return number, "the row was changed"
    return None, "the seal itself was changed"


def _marks(data: bytes) -> Iterable[tuple[int, bytes]]:
    whole = len(data) - len(data) % MARK.size
    return MARK.iter_unpack(data[:whole])


def accept(*, day: date, reason: str) -> None:
    """An operator has found out why a day does not match: as it is now it raises no alarm any more.

    Raises Invalid without a reason, or when that day is not the first that does not match.
    """
    wrong = verify()
    if wrong is None or wrong.day != day:
        raise Invalid("%(day)s is not the first day that does not match.", day=day.isoformat())
    if not reason.strip():
        raise Invalid("Say what was found out.")
    data = {"day": day.isoformat(), "digest": wrong.digest, "row": wrong.row, "what": wrong.what}
    audit.record(action=ACCEPTED, actor=Actor.system("audit_seal"), data=data, reason=reason.strip())


# --- the nightly run and what is said of it -------------------------------------------------


@dataclass(frozen=True)
class SealState:
    """``behind``: finished days without a seal, beyond the one that the coming night makes. ``broken``: in words."""

    sealed_to: date | None
    behind: int
    broken: str
    verified_at: datetime | None


def seal_and_verify(*, everything: bool = False) -> Mismatch | None:
    """What the night does: seal what is over, look at the newest again, and write down what was found."""
    now = clock.real_now()
    seal(now)
    wrong = verify(newest=None if everything else NEWEST)
    if wrong is not None:
        logger.error("audit seal broken: %s", wrong)
    data = {"broken": str(wrong) if wrong else _kept(everything), "everything": everything}
    Heartbeat.objects.update_or_create(name=HEARTBEAT, defaults={"at": now, "data": data})
    return wrong


def _kept(everything: bool) -> str:
    """A fault of an older day is not forgotten because the newest days are right."""
    before = Heartbeat.objects.filter(name=HEARTBEAT).first()
    return str(before.data.get("broken", "")) if before and not everything else ""


def state(now: datetime) -> SealState:
    """Two queries. ``now`` is the wall clock."""
    beat = Heartbeat.objects.filter(name=HEARTBEAT).first()
    newest = Subquery(AuditSeal.objects.order_by("-day").values("day")[:1])
    first, last = AuditEntry.objects.order_by("id").values_list("recorded_at", newest).first() or (None, None)
    behind = 0
    if last is not None:
        behind = max((_day_of(now) - last).days - 2, 0)
    elif first is not None:
        behind = max((_day_of(now) - _day_of(first)).days - 1, 0)
    return SealState(last, behind, str(beat.data.get("broken", "")) if beat else "", beat.at if beat else None)


def _day_of(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(settings.CLINIC_ZONE)).date()


def _end(day: date) -> datetime:
    """The end of a clinic day, as a moment."""
    return datetime.combine(day + DAY, time.min, tzinfo=ZoneInfo(settings.CLINIC_ZONE)).astimezone(UTC)
