"""Telling the patient: sent is not told, and told is told about one version."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic import clock
from clinic.errors import Invalid, NotPermitted
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp, PatientContact
from followups.services import contacts, reviews
from procedures.models import Procedure, ResultVersion
from tests import make

pytestmark = pytest.mark.django_db

REACHED = {"purpose": "results", "channel": "phone", "outcome": "reached", "spoke_with": "the patient"}


def read_result(procedure: Procedure | None = None) -> ResultVersion:
    version = make.result(make.lab_test(procedure or make.procedure(status="completed")))
    reviews.review(
        version=version, actor=make.actor(Role.PHYSICIAN), interpretation="normal", plan="none", tell="with_all"
    )
    return version


def untold(procedure: Procedure) -> bool:
    return FollowUp.objects.filter(procedure=procedure, kind=Kind.TELL_PATIENT, closed_at__isnull=True).exists()


def test_reaching_the_patient_about_this_version_ends_the_telling() -> None:
    version = read_result()
    procedure = version.test.procedure
    assert untold(procedure)
    contacts.record(procedure=procedure, actor=make.actor(Role.NURSE), versions=[version.pk], **REACHED)
    assert not untold(procedure)


@pytest.mark.parametrize("outcome", ["voicemail", "no_answer", "wrong_number"])
def test_a_try_is_not_told(outcome: str) -> None:
    version = read_result()
    procedure = version.test.procedure
    contacts.record(
        procedure=procedure,
        actor=make.actor(),
        purpose="results",
        channel="phone",
        outcome=outcome,
        versions=[version.pk],
    )
    assert untold(procedure)
    assert PatientContact.objects.get().told_versions == []


def test_a_correction_after_telling_is_told_again() -> None:
    version = read_result()
    procedure = version.test.procedure
    contacts.record(procedure=procedure, actor=make.actor(), versions=[version.pk], **REACHED)
    corrected = make.result(version.test, status="corrected", level="abnormal")
    reviews.review(
        version=corrected, actor=make.actor(Role.PHYSICIAN), interpretation="normal", plan="none", tell="with_all"
    )
    promise = FollowUp.objects.get(procedure=procedure, kind=Kind.TELL_PATIENT, closed_at__isnull=True)
    assert promise.key == "tell:now"


def test_an_unread_result_cannot_be_told() -> None:
    version = make.result(make.lab_test(make.procedure(status="completed")))
    with pytest.raises(Invalid) as refused:
        contacts.record(procedure=version.test.procedure, actor=make.actor(), versions=[version.pk], **REACHED)
    assert refused.value.field == "versions"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"versions": []}, "versions"),
        ({"spoke_with": " "}, "spoke_with"),
        ({"channel": "letter"}, "outcome"),
        ({"at": timedelta(hours=1)}, "at"),
    ],
)
def test_what_is_missing_or_impossible_is_said_beside_its_field(change: dict, field: str) -> None:
    version = read_result()
    fields = {**REACHED, "versions": [version.pk], **change}
    if "at" in change:
        fields["at"] = clock.now() + change["at"]
    with pytest.raises(Invalid) as refused:
        contacts.record(procedure=version.test.procedure, actor=make.actor(), **fields)
    assert refused.value.field == field
    assert not PatientContact.objects.exists()


def test_three_tries_two_channels_and_a_letter_end_it() -> None:
    version = read_result()
    procedure, nurse = version.test.procedure, make.actor()
    for channel in ("phone", "phone", "caregiver"):
        contacts.record(procedure=procedure, actor=nurse, purpose="results", channel=channel, outcome="no_answer")
        assert untold(procedure)
    contacts.record(procedure=procedure, actor=nurse, purpose="results", channel="letter", outcome="letter_sent")
    assert not untold(procedure)


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.DIRECTOR, Role.ADMINISTRATOR])
def test_others_do_not_record_calls(role: Role) -> None:
    with pytest.raises(NotPermitted):
        contacts.record(procedure=make.procedure(), actor=make.actor(role), **REACHED)
