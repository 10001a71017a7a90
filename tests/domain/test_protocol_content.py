"""What the clinical files say: every test with its clock, the numbers that matter, and words patients can trust."""

from __future__ import annotations

import csv
import dataclasses
import re
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from procedures.domain import content
from procedures.domain.protocol import Protocol
from procedures.management.commands import clinical_content
from tests.domain.protocol_files import ROOT, protocol

LP, PARA, THORA = protocol("lumbar_puncture"), protocol("paracentesis"), protocol("thoracentesis")
BOTH = pytest.mark.parametrize("found", [LP, PARA], ids=lambda p: p.code)

#: code: usual hours, outer hours, extended, preliminary hours
WEEKLY = (24, 168, 336, 504, 672, 840, 1008, 1176)
CSF = {
    "csf_cell_count": (4, 24, False, ()),
    "csf_cell_count_first": (4, 24, False, ()),
    "csf_glucose": (4, 24, False, ()),
    "csf_protein": (4, 24, False, ()),
    "csf_gram": (1, 24, False, ()),
    "csf_culture": (72, 168, False, (24, 48)),
    "csf_me_panel": (8, 48, False, ()),
    "csf_hsv_pcr": (48, 72, False, ()),
    "csf_vzv_pcr": (48, 96, False, ()),
    "csf_cmv_pcr": (48, 96, False, ()),
    "csf_ebv_pcr": (48, 96, False, ()),
    "csf_cryptococcal_antigen": (24, 72, False, ()),
    "csf_vdrl": (72, 168, False, ()),
    "csf_xanthochromia": (4, 24, False, ()),
    "oligoclonal_bands": (120, 168, False, ()),
    "serum_oligoclonal_bands": (120, 168, False, ()),
    "igg_index": (96, 168, False, ()),
    "kappa_free_light_chains": (96, 168, False, ()),
    "myelin_basic_protein": (120, 168, False, ()),
    "csf_cytology": (72, 168, False, ()),
    "csf_flow_cytometry": (72, 168, False, ()),
    "csf_ada": (96, 168, False, ()),
    "autoimmune_encephalitis": (264, 336, True, (192,)),
    "amyloid_tau": (168, 336, True, ()),
    "neurofilament": (168, 336, True, ()),
    "rt_quic": (240, 336, True, ()),
    "protein_14_3_3": (240, 336, True, ()),
    "csf_tb_naat": (48, 96, False, ()),
    "csf_afb": (1032, 1344, True, WEEKLY),
    "csf_fungal_culture": (840, 840, True, (168, 336, 504, 672)),
}
ASCITES = {
    "ascites_cell_count": (4, 24, False, ()),
    "ascites_albumin": (6, 24, False, ()),
    "serum_albumin": (6, 24, False, ()),
    "ascites_protein": (6, 24, False, ()),
    "ascites_gram": (4, 24, False, ()),
    "ascites_culture": (120, 168, False, (24, 48)),
    "ascites_culture_anaerobic": (336, 408, True, (24, 48)),
    "ascites_glucose": (6, 24, False, ()),
    "ascites_ldh": (6, 24, False, ()),
    "ascites_amylase": (6, 48, False, ()),
    "ascites_lipase": (6, 48, False, ()),
    "ascites_triglycerides": (6, 48, False, ()),
    "ascites_bilirubin": (6, 48, False, ()),
    "ascites_creatinine": (6, 48, False, ()),
    "ascites_cytology": (72, 168, False, ()),
    "ascites_ada": (96, 168, False, ()),
    "ascites_cea": (48, 168, False, ()),
    "ascites_alp": (48, 168, False, ()),
    "ascites_afb": (1032, 1344, True, WEEKLY),
}
EVERY_TEST = [(p, code, clock) for p, table in ((LP, CSF), (PARA, ASCITES)) for code, clock in table.items()]


@pytest.mark.parametrize(("found", "code", "clock"), EVERY_TEST, ids=[code for _, code, _ in EVERY_TEST])
def test_every_test_is_there_with_its_clock(found: Protocol, code: str, clock: tuple[object, ...]) -> None:
    test = found.test(code)
    assert (test.usual_hours, test.outer_hours, test.extended, test.preliminary_hours) == clock


