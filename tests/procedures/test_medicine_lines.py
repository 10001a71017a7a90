"""A line of the medicine list: recognised, read, and refused where it cannot be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.roles import Role
from procedures.domain import plausibility
from procedures.domain.answers import Entry
from procedures.models import ChecklistDraft, MedicineEntry, Procedure
from procedures.selectors import kit, medicine_list
from procedures.services import checklist_rows, checklists, rulesets
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Procedure:
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    return make.procedure("lumbar_puncture", status="scheduled")


def add(case: Procedure, name: str = "Eliquis", **details: Any) -> MedicineEntry:
    fields = {"status": "ongoing"} | details
    return checklist_rows.add_medicine(actor=make.actor(Role.NURSE), procedure=case, name=name, **fields)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("Eliquis", "apixaban"), ("APIXABAN", "apixaban"), ("Excedrin", "excedrin"), ("ginkgo", "ginkgo")],
)
def test_brand_generic_product_and_herb_are_recognised_by_the_server(case: Procedure, typed: str, code: str) -> None:
    assert add(case, typed).code == code


def test_what_no_rule_knows_is_kept_as_it_was_written(case: Procedure) -> None:
    row = add(case, "  Grandmother's <b>drops</b> ")
    assert (row.name, row.code, row.thins_blood) == ("Grandmother's <b>drops</b>", "", None)


def test_every_detail_is_kept_and_a_double_click_is_one_line(case: Procedure) -> None:
    stop = clock.now() + timedelta(days=1)
    details: dict[str, Any] = {
        "amount": 5.0, "unit": "mg", "times_per_day": 2.0, "route": "oral", "tier": "high", "planned_stop_at": stop,
        "indication": "atrial fibrillation", "prescriber": "Dr Heart",
    }  # fmt: skip
    first, again = add(case, **details), add(case, **details)
    assert first.pk == again.pk
    assert {name: getattr(first, name) for name in details} == details


@pytest.mark.parametrize(
    ("details", "field", "said"),
    [
        ({"amount": 500.0, "unit": "mg", "times_per_day": 2.0}, "amount", "is a slip"),
        ({"amount": 5.0}, "unit", "needs its unit"),
        ({"unit": "mg"}, "amount", "needs its number"),
        ({"amount": 5.0, "unit": "mg", "dose": "2.5 mg twice daily"}, "dose", "another dose"),
        ({"times_per_day": 1.0, "dose": "5 mg twice daily"}, "dose", "another dose"),
        ({"dose": "1000 mg daily"}, "amount", "is a slip"),
        ({"tier": "prophylactic"}, "tier", "does not belong"),
        ({"status": "stopped"}, "last_dose_at", "last dose"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    case: Procedure, details: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(Invalid, match=said) as refused:
        add(case, **details)
    assert refused.value.field == field
    assert not MedicineEntry.objects.exists()


@pytest.mark.parametrize("details", [{"amount": 5.0, "unit": "mg", "dose": "5 mg twice daily"}, {"dose": "as told"}])
def test_words_that_agree_with_the_fields_or_say_no_dose_are_kept(case: Procedure, details: dict[str, Any]) -> None:
    assert add(case, **details).dose == details["dose"]


def test_impossible_days_are_refused(case: Procedure) -> None:
    now = clock.now()
    for details, field in (
        ({"last_dose_at": now + timedelta(minutes=1)}, "last_dose_at"),
        ({"last_dose_at": now.replace(year=1926)}, "last_dose_at"),
        ({"planned_stop_at": now + timedelta(days=400)}, "planned_stop_at"),
        ({"status": "stopped", "last_dose_at": now, "planned_stop_at": now}, "planned_stop_at"),
    ):
        with pytest.raises(Invalid) as refused:
            add(case, **details)
        assert refused.value.field == field


def test_a_list_longer_than_anybody_can_check_is_refused(case: Procedure) -> None:
    first = add(case)
    copies = [
        MedicineEntry(
            checklist_id=first.checklist_id, name=f"Drug {n}", status="ongoing", recorded_at=first.recorded_at
        )
        for n in range(plausibility.MOST_MEDICINES - 1)
    ]
    MedicineEntry.objects.bulk_create(copies)
    with pytest.raises(Invalid, match="At most 100 medicines"):
        add(case, "one more")
    assert MedicineEntry.objects.count() == plausibility.MOST_MEDICINES


def test_the_database_refuses_a_dose_without_its_unit(case: Procedure) -> None:
    row = add(case)
    fields = {"checklist_id": row.checklist_id, "name": "x", "status": "ongoing", "recorded_at": row.recorded_at}
    for amount, unit in ((5.0, ""), (0.0, "mg")):
        with pytest.raises(IntegrityError, match="medicine_amount_has_unit"), transaction.atomic():
            MedicineEntry.objects.create(amount=amount, unit=unit, **fields)


def test_a_swapped_value_stays_a_draft_and_the_rest_is_saved(case: Procedure) -> None:
    entries = {"inr": Entry(value="250"), "latex": Entry(pick="=no")}
    saved = checklists.save_answers(actor=make.actor(Role.NURSE), procedure=case, entries=entries)
    assert (saved.written, list(saved.incomplete)) == (["latex"], ["inr"])
    assert "the other value" in str(saved.incomplete["inr"])
    assert ChecklistDraft.objects.get().data["inr"]["value"] == "250"


def test_search_finds_by_the_beginning_of_any_name_and_a_product_says_what_is_in_it(case: Procedure) -> None:
    assert [match.name for match in medicine_list.search("eliq")] == ["Eliquis"]
    known = medicine_list.known("Eliquis")
    assert known is not None and known.label == "apixaban" and [code for code, _ in known.tiers] == ["high", "low"]
    assert medicine_list.known("Grandmother's drops") is None


def test_room_and_kit_hear_of_latex_and_not_of_what_is_only_open(case: Procedure) -> None:
    nurse = make.actor(Role.NURSE)
    assert kit.words_of(case, clock.now()) == ()
    checklists.save_answers(actor=nurse, procedure=case, entries={"latex": Entry(pick="=no")})
    assert kit.words_of(case, clock.now()) == ()
    checklist_rows.add_allergy(actor=nurse, procedure=case, substance="latex", severity="anaphylaxis")
    assert kit.words_of(case, clock.now()) == ("Latex-free room and kit", "First slot of the day")


def test_chlorhexidine_that_is_planned_asks_for_its_dry_time(case: Procedure) -> None:
    entries = {"antiseptic_planned": Entry(pick="=chlorhexidine_alcohol")}
    checklists.save_answers(actor=make.actor(Role.NURSE), procedure=case, entries=entries)
    assert kit.words_of(case, clock.now()) == ("Antiseptic dries completely",)
