"""Every kind of promise is whole: module, words, ladder, address, test, and a place in the document."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import get_resolver

from clinic.roles import Role
from followups import wording
from followups.domain import document, kinds
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Plural, Spec
from followups.management.commands import follow_ups
from followups.services import ladders

FOLDER = Path(kinds.__file__).parent
each_kind = pytest.mark.parametrize("kind", Kind)


@each_kind
def test_a_kind_says_everything_about_itself(kind: Kind) -> None:
    spec = kinds.of(kind)
    assert all([spec.label, spec.mail, spec.opens, spec.closes])
    assert spec.mail.endswith(".") and not spec.opens.endswith(".") and not spec.closes.endswith(".")


def test_every_module_is_a_kind() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "spec"}
    assert modules == {str(kind) for kind in Kind}


@each_kind
def test_every_kind_has_a_test_of_its_own(kind: Kind) -> None:
    assert (Path(__file__).parent / "kinds" / f"test_{kind}.py").exists()


@each_kind
def test_a_kind_leads_to_a_page_that_exists(kind: Kind) -> None:
    namespace, _, name = kinds.of(kind).page.rpartition(":")
    patterns = get_resolver().namespace_dict[namespace][1].reverse_dict if namespace else get_resolver().reverse_dict
    assert name in patterns


@each_kind
def test_a_message_says_nothing_personal(kind: Kind) -> None:
    assert "%" not in kinds.of(kind).mail


def test_the_committed_document_is_what_kinds_and_ladders_say() -> None:
    assert follow_ups.DOCUMENT.read_text("utf-8") == document.render(ladders.load()), "run manage.py follow_ups"


def test_a_document_that_is_behind_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_ups, "DOCUMENT", tmp_path / "follow-ups.md")
    with pytest.raises(CommandError, match="not current"):
        call_command("follow_ups", "--check", stdout=StringIO())
    call_command("follow_ups", stdout=StringIO())
    call_command("follow_ups", "--check", stdout=StringIO())


def spec(line: str | Plural | Callable[..., str]) -> Spec:
    return Spec(
        kind=Kind.CARRY_OUT,
        rules=(),
        label="",
        line=line,
        mail="",
        opens="",
        closes="",
        page="",
        words={"plan": {"": "-"}},
    )


def test_a_line_is_filled_from_what_the_promise_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    def line(about: dict[str, object], made: Spec) -> str:
        monkeypatch.setattr(kinds, "of", lambda _kind: made)
        return wording.sentence(Kind.CARRY_OUT, about, None)

    assert line({"n": 2}, spec("%(n)s left")) == "2 left"
    assert line({}, spec(Plural("%(n)s tap", "%(n)s taps", 3))) == "3 taps"
    assert line({"plan": "nothing known"}, spec("Do: %(plan)s")) == "Do: -"
    assert line({"role": str(Role.NURSE)}, spec("Nobody answers for %(role)s")) == "Nobody answers for the nurses"
    assert line({"tests": ["a", "b", "c", "d"]}, spec("%(tests)s")) == "a, b, c and 1 more"