def test_serum_partners_are_ordered_with_what_needs_them() -> None:
    for found in (LP, PARA, THORA):
        for panel in found.panels:
            for code in panel.tests:
                missing = set(found.test(code).needs) - set(panel.tests)
                assert not missing, (panel.code, code, missing)


def test_opening_pressure_is_a_field_of_the_record_with_its_caution() -> None:
    field = next(f for f in LP.record_fields if f.code == "opening_pressure_cm")
    assert (field.unit, field.warn_above) == ("cm H2O", 25)


def allowed_loinc() -> set[str]:
    with (ROOT / "tests" / "data" / "loinc_allowed.csv").open(newline="", encoding="utf-8") as lines:
        return {row["loinc"] for row in csv.DictReader(lines)}


@pytest.mark.parametrize("found", [LP, PARA, THORA], ids=lambda p: p.code)
def test_only_verified_loinc_codes_are_used(found: Protocol) -> None:
    used = set()
    for test in found.tests:
        for item in (test, *test.components):
            used |= {code for code in (item.loinc, *item.also_loinc) if code}
    assert used <= allowed_loinc()
    assert used


def test_codes_that_nobody_verified_are_marked() -> None:
    with (ROOT / "tests" / "data" / "loinc_allowed.csv").open(newline="", encoding="utf-8") as lines:
        doubtful = {row["loinc"] for row in csv.DictReader(lines) if row["seen_in"].startswith("not verified")}
    marked = {test.loinc for test in LP.tests if test.verify}
    assert doubtful & {test.loinc for test in LP.tests} <= marked


def test_the_procedures_are_coded() -> None:
    assert [(c.system, c.code) for c in PARA.codes] == [("http://snomed.info/sct", "89305009")]
    assert [(c.system, c.code) for c in LP.codes] == [("http://snomed.info/sct", "277762005")]


def test_a_lumbar_puncture_books_at_least_90_minutes() -> None:
    assert {v.code: v.stay_minutes for v in LP.variants} == {"standard": 90, "fluoroscopic": 120}


def test_a_paracentesis_books_60_120_or_180_minutes() -> None:
    stays = {v.code: v.stay_minutes for v in PARA.variants}
    assert stays == {"diagnostic": 60, "therapeutic": 120, "large_volume": 180}
    assert (PARA.variant("large_volume").expected_volume_ml or 0) > 5000


def test_bleeding_rules_differ_between_the_two() -> None:
    assert (LP.bleeding_class, PARA.bleeding_class) == ("neuraxial", "low_risk")


def test_a_serial_outpatient_tap_orders_the_count_alone() -> None:
    assert PARA.panel("para_serial").tests == ("ascites_cell_count",)


@BOTH
def test_an_emergency_starts_on_six_items(found: Protocol) -> None:
    asked_always = {q.code for q in found.questions if q.minimum and not q.asked_if}
    assert asked_always == {
        "identity_confirmed", "allergies", "blood_thinner", "site_named", "consent_status", "time_out_done",
    }  # fmt: skip
    # "anticoagulant and last dose" is one item: the time of a known last dose belongs to it
    assert {q.code for q in found.questions if q.minimum} - asked_always == {"blood_thinner_last_dose"}


@BOTH
def test_only_the_operator_obtains_consent(found: Protocol) -> None:
    assert found.stage("consent").roles == ("physician",)
    assert {s.code for s in found.stages if s.blocks_start} == {"pre_visit", "consent", "sign_in", "time_out"}


@BOTH
def test_pregnancy_has_every_status_is_private_and_expires(found: Protocol) -> None:
    question = found.question("pregnancy_status")
    assert {c.code for c in question.choices} == {
        "not_applicable", "not_pregnant", "possible", "pregnant", "planning", "postpartum", "unknown", "declined",
    }  # fmt: skip
    assert (question.private, question.valid_hours) == (True, 168)
    assert found.question("pregnancy_test").valid_hours == 24


