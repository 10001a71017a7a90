"""No page of any role has a fault that axe-core can find: by day, in the dark, and on a telephone.

The suite looks at every address, as the first role of ``ORDER`` that may open it gets it, and at every form of every
role's bar. The proof looks at whatever a role gets otherwise than an earlier one, be it by a word, and at the
contrast of every word of every page: in the suite the pairs of colours are computed (tests/clinic/test_contrast.py),
and axe looks at contrast on the telephone and in the dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client

from clinic.models import User
from clinic.roles import Role
from tests.factories.full import Full
from tests.views import visits
from tests.views.role_matrix import MATRIX
from tests.views.role_rows import ANONYMOUS
from tests.views.test_every_page import client_of

in_a_browser = pytest.mark.django_db(transaction=True)

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": TAGS, "resultTypes": ["violations"], "preload": False, "iframes": False}
#: More than half of axe's time.
WITHOUT_CONTRAST = {**OPTIONS, "rules": {"color-contrast": {"enabled": False}}}
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
#: Looked at on a telephone, and in the dark, by the role that works with them there.
ON_A_PHONE = {
    Role.SCHEDULER: {"followups:board", "procedures:request", "procedures:schedule"},
    Role.NURSE: {
        "followups:chase",
        "followups:checklists",
        "followups:symptoms",
        "followups:tell",
        "procedures:checklist",
        "procedures:specimens",
    },
    Role.PHYSICIAN: {"followups:case", "followups:inbox", "followups:review", "procedures:record"},
}
IN_THE_DARK = {
    Role.NURSE: {"followups:board", "followups:chase", "procedures:checklist", "procedures:tests"},
    Role.PHYSICIAN: {
        "followups:case",
        "followups:inbox",
        "followups:review",
        "procedures:record",
        "procedures:results",
    },
    Role.DIRECTOR: {"followups:loop", "followups:week", "audit"},
}
Visits = list[tuple[str, str]]
Text = tuple[str, str]
#: Whose test looks at a page that several roles get: the one that sees most comes first.
ORDER = (Role.PHYSICIAN, Role.NURSE, Role.DIRECTOR, Role.SCHEDULER, Role.ADMINISTRATOR)
BAR = re.compile(r'<header class="bar">.*?</header>', re.DOTALL)
TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")  # against forged requests, another one in every answer


@pytest.fixture
def opened(browser: Any, live_server: Any, login: Callable[[Any, User], None]) -> Callable[..., Any]:
    """``with opened(user, color_scheme="dark") as page``: a browser of one's own."""

    @contextmanager
    def window(user: User | None, **look: Any) -> Iterator[Any]:
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce", **{"viewport": DESK, **look})
        context.add_init_script(Axe().axe_script)  # once for a browser, not sent again for each page
        page = context.new_page()
        if user is not None:
            login(page, user)
        yield page
        context.close()

    return window


def faults(page: Any, paths: Iterable[str], options: Mapping[str, Any] = OPTIONS) -> Iterator[str]:
    """What axe finds: on which page, which rule, how bad it is, and where."""
    for path in paths:
        response = page.goto(path)
        if response.status != 200:
            yield f"{path} answers {response.status}"
        for broken in page.evaluate("options => axe.run(options)", options)["violations"]:
            for node in broken["nodes"]:
                yield f"{path} {broken['id']} ({broken['impact']}): {node['target'][0]}"


def bar_and_rest(client: Client, path: str) -> tuple[str, str]:
    """A page's bar, if it has one (a letter to print has none), and everything else in it."""
    response = client.get(path)
    assert response.status_code == 200, path
    text = TOKEN.sub("", response.content.decode())
    bars = BAR.findall(text)
    assert len(bars) <= 1, path
    return "".join(bars), BAR.sub("", text)


def to_look_at(mine: Mapping[str, Text], shared: Collection[str]) -> list[str]:
    """Without what is ``shared``, as long as its bar stands on a page that is left."""
    left = [path for path in mine if path not in shared]
    bars = {mine[path][0] for path in left}
    for path, (bar, _rest) in mine.items():
        if bar not in bars:
            left.append(path)
            bars.add(bar)
    return left


def same(mine: Text, others: Iterable[Text]) -> bool:
    """Does somebody else get this word for word, the bar aside?"""
    return any(mine[1] == other[1] for other in others)


def at_addresses_of_its_own(role: Role, pages: Visits, full: Full) -> list[str]:
    """The pages that this role's test looks at in the suite: no earlier role may open them. And one for its bar."""
    earlier = {path for other in ORDER[: ORDER.index(role)] for _name, path in visits.of_role(other, full)}
    return [path for _name, path in pages if path not in earlier] or [pages[0][1]]


