"""The simulation's laboratory speaks HL7 that the product reads: every test of both protocols, as it is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic import clock
from clinic.actor import Actor
from clinic.roles import Role
from followups.simulation import answers, laboratory
from procedures.models import InboundItem, InboundMessage, LabTest, Procedure, ResultVersion
from procedures.services import protocols
from tests import make
from tests.factories import inbound as factory

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture
def line() -> laboratory.Line:
    for path in protocols.files():
        make.protocol_version(path.stem)
    laboratory.establish(Actor.person(make.user(Role.NURSE)))
    return laboratory.Line()


def whole(protocol: str) -> tuple[Procedure, dict[str, dict[str, object]]]:
    """A case with every test of the protocol that is taken with the needle, and ordinary values for each."""
    version = protocols.newest(protocol)
    assert version is not None
    later = {code for later in version.parsed.later_tests for code in version.parsed.panel(later.panel).tests}
    codes = [test.code for test in version.parsed.tests if test.code not in later]
    case = factory.tapped(*codes, protocol=protocol, accession="T100", at=clock.now() - 2 * HOUR)
    return case, {code: answers.result(case, code, False) for code in codes}


@pytest.mark.parametrize("protocol", ["lumbar_puncture", "paracentesis"])
def test_every_test_of_a_protocol_is_entered_by_itself(line: laboratory.Line, protocol: str) -> None:
    case, results = whole(protocol)
    assert laboratory.keep(line.report(case, results, at=clock.now()), now=clock.now())
    assert laboratory.read()["read"] == 1
    waiting = list(InboundItem.objects.filter(state="waiting").values_list("place", "label", "reasons"))
    assert waiting == []
    entered = {v.test.code: {k: s["value"] for k, s in v.values.items()} for v in ResultVersion.objects.all()}
    assert entered == results


def test_the_same_report_under_another_number_is_kept_and_enters_nothing(line: laboratory.Line) -> None:
    case = factory.tapped("csf_protein", at=clock.now() - HOUR)
    raw = line.report(case, {"csf_protein": {"protein": 36}}, at=clock.now())
    kept = [laboratory.keep(message, now=clock.now()) for message in (raw, line.again(raw))]
    assert [row is not None and row.is_new for row in kept] == [True, True]
    assert laboratory.read()["read"] == 2
    assert len(set(InboundMessage.objects.values_list("control_id", flat=True))) == 2
    assert ResultVersion.objects.count() == 1


def test_the_same_bytes_are_kept_once_and_another_patients_name_makes_it_wait(line: laboratory.Line) -> None:
    case = factory.tapped("csf_protein", at=clock.now() - HOUR)
    raw = line.report(case, {"csf_protein": {"protein": 36}}, at=clock.now())
    first, second = (laboratory.keep(raw, now=clock.now()) for _ in range(2))
    assert first is not None and second is not None
    assert (first.pk, first.is_new, second.is_new) == (second.pk, True, False)
    other = make.patient()
    laboratory.keep(line.report(case, {"csf_protein": {"protein": 99}}, at=clock.now(), about=other), now=clock.now())
    laboratory.read()
    assert InboundMessage.objects.filter(state="waiting").count() == 1
    assert LabTest.objects.get(procedure=case).versions.count() == 1