@BOTH
def test_platelets_and_inr_are_asked_only_on_a_trigger(found: Protocol) -> None:
    for code in ("platelets", "inr"):
        assert found.question(code).asked_if == "bleeding_trigger=yes|unknown"


def test_a_raised_inr_is_no_required_answer_before_a_paracentesis() -> None:
    assert not PARA.question("inr").required
    assert LP.question("inr").required


@BOTH
def test_every_named_risk_is_in_the_consent_and_codable(found: Protocol) -> None:
    explained = found.question("risks_named").help.casefold()
    named = [c.label for c in found.complications if c.named_in_consent]
    assert len(named) >= 6
    for label in named:
        assert label.casefold() in explained


def test_the_leaflets_risks_are_named() -> None:
    assert {c.code for c in LP.complications if c.named_in_consent} >= {
        "headache", "back_pain", "allergic_reaction", "infection", "spinal_bleed",
    }  # fmt: skip
    assert {c.code for c in PARA.complications if c.named_in_consent} >= {
        "bruising", "bleeding", "infection", "vessel_puncture", "bowel_puncture", "bladder_puncture",
        "low_blood_pressure", "kidney_problem",
    }  # fmt: skip


def test_more_than_five_litres_ask_for_albumin_or_a_reason() -> None:
    (rule,) = PARA.record_rules
    assert (rule.field, rule.above) == ("volume_removed_ml", 5000)
    assert rule.requires == ("albumin_given_g", "albumin_reason")
    assert (rule.per_litre_low, rule.per_litre_high, rule.per_litre_preset) == (6, 8, 8)
    fields = {f.code: f for f in PARA.record_fields}
    assert fields["volume_removed_ml"].warn_above == 8000
    assert "not_cirrhosis" in {c.code for c in fields["albumin_reason"].choices if not c.needs_reason}
    # nought grams are no albumin
    assert (fields["albumin_given_g"].minimum or 0) > 0


