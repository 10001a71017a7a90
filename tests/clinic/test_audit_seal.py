"""The daily seal of the audit trail: what it covers, and that every kind of tampering is found and named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from clinic import audit_seal, checks, clock
from clinic.actor import Actor
from clinic.audit import record
from clinic.models import AuditEntry, AuditSeal, Heartbeat
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db

#: Noon in New York.
NOON = datetime(2026, 11, 16, 17, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def zone(settings: Any) -> None:
    settings.CLINIC_ZONE = "America/New_York"


def entries(at: datetime, count: int = 3) -> list[AuditEntry]:
    rows = []
    for number in range(count):
        row = record(action="chart.read", actor=Actor.system(), data={"page": "case", "n": number, "share": 0.1})
        rows.append(row)
    with pgtrigger.ignore("clinic.AuditEntry:audit_append_only"):
        AuditEntry.objects.filter(pk__in=[row.pk for row in rows]).update(recorded_at=at)
    return rows


@pytest.fixture
def three_days() -> list[list[AuditEntry]]:
    """Monday, Tuesday (nothing), Wednesday; sealed on Thursday at noon."""
    days = [entries(NOON), [], entries(NOON + 2 * DAY, 4)]
    audit_seal.seal(NOON + 3 * DAY)
    return days


def test_each_finished_day_gets_one_seal_with_its_range_and_an_empty_day_too(
    three_days: list[list[AuditEntry]],
) -> None:
    monday, tuesday, wednesday = AuditSeal.objects.order_by("day")
    assert [str(seal.day) for seal in (monday, tuesday, wednesday)] == ["2026-11-16", "2026-11-17", "2026-11-18"]
    assert (monday.first_id, monday.last_id, monday.count) == (three_days[0][0].pk, three_days[0][2].pk, 3)
    assert (tuesday.first_id, tuesday.last_id, tuesday.count) == (None, monday.last_id, 0)
    assert (wednesday.count, wednesday.previous) == (4, tuesday.digest)
    assert len({monday.digest, tuesday.digest, wednesday.digest}) == 3
    assert audit_seal.verify() is None
    assert audit_seal.seal(NOON + 3 * DAY) == []


def test_a_day_is_the_clinics_and_is_sealed_an_hour_after_its_end() -> None:
    entries(datetime(2026, 11, 17, 4, 59, tzinfo=UTC))  # still the 16th in New York
    assert audit_seal.seal(datetime(2026, 11, 17, 5, 59, tzinfo=UTC)) == []
    (seal,) = audit_seal.seal(datetime(2026, 11, 17, 6, tzinfo=UTC))
    assert (seal.day, seal.count) == (date(2026, 11, 16), 1 + 2)


def test_rows_of_today_are_in_no_seal_yet(three_days: list[list[AuditEntry]]) -> None:
    entries(NOON + 3 * DAY)
    assert audit_seal.seal(NOON + 3 * DAY) == []
    assert audit_seal.verify() is None


def test_a_day_waits_while_a_transaction_that_wrote_in_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    entries(NOON)
    monkeypatch.setattr(audit_seal, "_still_open", lambda end: True)
    assert audit_seal.seal(NOON + 2 * DAY) == []


# --- tampering ------------------------------------------------------------------------------


def change(row: AuditEntry) -> None:
    AuditEntry.objects.filter(pk=row.pk).update(actor_name="Somebody Else")


def change_a_detail(row: AuditEntry) -> None:
    AuditEntry.objects.filter(pk=row.pk).update(data={**row.data, "share": 0.2})


def remove(row: AuditEntry) -> None:
    AuditEntry.objects.filter(pk=row.pk).delete()


Tamper = Callable[[AuditEntry], None]


@pytest.mark.parametrize(
    ("tamper", "what"),
    [(change, "changed"), (change_a_detail, "changed"), (remove, "removed")],
)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_row_that_a_superuser_touched_is_named(
    three_days: list[list[AuditEntry]], tamper: Tamper, what: str, index: int
) -> None:
    row = three_days[0][index]
    number = row.pk
    with pytest.raises(DatabaseError), transaction.atomic():
        tamper(row)  # the trigger refuses everybody
    with pgtrigger.ignore("clinic.AuditEntry:audit_append_only"):
        tamper(row)
    wrong = audit_seal.verify()
    assert wrong is not None
    assert (str(wrong.day), wrong.row, wrong.what) == ("2026-11-16", number, f"the row was {what}")


def test_a_row_that_was_slipped_in_or_committed_too_late_is_named(three_days: list[list[AuditEntry]]) -> None:
    gone = three_days[2][1]
    with pgtrigger.ignore("clinic.AuditEntry:audit_append_only", "clinic.AuditSeal:audit_seal_append_only"):
        AuditSeal.objects.filter(day=date(2026, 11, 18)).delete()
        number = gone.pk
        AuditEntry.objects.filter(pk=number).delete()
    audit_seal.seal(NOON + 3 * DAY)
    assert audit_seal.verify() is None
    gone.pk = number
    gone.save(force_insert=True)
    wrong = audit_seal.verify()
    assert wrong is not None
    assert (wrong.row, wrong.what) == (number, "the row was added after the day was sealed")


def test_a_seal_that_was_made_again_breaks_the_chain(three_days: list[list[AuditEntry]]) -> None:
    """Whoever changes a row and its seal too must change every later seal, and what the log says of them."""
    with pgtrigger.ignore("clinic.AuditEntry:audit_append_only", "clinic.AuditSeal:audit_seal_append_only"):
        change(three_days[0][0])
        forged = audit_seal._digest(date(2026, 11, 16), "", 0, three_days[0][2].pk)
        AuditSeal.objects.filter(day=date(2026, 11, 16)).update(digest=forged.digest, marks=forged.marks)
    wrong = audit_seal.verify()
    assert wrong is not None
    assert (str(wrong.day), wrong.what) == ("2026-11-17", "the seal does not follow the one of the day before")


def test_the_seals_themselves_are_append_only(three_days: list[list[AuditEntry]]) -> None:
    for attempt in (AuditSeal.objects.all().delete, lambda: AuditSeal.objects.update(count=0, first_id=None)):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()


def test_two_sealers_at_once_make_one_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    entries(NOON)
    assert audit_seal._seal_day(date(2026, 11, 16), NOON + DAY) is not None
    assert audit_seal._seal_day(date(2026, 11, 16), NOON + DAY) is None
    assert AuditSeal.objects.count() == 1


# --- who says so ----------------------------------------------------------------------------


def run(*arguments: str) -> tuple[str, str, int]:
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("audit_seal", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return out.getvalue(), err.getvalue(), code


def test_the_command_seals_verifies_names_the_fault_and_takes_an_explanation(
    three_days: list[list[AuditEntry]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "real_now", lambda: NOON + 3 * DAY)
    assert "3 seals were computed again." in run("--verify")[0]
    with pgtrigger.ignore("clinic.AuditEntry:audit_append_only"):
        change(three_days[2][0])
    fault = f"2026-11-18, row {three_days[2][0].pk}: the row was changed"
    assert run("--verify") == ("", f"does not match: {fault}\n", 1)
    assert checks.audit_is_sealed()[0].id == "clinic.E022"
    assert fault in checks.audit_is_sealed()[0].msg

    for day, reason in (("2026-11-16", "restored"), ("2026-11-18", " ")):
        with pytest.raises(CommandError):
            run("--accept", day, "--reason", reason)
    _, err, code = run("--accept", "2026-11-18", "--reason", "restored from the backup of Monday")
    assert (err, code) == ("", 0)
    assert checks.audit_is_sealed() == []
    assert AuditEntry.objects.get(action="audit_seal.accepted").reason == "restored from the backup of Monday"

    with pgtrigger.ignore("clinic.AuditEntry:audit_append_only"):
        change_a_detail(three_days[2][0])
    assert run("--verify")[2] == 1  # what was explained is that state of the day, and no other


def test_the_doctor_says_when_days_have_no_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    entries(NOON)
    for days, missing in ((1, 0), (2, 1), (4, 3)):
        monkeypatch.setattr(clock, "real_now", lambda days=days: NOON + days * DAY)
        assert [found.id for found in checks.audit_is_sealed()] == ["clinic.E023"] * bool(missing)
        assert audit_seal.state(clock.real_now()).behind == missing


def test_the_nightly_look_at_the_newest_days_does_not_forget_an_older_fault(
    three_days: list[list[AuditEntry]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "real_now", lambda: NOON + 3 * DAY)
    monkeypatch.setattr(audit_seal, "NEWEST", 1)
    with pgtrigger.ignore("clinic.AuditEntry:audit_append_only"):
        change(three_days[0][0])
    assert audit_seal.seal_and_verify(everything=True) is not None
    assert audit_seal.seal_and_verify() is None
    assert "2026-11-16" in Heartbeat.objects.get(name="audit_seal").data["broken"]


def test_the_director_sees_on_the_audit_page_whether_the_trail_is_sealed(
    three_days: list[list[AuditEntry]], cast: Cast, client: Client
) -> None:
    client.force_login(cast.dora, backend="allauth.account.auth_backends.AuthenticationBackend")
    Heartbeat.objects.create(name="audit_seal", at=clock.real_now(), data={"broken": ""})
    behind = audit_seal.state(clock.real_now()).behind
    page = client.get("/audit/").content.decode()
    assert ("Sealed up to the end of 18 Nov 2026" in page) is (behind == 0)
    Heartbeat.objects.filter(name="audit_seal").update(data={"broken": "2026-11-16, row 7: the row was removed"})
    assert "2026-11-16, row 7: the row was removed" in client.get("/audit/").content.decode()


def test_writing_a_row_waits_for_no_seal(three_days: list[list[AuditEntry]]) -> None:
    """Sealing takes no lock on the trail that a writer would have to wait for."""
    entries(NOON + 3 * DAY)
    audit_seal.seal(NOON + 5 * DAY)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'clinic_auditentry'::regclass"
        )
        modes = {mode for (mode,) in cursor.fetchall()}
    # of this test's own transaction: it read and wrote rows, and nothing stronger
    assert modes <= {"AccessShareLock", "RowExclusiveLock", "RowShareLock"}
