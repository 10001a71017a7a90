"""A worklist in a browser: it refreshes itself without taking anything from its reader, and is walked by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clinic import clock
from clinic.models import User
from clinic.roles import Role
from followups.domain.kinds import Kind
from tests import make
from tests.factories.work import DAY, HOUR, NOW, promise

pytestmark = pytest.mark.django_db(transaction=True)
HALF_A_MINUTE = 31_000


@pytest.fixture
def pia(monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return make.user(Role.PHYSICIAN, full_name="Pia Physician")


def test_a_list_refreshes_itself_and_keeps_focus_and_what_is_open(
    page: Any, login: Callable[[Any, Any], None], pia: User
) -> None:
    first = promise(Kind.SIGN_RECORD, responsible=pia)
    promise(Kind.RESTART_MEDICINE, responsible=pia, due=5 * DAY)
    login(page, pia)
    page.clock.install()
    page.goto("/inbox/")
    page.get_by_text("Waiting: 1").click()
    page.keyboard.press("Tab")
    page.locator(f"#promise-{first.pk}").focus()

    with page.expect_response(lambda answer: "seen=" in answer.url) as quiet:
        page.clock.fast_forward(HALF_A_MINUTE)
    assert quiet.value.status == 204

    second = promise(Kind.REVIEW_RESULT, responsible=pia, due=-HOUR)
    with page.expect_response(lambda answer: "seen=" in answer.url) as news:
        page.clock.fast_forward(HALF_A_MINUTE)
    assert news.value.status == 200
    page.locator(f"#promise-{second.pk}").wait_for()
    assert page.evaluate("document.activeElement.id") == f"promise-{first.pk}"
    assert page.locator("details#parked").get_attribute("open") is not None
    assert page.get_by_text("3 open").is_visible()


def test_rows_are_walked_with_j_and_k_and_opened_with_enter(
    page: Any, login: Callable[[Any, Any], None], pia: User
) -> None:
    case = make.procedure(responsible=pia)
    rows = [promise(Kind.PLAN_FAILED, procedure=case, responsible=pia, due=n * HOUR) for n in (1, 2)]
    login(page, pia)
    page.goto("/inbox/")
    walked = []
    for key in "jjk":
        page.keyboard.press(key)
        walked.append(page.evaluate("document.activeElement.id"))
    assert walked == [f"promise-{rows[0].pk}", f"promise-{rows[1].pk}", f"promise-{rows[0].pk}"]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{case.code}/")