def test_checks_after_the_needle_come_when_they_should() -> None:
    assert {c.code: c.after_hours for c in LP.symptom_checks if not c.only_if} == {
        "day_1": 24,
        "day_2": 48,
        "day_7": 168,
    }
    # an uncomplicated tap in a series: once, when a leak should have stopped
    assert {c.code: c.after_hours for c in PARA.symptom_checks if not c.only_if} == {"day_2": 48}
    assert {c.code: c.after_hours for c in PARA.symptom_checks if "serial" not in c.only_if} == {
        "day_1": 24,
        "day_2": 48,
        "day_7": 168,
    }
    while_it_lasts = [c.after_hours // 24 for c in LP.symptom_checks if c.only_if == ("headache_now",)]
    assert while_it_lasts == [3, 4, 6, 8, 9, 10, 11, 12, 13]
    day_1 = next(c for c in PARA.symptom_checks if c.code == "day_1")
    assert day_1.only_if == ("first", "large_volume", "complicated")


def words(found: Protocol) -> str:
    return " ".join(p for t in found.texts for p in (t.title, *t.paragraphs)).casefold()


def everything_patients_read(found: Protocol) -> str:
    questions = [q.text + q.help + " ".join(a.label + a.advice for a in q.answers) for q in found.symptom_questions]
    return words(found) + " ".join(questions).casefold()


def test_a_paracentesis_patient_reads_of_ibuprofen_only_not_to_take_it() -> None:
    named = re.findall(r"[^.?]*(?:ibuprofen|naproxen|advil|motrin|aleve|aspirin)[^.?]*", everything_patients_read(PARA))
    assert named and all("do not take" in said or "have you taken" in said for said in named)


@BOTH
def test_patients_read_no_ceiling_of_caffeine_and_no_death_counts(found: Protocol) -> None:
    assert not re.search(r"caffeine|coffee|900 mg|death|died", everything_patients_read(found))


def test_lying_flat_is_comfort_and_not_prevention() -> None:
    text = words(LP)
    assert "lying flat does not prevent a headache" in text
    assert "comfort" in text


@BOTH
def test_fever_is_the_same_number_everywhere(found: Protocol) -> None:
    assert "100.5 °f" in words(found)
    temperature = next(q for q in found.symptom_questions if q.code == "temperature")
    assert {a.code: a.tier for a in temperature.answers}["high"] == "B"
    assert "100.4" not in everything_patients_read(found)


@BOTH
def test_emergency_text_says_911(found: Protocol) -> None:
    assert "911" in found.text("emergency").title


def test_results_are_promised_as_the_leaflets_do_and_longer_ones_named() -> None:
    assert (LP.promise_hours, PARA.promise_hours) == (168, 336)
    assert all(part in words(LP) for part in ("24 hours", "a week", "we give you a date"))
    assert all(part in words(PARA) for part in ("two weeks", "eight weeks", "we give you a date"))


def test_a_leak_is_reported_after_two_days() -> None:
    assert "longer than two days" in words(PARA)


@BOTH
def test_nothing_claims_an_approval_that_nobody_gave(found: Protocol) -> None:
    every = list(content.sources(found))
    assert len(every) > 100
    assert all(source.source for source in every)
    assert {source.approved_by for source in every} == {""}


def test_the_document_names_every_test_and_source_and_marks_what_is_not_approved() -> None:
    document = content.render([LP, PARA])
    for found in (LP, PARA):
        for test in found.tests:
            assert f"| {test.label} |" in document
        for source in content.sources(found):
            assert source.source in document
    assert content.NOT_APPROVED in document


def test_the_document_names_who_approved() -> None:
    first = LP.variants[0]
    signed = dataclasses.replace(first, source=dataclasses.replace(first.source, approved_by="Dr. Example"))
    changed = dataclasses.replace(LP, variants=(signed, *LP.variants[1:]))
    assert re.search(r"\| 40 \| 45 \| 90 \|  \| S\d+ \| Dr\. Example \|", content.render([changed]))
    assert "Dr. Example" not in content.render([LP])


def test_the_committed_document_is_current() -> None:
    committed = (ROOT / "docs" / "clinical-content.md").read_text("utf-8")
    assert committed == content.render(clinical_content.read_protocols(), clinical_content.read_rules()), (
        "run manage.py clinical_content"
    )


def test_the_command_writes_checks_and_notices_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "clinical-content.md"
    monkeypatch.setattr(clinical_content, "DOCUMENT", document)
    with pytest.raises(CommandError, match="not current"):
        call_command("clinical_content", "--check", stdout=StringIO())
    call_command("clinical_content", stdout=StringIO())
    call_command("clinical_content", "--check", stdout=StringIO())
    document.write_text(document.read_text("utf-8").replace("250", "350", 1), "utf-8")
    with pytest.raises(CommandError, match="not current"):
        call_command("clinical_content", "--check", stdout=StringIO())


def test_the_command_reads_kinds_of_procedure_and_no_rule_sets(tmp_path: Path) -> None:
    for name in ("medicines.toml", "thresholds.toml"):
        (tmp_path / name).write_text("anything = 1", "utf-8")
    source = ROOT / "tests" / "data" / "protocols" / "thoracentesis.toml"
    (tmp_path / source.name).write_text(source.read_text("utf-8"), "utf-8")
    shutil.copytree(source.parent / "es", tmp_path / "es")
    assert [found.code for found in clinical_content.read_protocols(tmp_path)] == ["thoracentesis"]


def test_the_document_shows_every_rule_and_choice_of_the_rule_set() -> None:
    rules = clinical_content.read_rules()
    document = content.render([], rules)
    for rule in (*rules.thresholds.rules, *rules.thresholds.allergy_rules):
        assert f"| {rule.title} |" in document
    for ingredient in rules.medicines.ingredients:
        assert f"| {ingredient.label} |" in document
    for choice in rules.choices.values():
        assert choice.question in document and choice.default in document
    for source in (*content.sources(rules.medicines), *content.sources(rules.thresholds)):
        assert source.source in document
    apixaban = next(line for line in document.splitlines() if line.startswith("| apixaban | Low dose"))
    assert apixaban.startswith("| apixaban | Low dose: 2.5 mg twice daily to prevent clots | any | hold | 36 h | 6 h |")
