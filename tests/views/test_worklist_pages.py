"""The boards and worklists as pages: who, what is audited, what a poll costs, what stands on them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import clock
from clinic.models import Absence, AuditEntry, Heartbeat, User
from clinic.roles import Role
from followups.domain.kinds import Kind
from procedures.models import Procedure
from tests import make
from tests.factories import promises
from tests.factories.work import DAY, HOUR, NOW, promise, taken

pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true", "X-Refresh": "1"}
#: Each page and somebody who works with it.
PAGES = {
    "board": Role.SCHEDULER,
    "week": Role.SCHEDULER,
    "checklists": Role.NURSE,
    "inbox": Role.PHYSICIAN,
    "chase": Role.NURSE,
    "loop": Role.DIRECTOR,
}
each_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(autouse=True)
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def case() -> Procedure:
    """Booked for this afternoon, and on every page: two promises, one of them about a call."""
    doctor = make.user(Role.PHYSICIAN, username="pia", full_name="Pia Physician")
    found = make.procedure(status="scheduled", starts=NOW + 4 * HOUR, room=make.room("Room 1"), responsible=doctor)
    promise(Kind.SIGN_RECORD, procedure=found, responsible=doctor)
    promise(Kind.TELL_PATIENT, procedure=found, responsible=doctor, level="critical", escalated_role="director")
    return found


def enter(client: Client, name: str) -> None:
    user = User.objects.filter(roles=[str(PAGES[name])]).first() or make.user(PAGES[name])
    client.force_login(user)


def poll_address(html: str) -> str:
    found = re.search(r'id="(?:work|board)" hx-get="([^"]+)" hx-trigger="every 30s"', html)
    assert found
    return found[1].replace("&amp;", "&")


def open_page(client: Client, name: str, query: str = "") -> str:
    response = client.get(reverse(f"followups:{name}") + query)
    assert response.status_code == 200
    return str(response.content.decode())


@each_page
def test_a_page_names_the_patient_and_is_audited_once(name: str, client: Client, case: Procedure) -> None:
    enter(client, name)
    before = AuditEntry.objects.count()
    html = open_page(client, name)
    assert case.patient.family_name in html
    entries = AuditEntry.objects.filter(action__in=["chart.read", "list.read"])
    assert AuditEntry.objects.count() == before + 1
    entry = entries.get()
    assert (entry.patient_id or entry.data["patients"]) == case.patient_id


@each_page
def test_a_list_is_audited_with_everybody_on_it(name: str, client: Client, case: Procedure) -> None:
    other = make.procedure(
        status="scheduled", starts=NOW + 8 * HOUR, room=case.room, responsible=case.responsible, patient=make.patient()
    )
    promise(Kind.TELL_PATIENT, procedure=other, responsible=case.responsible)
    enter(client, name)
    open_page(client, name)
    entry = AuditEntry.objects.get(action="list.read")
    assert entry.data["patients"] == sorted([case.patient_id, other.patient_id])


@each_page
def test_a_poll_of_what_has_not_changed_is_one_query_and_no_page(name: str, client: Client, case: Procedure) -> None:
    enter(client, name)
    address = poll_address(open_page(client, name))
    before = AuditEntry.objects.count()
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address, headers=POLL)
    assert (response.status_code, response.content) == (204, b"")
    asked = [q["sql"] for q in queries if '"django_session"' not in q["sql"] and 'FROM "clinic_user"' not in q["sql"]]
    assert len(asked) == 1
    assert AuditEntry.objects.count() == before


@each_page
def test_a_poll_after_a_change_brings_the_list_alone_and_is_not_audited(
    name: str, client: Client, case: Procedure
) -> None:
    enter(client, name)
    address = poll_address(open_page(client, name))
    before = AuditEntry.objects.count()
    new = make.procedure(
        status="scheduled",
        starts=NOW + 8 * HOUR,
        room=case.room,
        responsible=case.responsible,
        patient=make.patient(family="Newcomer"),
    )
    promise(Kind.TELL_PATIENT, procedure=new, responsible=case.responsible)
    response = client.get(address, headers=POLL)
    html = response.content.decode()
    assert response.status_code == 200
    assert "Newcomer" in html
    assert "<html" not in html
    assert html.lstrip().startswith('<div class="live"')
    assert AuditEntry.objects.count() == before
    assert poll_address(html) != address
    assert client.get(poll_address(html), headers=POLL).status_code == 204


@each_page
def test_a_forged_marker_gives_the_list_and_an_ordinary_reader_the_page(
    name: str, client: Client, case: Procedure
) -> None:
    enter(client, name)
    address = poll_address(open_page(client, name))
    assert client.get(address.replace("seen=", "seen=x"), headers=POLL).status_code == 200
    assert b"<html" in client.get(address).content


@each_page
def test_a_page_says_how_fresh_it_is_and_its_rows_are_walked_by_keys(
    name: str, client: Client, case: Procedure
) -> None:
    enter(client, name)
    html = open_page(client, name)
    assert "as of 10:00" in re.sub(r"<[^>]+>", "", html)
    assert "data-row" in html
    assert 'style="' not in html


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"week"}))
def test_links_to_pages_keep_the_filter_and_not_the_marker(name: str, client: Client, case: Procedure) -> None:
    version = case.protocol_version
    rows = [
        Procedure(
            patient=case.patient,
            protocol_version=version,
            indication="x",
            variant=case.variant,
            requested_at=NOW,
            responsible=case.responsible,
        )
        for _ in range(60)
    ]
    for row in Procedure.objects.bulk_create(rows):
        promise(Kind.SIGN_RECORD, procedure=row, responsible=case.responsible)
        promise(Kind.CHECKLIST_AFTER_EMERGENCY, procedure=row)
    query = {"board": "?day=2026-11-23", "checklists": "?part=owed", "inbox": "?of=mine", "chase": "?of=all"}
    enter(client, name)
    html = open_page(client, name, query.get(name, "?show=open"))
    following = re.search(r'rel="next" href="(\?[^"]+)"', html)
    assert following
    link = following[1].replace("&amp;", "&")
    assert link == f"{query.get(name, '?show=open')}&page=2"
    assert 'rel="prev"' in open_page(client, name, link)


# --- who --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("board", {"scheduler", "nurse", "physician", "director"}),
        ("week", {"scheduler", "nurse", "physician", "director"}),
        ("checklists", {"nurse", "physician", "director"}),
        ("inbox", {"physician", "director"}),
        ("chase", {"nurse", "director"}),
        ("loop", {"director"}),
    ],
)
def test_each_list_is_for_those_who_work_with_it(name: str, roles: set[str]) -> None:
    for role in Role:
        client = Client()
        client.force_login(make.user(role))
        status = client.get(reverse(f"followups:{name}")).status_code
        assert (role, status) == (role, 200 if str(role) in roles else 403)


# --- the inbox and the chase list ---------------------------------------------------------------


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_physicians_inbox_begins_with_their_own_and_a_directors_with_everything(
    client: Client, case: Procedure
) -> None:
    enter(client, "inbox")
    other = promise(Kind.DO_ACTION, responsible=make.user(Role.PHYSICIAN))
    assert f'id="promise-{other.pk}"' not in open_page(client, "inbox")
    client.force_login(make.user(Role.DIRECTOR))
    assert f'id="promise-{other.pk}"' in open_page(client, "inbox")


def test_nothing_of_mine_is_lost(client: Client) -> None:
    doctor = make.user(Role.PHYSICIAN)
    client.force_login(doctor)
    for days in (5, 56):
        promise(Kind.RESTART_MEDICINE, responsible=doctor, due=days * DAY)
    promise(Kind.SIGN_RECORD, responsible=doctor)
    html = open_page(client, "inbox")
    said = "Nothing of mine is lost: 3 open , 0 overdue , 2 parked quietly until Mon 18 Jan 2027"
    assert said in text(html)
    assert '<details class="panel parked" id="parked">' in html


def test_what_is_overdue_is_said_before_anything_is_called_not_lost(client: Client) -> None:
    doctor = make.user(Role.PHYSICIAN)
    client.force_login(doctor)
    promise(Kind.SIGN_RECORD, responsible=doctor, due=-HOUR)
    words = text(open_page(client, "inbox"))
    assert "Of mine: 1 open , 1 overdue" in words
    assert "Nothing of mine is lost" not in words


def test_a_critical_promise_has_no_quick_way_out(client: Client, case: Procedure) -> None:
    enter(client, "inbox")
    html = open_page(client, "inbox")
    critical = case.follow_ups.get(level="critical")
    assert reverse("followups:snooze", args=[critical.pk]) not in html
    main = html.split('<main class="page-main', 1)[1].split("</main>")[0]
    assert "<form" not in main  # every step is a page of its own


def test_a_cover_is_named(client: Client) -> None:
    doctor, carl = make.user(Role.PHYSICIAN), make.user(Role.PHYSICIAN, full_name="Carl Cover")
    Absence.objects.create(user=carl, surrogate=doctor, starts_at=NOW - DAY, ends_at=NOW + DAY, accepted_at=NOW - DAY)
    theirs = promise(Kind.REVIEW_RESULT, responsible=carl)
    client.force_login(doctor)
    assert "Covered for Carl Cover 1" in text(open_page(client, "inbox"))
    assert f'id="promise-{theirs.pk}"' in open_page(client, "inbox", "?of=covered")


@pytest.mark.parametrize(
    ("reach", "said"),
    [
        ({"reach_by": "phone"}, "phone call"),
        ({"reach_by": "none"}, "no way known"),
        ({"reach_by": "caregiver", "caregiver_name": "Ben"}, "through the caregiver, Ben"),
        ({"encounter_class": "inpatient"}, "inpatient: through the ward"),
        ({"interpreter_needed": True, "language": "Somali"}, "interpreter : Somali"),
    ],
)
def test_a_call_says_how_the_patient_is_reached(client: Client, reach: dict[str, Any], said: str) -> None:
    case = promises.case(patient=make.patient(**reach))
    promise(Kind.SYMPTOM_CHECK, procedure=case)
    enter(client, "chase")
    assert said in text(open_page(client, "chase")).replace(" :", " :").replace("interpreter:", "interpreter :")


def test_an_unknown_segment_is_the_usual_one(client: Client, case: Procedure) -> None:
    enter(client, "inbox")
    assert 'href="?of=mine" aria-current="true"' in open_page(client, "inbox", "?of=everyones")


@pytest.mark.parametrize("of", ["mine", "role", "covered", "all"])
def test_empty_lists_teach(client: Client, of: str) -> None:
    enter(client, "inbox")
    assert 'class="empty"' in open_page(client, "inbox", f"?of={of}")


# --- the loop board ---------------------------------------------------------------------------


def test_the_board_links_each_figure_to_its_list(client: Client, case: Procedure) -> None:
    enter(client, "loop")
    html = open_page(client, "loop")
    for name in ("open", "critical", "overdue", "due", "waiting", "unreviewed", "untold", "unowned", "escalated"):
        assert f'href="?show={name}"' in html
    listed = open_page(client, "loop", "?show=untold")
    assert [row.split('"')[0] for row in listed.split('id="promise-')[1:] if "-case" not in row.split('"')[0]] == [
        str(case.follow_ups.get(kind=Kind.TELL_PATIENT).pk)
    ]


def test_the_board_says_whether_the_engine_keeps_up(client: Client) -> None:
    enter(client, "loop")
    assert "has not finished a pass yet" in open_page(client, "loop")
    Heartbeat.objects.create(name="engine", at=clock.real_now())
    assert "The follow-up engine keeps up" in open_page(client, "loop")
    promises.message(promises.promise(responsible=make.user(Role.PHYSICIAN)), state="failed")
    html = open_page(client, "loop")
    assert "1 message did not arrive" in html
    assert reverse("followups:engine") in html
    Heartbeat.objects.update(at=clock.real_now() - timedelta(hours=1))
    assert "The follow-up engine is late." in open_page(client, "loop")


def test_what_somebody_took_is_nobodys_own_no_more(client: Client) -> None:
    row = promise(Kind.BOOK_REQUEST)
    enter(client, "loop")
    assert f'id="promise-{row.pk}"' in open_page(client, "loop", "?show=unowned")
    taken(row, make.user(Role.SCHEDULER))
    assert f'id="promise-{row.pk}"' not in open_page(client, "loop", "?show=unowned")


# --- and back -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("back", "to"),
    [
        ("?back=chase&of=mine", "/chase/?of=mine#promise-{pk}"),
        ("?back=loop&show=overdue&page=2", "/loop/?show=overdue&page=2#promise-{pk}"),
        ("?back=inbox&next=//evil.test", "/inbox/#promise-{pk}"),
        ("?back=//evil.test", "/cases/{code}/"),
        ("", "/cases/{code}/"),
    ],
)
def test_whoever_takes_a_task_from_a_list_comes_back_to_its_row(back: str, to: str, client: Client) -> None:
    client.force_login(make.user(Role.NURSE))
    row = promise(Kind.TELL_PATIENT)
    assert row.procedure is not None
    response = client.post(reverse("followups:take", args=[row.pk]) + back)
    assert (response.status_code, response["Location"]) == (303, to.format(pk=row.pk, code=row.procedure.code))
    assert to.format(pk=row.pk, code=row.procedure.code) in client.get(
        reverse("followups:note", args=[row.pk]) + back
    ).content.decode().replace("&amp;", "&")