def not_seen_by_earlier(role: Role, pages: Visits, full: Full) -> list[str]:
    """The pages that this role's test looks at in the proof."""
    client = client_of(role, full.cast)
    earlier = [
        (client_of(other, full.cast), {path for _name, path in visits.of_role(other, full)})
        for other in ORDER[: ORDER.index(role)]
    ]
    if not earlier:
        return [path for _name, path in pages]
    mine, shared = {}, set()
    for _name, path in pages:
        # One role right after the other: a page may tell the time.
        mine[path] = bar_and_rest(client, path)
        if same(mine[path], (bar_and_rest(other, path) for other, theirs in earlier if path in theirs)):
            shared.add(path)
    return to_look_at(mine, shared)


def only(pages: Visits, names: set[str]) -> list[str]:
    assert names <= {name for name, _path in pages}
    return [path for name, path in pages if name in names]


def of(role: Role, full: Full) -> Visits:
    return [(name, path) for name, path in visits.of_role(role, full) if name != "account_login"]


@in_a_browser
@pytest.mark.proof
@pytest.mark.parametrize("role", ORDER[1:])
def test_axe_finds_nothing_on_what_a_role_gets_otherwise_than_an_earlier_one(
    role: Role, full: Full, opened: Callable[..., Any]
) -> None:
    with opened(full.cast.playing(role)) as page:
        found = list(faults(page, not_seen_by_earlier(role, of(role, full), full)))

    assert not found, "\n".join(found)


@in_a_browser
@pytest.mark.proof
@pytest.mark.parametrize("role", list(Role))
def test_axe_finds_no_faint_word_on_the_pages_of(role: Role, full: Full, opened: Callable[..., Any]) -> None:
    with opened(full.cast.playing(role)) as page:
        found = list(faults(page, at_addresses_of_its_own(role, of(role, full), full)))

    assert not found, "\n".join(found)


@in_a_browser
@pytest.mark.parametrize("role", list(Role))
def test_axe_finds_nothing_on_the_pages_of(role: Role, full: Full, opened: Callable[..., Any]) -> None:
    user = full.cast.playing(role)
    pages = of(role, full)
    with opened(user) as page:
        found = list(faults(page, at_addresses_of_its_own(role, pages, full), WITHOUT_CONTRAST))
    if role in ON_A_PHONE:
        with opened(user, viewport=PHONE, is_mobile=True, has_touch=True) as page:
            found += [f"on a phone: {fault}" for fault in faults(page, only(pages, ON_A_PHONE[role]))]
    if role in IN_THE_DARK:
        with opened(user, color_scheme="dark") as page:
            found += [f"in the dark: {fault}" for fault in faults(page, only(pages, IN_THE_DARK[role]))]

    assert not found, "\n".join(found)


def test_every_address_is_looked_at_by_the_role_that_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    may = {Role.PHYSICIAN: "ab", Role.NURSE: "abc", Role.DIRECTOR: "acd", Role.SCHEDULER: "a", Role.ADMINISTRATOR: "e"}
    monkeypatch.setattr(visits, "of_role", lambda role, _full: [("", path) for path in may[role]])
    looked = {role: at_addresses_of_its_own(role, visits.of_role(role, None), None) for role in ORDER}  # type: ignore[arg-type]
    assert ["".join(looked[role]) for role in ORDER] == ["ab", "c", "d", "a", "e"]


def test_every_role_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted(Role)


def test_a_page_is_left_to_another_role_only_word_for_word() -> None:
    assert same(("bar", "words"), [("bar", "other"), ("another bar", "words")])
    assert not same(("bar", "words"), [("bar", "word"), ("bar", "words ")])
    assert not same(("bar", "words"), [])


def test_no_bar_is_passed_over() -> None:
    mine = {"/same": ("bar", "a"), "/alone": ("bar", "b"), "/marked": ("bar of its own", "c")}

    assert to_look_at(mine, {"/same", "/marked"}) == ["/alone", "/marked"]


@in_a_browser
def test_axe_finds_nothing_on_the_pages_of_somebody_who_is_not_logged_in(
    full: Full, opened: Callable[..., Any]
) -> None:
    public = {name for name in visits.names() if name in MATRIX and MATRIX[name].expect[ANONYMOUS] == 200}
    assert "account_login" in public
    for scheme in ("light", "dark"):
        with opened(None, color_scheme=scheme) as page:
            found = list(faults(page, [path for name in sorted(public) for path in visits.paths(name, full)]))

            assert not found, "\n".join(found)
