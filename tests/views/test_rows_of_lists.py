"""Lines of lists are put together in Python: whatever stands in a row is escaped, and a line leads where it should."""

from __future__ import annotations

import pytest
from django.template import Context
from django.utils.html import escape

from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp
from followups.selectors import worklists
from followups.selectors.board import Entry
from followups.templatetags import board_rows, promise_rows
from procedures.models import Procedure
from tests import make
from tests.factories.work import DAY, NOW, promise

pytestmark = pytest.mark.django_db
EVIL = "<script>alert('x')</script>&\""


def evil_case() -> Procedure:
    patient = make.patient(
        family=EVIL, given=EVIL, language=EVIL, interpreter_needed=True, reach_by="facility", facility=EVIL
    )
    doctor = make.user(Role.PHYSICIAN, full_name=EVIL)
    return make.procedure(status="scheduled", starts=NOW + DAY, patient=patient, operator=doctor, responsible=doctor)


def row() -> worklists.Row:
    case = evil_case()
    found = promise(Kind.TELL_PATIENT, procedure=case, responsible=case.responsible)
    found.notes.create(at=NOW, action="handed_over", text=EVIL)
    return worklists.row_of(worklists.with_subjects(FollowUp.objects.filter(pk=found.pk)).get(), NOW)


@pytest.mark.parametrize("tag", ["promise_item", "promise_brief", "promise_on_paper"])
def test_a_promise_is_escaped(tag: str) -> None:
    found = row()
    html = getattr(promise_rows, tag)(Context({"now": NOW, "back": EVIL}), found)
    assert "<script>" not in html
    assert escape(EVIL) in html
    assert f"/cases/{found.code}/" in html


def test_a_case_is_escaped() -> None:
    case = evil_case()
    entry = Entry(case, NOW, EVIL, ready=False, kit=(EVIL,))
    for html in (board_rows.slot(entry), board_rows.week_case(entry)):
        assert "<script>" not in html
        assert escape(EVIL) in html
        assert f"/cases/{case.code}/" in html
