"""The loop board's other pages: figures of a period, overrides, files, and the list for paper."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import audit, clock
from clinic.actor import Actor
from clinic.models import AuditEntry, User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import Review
from followups.selectors import loop
from procedures.models import Procedure
from tests import make
from tests.factories.work import DAY, HOUR, NOW, promise

pytestmark = pytest.mark.django_db
POLL = {"X-Refresh": "1"}
PERIODIC = ("indicators", "overrides", "indicators_file", "overrides_file")


@pytest.fixture(autouse=True)
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def dora(client: Client) -> User:
    user = make.user(Role.DIRECTOR, full_name="Dora Director")
    client.force_login(user)
    return user


@pytest.fixture
def case() -> Procedure:
    """With a result that was read, and a formula where somebody gave a reason."""
    made = make.procedure(patient=make.patient(family="Formula", mrn="=M1"))
    version = make.result(make.lab_test(made, collected_at=NOW - DAY), arrived_at=NOW - 2 * HOUR)
    Review.objects.create(
        version=version, procedure=made, reviewer=made.responsible, at=NOW - HOUR,
        interpretation="normal", plan="none", tell="not_this", tell_reason='=HYPERLINK("http://x","y")',
    )  # fmt: skip
    promise(Kind.TELL_PATIENT, procedure=made, due=-HOUR)
    promise(Kind.AWAITED_RESULT, procedure=made, due=9 * DAY, usual_at=NOW + DAY)
    return made


def opened(client: Client, name: str, query: str = "") -> str:
    response = client.get(reverse(f"followups:{name}") + query)
    assert response.status_code == 200
    return str(response.content.decode())


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def table(response: Any) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", PERIODIC)
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?first=2026-11-24", "This day has not come yet."),
        ("?first=2026-11-20&last=2026-11-19", "This day is before the first one."),
        ("?last=2026-11-19", "Say from which day."),
        ("?first=2020-01-01", "Choose at most two years."),
        ("?first=yesterday", "Enter a valid date."),
    ],
)
def test_bad_days_are_said_at_their_field(name: str, query: str, said: str, client: Client, dora: User) -> None:
    response = client.get(reverse(f"followups:{name}") + query)
    html = response.content.decode()
    assert response.status_code == 422
    assert 'aria-invalid="true"' in html
    assert said in html


def test_a_few_are_said_without_a_percentage_and_nothing_without_a_figure(
    client: Client, dora: User, case: Procedure
) -> None:
    text = words(opened(client, "indicators"))
    assert "Read in time 1 of 1" in text
    assert "Specimens lost nothing yet" in text
    assert "%" not in text.split("What the figures mean")[0].split("Every figure")[1]
    assert "Out of: Specimens collected in the period." in text


def test_many_are_said_as_a_percentage_with_what_it_is_of(client: Client, dora: User, case: Procedure) -> None:
    for _ in range(19):
        made = make.procedure(protocol_version=case.protocol_version)
        promise(Kind.SIGN_RECORD, procedure=made, due=-HOUR)
    assert "Became overdue 100 % 20 of 20" in words(opened(client, "indicators"))


def test_pictures_are_drawn_by_the_server_and_their_numbers_stand_beside_them(
    client: Client, dora: User, case: Procedure
) -> None:
    html = opened(client, "indicators")
    rows = re.findall(r'<tr[^>]*>\s*<th scope="row">.*?</tr>', html, re.DOTALL)
    drawn = [row for row in rows if "gauge__bar" in row]
    assert len(drawn) == 2
    assert all('aria-hidden="true"' in row and re.search(r"\d+ h", words(row)) for row in drawn)
    assert "style=" not in html


def test_the_figures_poll_for_one_query(client: Client, dora: User, case: Procedure) -> None:
    found = re.search(r'id="work" hx-get="([^"]+)"', opened(client, "indicators", "?days=7"))
    assert found
    address = found[1].replace("&amp;", "&")
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, headers=POLL).status_code == 204
    asked = [q["sql"] for q in queries if '"django_session"' not in q["sql"] and 'FROM "clinic_user"' not in q["sql"]]
    assert len(asked) == 1
    make.result(make.lab_test(case, "ascites_albumin"))
    fresh = client.get(address, headers=POLL)
    assert fresh.status_code == 200
    assert fresh.content.decode().lstrip().startswith('<div class="live"')


def test_a_file_holds_the_figures_of_its_page(client: Client, dora: User, case: Procedure) -> None:
    rows = {(row["Figure"], row["Of"]): row for row in table(client.get(reverse("followups:indicators_file")))}
    assert (rows["acknowledged", "all results"]["Counted"], rows["acknowledged", "all results"]["Out of"]) == ("1", "1")
    assert rows["acknowledged", "normal"]["Median, minutes"] == "60"
    assert (rows["overdue", "tell_patient"]["Counted"], rows["overdue", "tell_patient"]["Out of"]) == ("1", "1")
    assert rows["lost", ""]["Out of"] == "0"
    test = case.protocol_version.parsed.tests[0]
    assert rows["turnaround", test.code]["Limit, hours"] == str(test.outer_hours)


@pytest.mark.parametrize("figure", ["open", "overdue", "waiting"])
def test_the_file_of_open_items_is_what_the_figure_counts(
    figure: str, client: Client, dora: User, case: Procedure
) -> None:
    rows = table(client.get(reverse("followups:open_items_file") + f"?show={figure}"))
    assert len(rows) == loop.counts(NOW)[figure] > 0
    assert {row["Patient's number"] for row in rows} == {"'=M1"}
    assert {row["Case"] for row in rows} == {case.code}


def test_an_unknown_figure_has_no_file(client: Client, dora: User) -> None:
    assert client.get(reverse("followups:open_items_file") + "?show=everything").status_code == 404


def test_no_file_holds_a_formula_or_a_name(client: Client, dora: User, case: Procedure) -> None:
    for name in ("overrides_file", "open_items_file"):
        text = b"".join(client.get(reverse(f"followups:{name}")).streaming_content).decode()
        assert text.startswith("\ufeff")
        assert "Formula" not in text
        cells = [cell for row in csv.reader(io.StringIO(text[1:])) for cell in row]
        assert "'=M1" in cells
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("name", ["indicators_file", "overrides_file", "open_items_file"])
def test_a_file_is_written_down_with_everybody_in_it(name: str, client: Client, dora: User, case: Procedure) -> None:
    b"".join(client.get(reverse(f"followups:{name}")).streaming_content)
    entry = AuditEntry.objects.get(action="export")
    reads = AuditEntry.objects.filter(action__in=["chart.read", "list.read"])
    assert entry.actor_id == dora.pk
    assert entry.data["rows"] > 0
    assert [row.patient_id for row in reads] == ([] if name == "indicators_file" else [case.patient_id])


def test_overrides_name_who_and_why_and_lead_to_the_case(client: Client, dora: User, case: Procedure) -> None:
    audit.record(action="procedure.overbooked", actor=Actor.person(dora), subject=case, reason="Two rooms agreed")
    html = opened(client, "overrides")
    assert "Dora Director Two rooms agreed" in words(html)
    assert html.count(reverse("followups:case", args=[case.code])) == 2


def test_the_list_for_paper_says_who_how_to_reach_them_and_what_cannot_wait(
    client: Client, dora: User, case: Procedure
) -> None:
    urgent, everything = words(opened(client, "open_items")), words(opened(client, "open_items", "?show=all"))
    assert "Formula, Ada, born 17 May 1984 =M1" in urgent
    assert "+1 202-555-0123" in urgent
    assert "1 item " in urgent and "Result awaited" not in urgent
    assert "2 items" in everything and "Result awaited" in everything
    assert everything.index("Overdue") < everything.index("Result awaited")
