"""A recorded refusal stops the start, in an emergency too."""

from __future__ import annotations

import pytest

from clinic.roles import Role
from procedures.domain.answers import Entry
from procedures.services import starts
from procedures.services.gates import StartBlocked
from tests import make
from tests.checklist_answers import fill, fill_and_sign

pytestmark = pytest.mark.django_db

REFUSED = Entry(pick="=refused", note="does not want the needle")


def test_refused_consent_forbids_the_ordinary_start() -> None:
    procedure = make.procedure("lumbar_puncture", status="arrived")
    physician = make.actor(Role.PHYSICIAN)
    fill_and_sign(procedure, physician, "consent", consent_status=REFUSED)
    with pytest.raises(StartBlocked) as blocked:
        starts.start(actor=physician, procedure=procedure)
    assert "Consent: Refused" in blocked.value.blockers


def test_refused_consent_forbids_the_emergency_start_although_all_six_items_are_answered() -> None:
    procedure = make.procedure("paracentesis")
    physician = make.actor(Role.PHYSICIAN)
    fill(procedure, physician, consent_status=REFUSED)
    with pytest.raises(StartBlocked) as blocked:
        starts.emergency_start(actor=physician, procedure=procedure, reason="septic, belly full")
    assert blocked.value.blockers == ["Consent: Refused"]
