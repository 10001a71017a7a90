"""A nurse hands over at the end of a shift: one screen, one submit, and whoever comes next sees who gave it and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clinic import clock
from clinic.models import User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp
from tests import make
from tests.factories.work import NOW, promise, taken

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_a_computer(browser: Any, live_server: Any, login: Callable[[Any, User], None]) -> Any:
    contexts = []

    def sit(user: User) -> Any:
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        login(page, user)
        return page

    yield sit
    for context in contexts:
        context.close()


def test_a_nurse_hands_over_at_the_end_of_a_shift(at_a_computer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    nora, nick = (make.user(Role.NURSE, full_name=name) for name in ("Nora Nurse", "Nick Night"))
    families = ("Abel", "Bauer", "Costa")
    rows = [
        taken(promise(Kind.TELL_PATIENT, procedure=make.procedure(patient=make.patient(family=name))), nora)
        for name in families
    ]
    day, night = at_a_computer(nora), at_a_computer(nick)

    # from the list she works with, by the keyboard
    day.goto("/chase/?of=mine")
    day.get_by_role("link", name="Hand over the shift").first.click()
    assert day.get_by_role("checkbox", checked=True).count() == 3
    assert day.locator("li", has_text="Abel").get_by_text("due Mon 11:00").is_visible()
    day.locator("li", has_text="Abel").get_by_role("textbox").fill("wife answers the phone")
    day.get_by_label("To whom").select_option(label="Nick Night (nurse)")
    day.get_by_label("What they should know").fill("Ward is full")

    # meanwhile the next nurse takes one of them himself
    night.goto("/chase/?of=all")
    row = night.locator("li[data-row]", has_text="Bauer")
    row.get_by_role("link", name="Take").click()
    night.get_by_role("button", name="Take it").click()
    assert night.url.endswith(f"/chase/?of=all#promise-{rows[1].pk}")

    day.get_by_role("button", name="Hand over what is ticked").click()
    said = day.locator("main").inner_text()
    assert "2 tasks are handed over to Nick Night." in said
    assert rows[1].procedure is not None
    assert f"({rows[1].procedure.code}): Nick Night has it now." in said
    assert "You hold nothing" in said

    night.goto("/chase/?of=mine")
    abel, costa = (night.locator("li[data-row]", has_text=name) for name in ("Abel", "Costa"))
    assert "Nora Nurse → Nick Night: wife answers the phone. Ward is full" in abel.inner_text()
    assert "Nora Nurse → Nick Night: Ward is full" in costa.inner_text()
    assert "Nora" not in night.locator("li[data-row]", has_text="Bauer").inner_text()
    assert set(FollowUp.objects.values_list("taken_by", flat=True)) == {nick.pk}
