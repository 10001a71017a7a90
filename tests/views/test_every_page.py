"""Every address that answers a GET, opened by every role that may: whole, titled, safe, nothing left over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic.roles import Role
from procedures.models import Patient
from tests.factories.full import Full
from tests.factories.people import Cast
from tests.views import visits
from tests.views.role_matrix import MATRIX
from tests.views.test_role_matrix import BACKEND, Case

pytestmark = pytest.mark.django_db

#: Opened by somebody who is logged in, these lead home.
NOT_FOR_THEM = {"account_login"}
SILENT = {"script", "style", "template"}
#: What a page shows when something was forgotten.
LEFT_OVER = re.compile(
    r"\{\{|\}\}|\{%|%\(\w+\)s"  # of templates and translations
    r'|(?<!["“])\bNone\b(?! [a-z])|\bTrue\b|\bFalse\b|\bnan\b|\[\]|\{\'|\[\''  # of Python
    r"|<[A-Z]\w+[: ]|object at 0x|datetime\.|Decimal\("
)
#: *None* is an answer that one can choose.
ANSWERS = {"label", "option"}


class Reader(HTMLParser):
    """What can be read on a page, and the attributes that are read aloud; counts h1."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.title = ""
        self.h1 = 0
        self.silent = 0
        self.in_title = False
        self.tag = ""
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        self.h1 += tag == "h1"
        self.in_title = tag == "title" or self.in_title
        self.tag = tag
        for name, value in attrs:
            if name in {"aria-label", "placeholder", "alt", "title"}:
                self.words.append(value or "")
            if name == "style" or name.startswith(("on", "hx-on")):
                self.inline.append(f"<{tag} {name}>")
        if tag == "script" and not dict(attrs).get("src"):
            self.inline.append("<script>")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT
        self.in_title = self.in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.title += data
        elif not self.silent and not (data.strip() == "None" and self.tag in ANSWERS):
            self.words.append(data)


def client_of(role: Role, cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.playing(role), backend=BACKEND)
    return client


def faults(response: Any) -> Iterator[str]:
    """What is wrong with a page."""
    if response.status_code != 200:
        yield f"answers {response.status_code}"
        return
    if "no-store" not in response.headers.get("Cache-Control", ""):
        yield "may be kept by a browser"
    policy = response.headers.get("Content-Security-Policy", "")
    if "default-src 'self'" not in policy or "unsafe" in policy:
        yield "has no strict content security policy"
    page = Reader()
    page.feed(response.content.decode())
    if page.h1 != 1:
        yield f"has {page.h1} main headings"
    if not page.title.partition("·")[0].strip():
        yield "has no title"
    yield from (f"has an inline {found}" for found in page.inline)
    for words in page.words:
        if found := LEFT_OVER.search(words):
            yield f"shows {found[0]!r} in {' '.join(words.split())[:80]!r}"


@pytest.mark.parametrize("role", list(Role))
def test_every_page_of_a_role_is_whole(role: Role, full: Full) -> None:
    client = client_of(role, full.cast)
    found = {
        f"{name} {path}": wrong
        for name, path in visits.of_role(role, full)
        if name not in NOT_FOR_THEM and (wrong := list(faults(client.get(path))))
    }

    assert found == {}


def test_every_page_for_nobody_is_whole(full: Full) -> None:
    client = Client()
    found = {
        name: wrong
        for name in visits.names()
        if any(row.expect["anonymous"] == 200 for key, row in MATRIX.items() if key.split(" ")[0] == name)
        for path in visits.paths(name, full)
        if (wrong := list(faults(client.get(path))))
    }

    assert found == {}


def test_a_page_that_forgets_something_is_noticed() -> None:
    class Answer:
        status_code = 200
        headers: dict[str, str] = {}
        content = b"<title> \xc2\xb7 Clinic</title><h1>A</h1><h1 style='x'>None of [] {{ x }}</h1><script>1</script>"

    assert list(faults(Answer())) == [
        "may be kept by a browser",
        "has no strict content security policy",
        "has 2 main headings",
        "has no title",
        "has an inline <h1 style>",
        "has an inline <script>",
        "shows '[]' in 'None of [] {{ x }}'",
    ]


def test_a_scheduler_reads_nothing_clinical(full: Full) -> None:
    """Neither a medicine, an allergy, a result, a reason nor a word of a review."""
    clinical = re.compile(
        "Apixaban|Warfarin|Spironolactone|Penicillin|Ceftriaxone|blood albumin|broke in the tube|Septic|Volume was read"
    )
    assert_reads_nothing(Role.SCHEDULER, full, clinical)
    assert clinical.search(client_of(Role.NURSE, full.cast).get(full.url("followups:case")).content.decode())


def test_an_administrator_reads_of_no_patient(full: Full) -> None:
    families = Patient.objects.values_list("family_name", flat=True)
    assert_reads_nothing(
        Role.ADMINISTRATOR, full, re.compile("|".join([*map(re.escape, families), *full.codes.values()]))
    )


def assert_reads_nothing(role: Role, full: Full, words: re.Pattern[str]) -> None:
    client = client_of(role, full.cast)
    opened = [path for _name, path in visits.of_role(role, full)]

    assert opened
    assert {path: found[0] for path in opened if (found := words.search(client.get(path).content.decode()))} == {}


@pytest.mark.parametrize("name", sorted(visits.POST_ONLY))
def test_what_only_changes_something_cannot_be_opened(name: str, full: Full) -> None:
    row = next(row for key, row in MATRIX.items() if key.split(" ")[0] == name)
    role = next(role for role in Role if visits.may_see(name, role))
    user = full.cast.playing(role)
    path = reverse(name, kwargs=row.kwargs(Case(cast=full.cast, user=user)))

    assert client_of(role, full.cast).get(path).status_code == 405
