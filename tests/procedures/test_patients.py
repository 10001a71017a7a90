"""Registering, finding and changing patients."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures import events
from procedures.domain.states import EncounterClass
from procedures.models import Patient, PatientIdentifier
from procedures.selectors import patients as selector
from procedures.services import patients
from tests import make

pytestmark = pytest.mark.django_db
BORN = date(1984, 5, 17)


@pytest.fixture
def actor() -> Actor:
    return make.actor(Role.SCHEDULER)


@pytest.fixture
def told() -> Iterator[list[int]]:
    """Which procedures were said to have changed."""
    heard: list[int] = []

    def listen(sender: Any, subject_id: int, **kwargs: Any) -> None:
        heard.append(subject_id)

    events.facts_changed.connect(listen)
    yield heard
    events.facts_changed.disconnect(listen)


def register(actor: Actor, given: str = "Ana", family: str = "García", **extra: Any) -> Patient:
    born = extra.pop("born", BORN)
    return patients.create(actor=actor, given_name=given, family_name=family, birth_date=born, **extra)


def found(text: str) -> list[str]:
    return [patient.name for patient in selector.search(text).patients]


def test_a_new_patient_has_a_number_a_search_text_and_an_audit_entry(actor: Actor) -> None:
    patient = register(actor, phone="+12025550123")
    assert patient.mrn == f"P{patient.pk:06d}"
    assert patient.search_text == f"GARCIA ANA {patient.mrn}"
    entry = AuditEntry.objects.get(action="patient.created")
    assert entry.patient_id == patient.pk
    assert "Ana" not in str(entry.data)


def test_a_given_number_is_kept_and_one_that_is_taken_is_refused_in_words(actor: Actor) -> None:
    assert register(actor, mrn="77-12").mrn == "77-12"
    with pytest.raises(Invalid) as refused:
        register(actor, "Petr", "Novak", mrn="77-12")
    assert refused.value.field == "mrn"
    assert not Patient.objects.filter(family_name="Novak").exists()


def test_the_same_number_of_another_authority_is_another_number(actor: Actor) -> None:
    register(actor, mrn="77-12")
    assert register(actor, "Petr", "Novak", mrn="77-12", authority="COUNTY").mrn == "77-12"


def test_a_made_number_avoids_one_that_somebody_has_typed(actor: Actor) -> None:
    first = register(actor)
    PatientIdentifier.objects.create(patient=first, authority="CLINIC", value=f"P{first.pk + 1:06d}")
    assert register(actor, "Petr", "Novak").mrn == f"P{first.pk + 1:06d}A"


@pytest.mark.parametrize(("authority", "value"), [("", "M1"), ("CLINIC", "")])
def test_the_database_refuses_an_empty_identifier(actor: Actor, authority: str, value: str) -> None:
    patient = register(actor)
    with pytest.raises(IntegrityError), transaction.atomic():
        PatientIdentifier.objects.create(patient=patient, authority=authority, value=value)


def test_somebody_like_a_registered_patient_is_shown_first(actor: Actor) -> None:
    first = register(actor)
    with pytest.raises(patients.PossibleDuplicate) as refused:
        register(actor, "Anna", "Garcia")
    assert refused.value.candidates == [first]
    second = register(actor, "Anna", "Garcia", despite=[first.pk])
    assert second.pk != first.pk


def test_a_second_click_on_create_anyway_makes_no_third_patient(actor: Actor) -> None:
    first = register(actor)
    register(actor, "Anna", "Garcia", despite=[first.pk])
    with pytest.raises(patients.PossibleDuplicate):
        register(actor, "Anna", "Garcia", despite=[first.pk])


def test_another_birth_date_or_another_name_is_nobody_we_know(actor: Actor) -> None:
    register(actor)
    register(actor, born=BORN + timedelta(days=1))
    register(actor, "Petr", "Novak")
    assert Patient.objects.count() == 3


def test_a_birth_date_in_the_future_is_refused(actor: Actor) -> None:
    with pytest.raises(Invalid) as refused:
        register(actor, born=clock.now().date() + timedelta(days=2))
    assert refused.value.field == "birth_date"


@pytest.mark.parametrize(
    "typed",
    ["garcia", "GARCÍA", "arci", "ana gar", "García, Ana", "77-12", "7712", "1984-05-17", "17 May 1984", "ana 5/17/84"],
)
def test_a_patient_is_found_by_any_part_of_name_number_and_birth_date(actor: Actor, typed: str) -> None:
    register(actor, mrn="77-12")
    register(actor, "Petr", "Novak", born=date(1950, 1, 2))
    assert found(typed) == ["García, Ana"]


@pytest.mark.parametrize("typed", ["garcia petr", "5/17/1985", "9999"])
def test_every_word_must_match(actor: Actor, typed: str) -> None:
    register(actor, mrn="77-12")
    assert found(typed) == []


def test_an_exact_number_comes_first_then_names_that_begin_so(actor: Actor) -> None:
    register(actor, "Zoe", "Abbott", mrn="AB1")
    register(actor, "Petr", "Cab1", born=date(1950, 1, 2))
    register(actor, "Petr", "Ab12", born=date(1950, 1, 3))
    assert found("ab1") == ["Abbott, Zoe", "Ab12, Petr", "Cab1, Petr"]


def test_too_little_is_not_searched_and_too_many_are_cut_at_fifty(actor: Actor) -> None:
    assert not selector.search("g").enough
    Patient.objects.bulk_create(
        Patient(given_name=f"A{i}", family_name="Same", birth_date=BORN, search_text=f"SAME A{i}") for i in range(60)
    )
    result = selector.search("same")
    assert len(result.patients) == 50
    assert result.more


def test_of_many_that_match_the_number_and_the_names_that_begin_so_still_come_first(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selector, "MOST", 2)
    for n in range(6):
        register(actor, f"Xab{n}", "Same", born=BORN + timedelta(days=n))
    register(actor, "Petr", "Abel", born=date(1950, 1, 3))
    register(actor, "Zoe", "Young", mrn="AB", born=date(1950, 1, 2))
    result = selector.search("ab", limit=3)
    assert [patient.family_name for patient in result.patients] == ["Young", "Abel", "Same"]
    assert result.more


def test_of_many_that_begin_so_the_first_by_name_are_shown_after_the_number(actor: Actor) -> None:
    for n in range(6):
        register(actor, f"Ana{n}", f"Abel{6 - n}", born=BORN + timedelta(days=n))
    register(actor, "Zoe", "Young", mrn="ABEL", born=date(1950, 1, 2))
    result = selector.search("abel", limit=3)
    assert [patient.family_name for patient in result.patients] == ["Young", "Abel1", "Abel2"]
    assert result.more


def test_a_search_costs_four_queries_whatever_it_finds(actor: Actor) -> None:
    for n in range(12):
        register(actor, f"Ana{n}", "Garcia", born=BORN + timedelta(days=n))
    with CaptureQueriesContext(connection) as queries:
        assert all(patient.mrn for patient in selector.search("garcia").patients)
    assert len(queries) == 4


def test_the_search_uses_the_trigram_index(actor: Actor) -> None:
    register(actor)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Patient.objects.filter(search_text__icontains="ARCIA").explain()
    assert "patient_search" in plan


def test_a_change_keeps_the_search_text_and_says_which_columns_changed(actor: Actor, told: list[int]) -> None:
    patient = register(actor)
    case = make.procedure(patient=patient)
    patients.update(actor=actor, patient=patient, changes={"family_name": "López", "phone": ""}, mrn="X-9")
    assert found("lopez x9") == ["López, Ana"]
    assert found("garcia") == []
    assert AuditEntry.objects.get(action="patient.changed").data == {"fields": ["family_name", "mrn"]}
    assert told == [case.pk]


def test_a_change_of_nothing_writes_nothing(actor: Actor, told: list[int]) -> None:
    patient = register(actor)
    make.procedure(patient=patient)
    patients.update(actor=actor, patient=patient, changes={"family_name": patient.family_name}, mrn=patient.mrn)
    assert not AuditEntry.objects.filter(action="patient.changed").exists()
    assert told == []


def test_a_number_is_never_emptied_and_a_taken_one_changes_nothing(actor: Actor) -> None:
    patient, other = register(actor), register(actor, "Petr", "Novak")
    for wrong in ("", " ", other.mrn):
        with pytest.raises(Invalid):
            patients.update(actor=actor, patient=patient, changes={"given_name": "Changed"}, mrn=wrong)
    patient.refresh_from_db()
    assert patient.given_name == "Ana"


def test_deceased_reaches_every_open_case_and_can_be_undone_with_a_reason(actor: Actor, told: list[int]) -> None:
    patient = register(actor)
    open_case = make.procedure(patient=patient)
    make.procedure(patient=patient, status="cancelled", closed_at=clock.now())
    patients.set_deceased(actor=actor, patient=patient, at=clock.now())
    patients.set_deceased(actor=actor, patient=patient, at=clock.now())  # said twice, recorded once
    patient.refresh_from_db()
    assert patient.deceased_at is not None
    assert told == [open_case.pk]
    with pytest.raises(Invalid):
        patients.undo_deceased(actor=actor, patient=patient, reason=" ")
    patients.undo_deceased(actor=actor, patient=patient, reason="Another person of that name")
    patient.refresh_from_db()
    assert patient.deceased_at is None
    assert told == [open_case.pk] * 2
    entries = AuditEntry.objects.filter(action__startswith="patient.dec").order_by("pk")
    assert list(entries.values_list("action", "reason")) == [
        ("patient.deceased", ""),
        ("patient.deceased_undone", "Another person of that name"),
    ]


def test_nobody_dies_in_the_future_or_before_birth(actor: Actor) -> None:
    patient = register(actor)
    for wrong in (clock.now() + timedelta(hours=1), clock.now() - timedelta(days=365 * 60)):
        with pytest.raises(Invalid):
            patients.set_deceased(actor=actor, patient=patient, at=wrong)


def test_admission_reaches_every_open_case_once(actor: Actor, told: list[int]) -> None:
    patient = register(actor)
    case = make.procedure(patient=patient)
    for _ in range(2):
        patients.set_encounter_class(actor=actor, patient=patient, encounter_class=EncounterClass.INPATIENT)
    patient.refresh_from_db()
    assert patient.is_inpatient
    assert told == [case.pk]
    assert AuditEntry.objects.get(action="patient.encounter_changed").data == {"from": "outpatient", "to": "inpatient"}


def test_what_is_missing_is_warned_about() -> None:
    silent = make.patient(phone="", reach_by="none", interpreter_needed=True, language="Czech")
    words = " ".join(selector.warnings(silent))
    assert "No phone number" in words
    assert "make a follow-up plan before the needle" in words
    assert "Czech" in words
    assert selector.warnings(make.patient()) == []
