"""The rule set is read strictly; what it names exists in the protocols."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from procedures.domain import content, load_ruleset
from procedures.domain.rule_thresholds import Condition
from procedures.domain.snapshot import ProcedureFacts
from procedures.domain.validate_ruleset import PLANNED
from tests.domain.protocol_files import ROOT, protocol
from tests.domain.safety_cases import files, rules

Data = dict[str, Any]
PROTOCOLS = [protocol(name) for name in ("lumbar_puncture", "paracentesis", "thoracentesis")]


def problems_after(change: Callable[[Data], Any]) -> tuple[str, ...]:
    found = files()
    change(found)
    try:
        load_ruleset.parse(found)
    except load_ruleset.ProtocolError as error:
        return error.problems
    return ()


def hold(data: Data, ingredient: str, tier: str = "", kind: str = "neuraxial") -> Data:
    found: Data = next(
        h
        for h in data["medicines"]["holds"]
        if h["bleeding_class"] == kind and ingredient in h["ingredients"] and h.get("tier", "") == tier
    )
    return found


def rule(data: Data, section: str, code: str) -> Data:
    found: Data = next(r for r in data["thresholds"][section] if r["code"] == code)
    return found


def test_the_rule_set_survives_plain_data_and_json() -> None:
    plain = json.loads(json.dumps(load_ruleset.to_dict(rules())))
    assert load_ruleset.parse(plain) == rules()
    stored = json.loads(json.dumps(files()))
    assert load_ruleset.parse(stored).digest == rules().digest


def test_a_problem_names_file_key_and_value() -> None:
    def change(data: Data) -> None:
        hold(data, "warfarin")["hold_hours"] = "five days"
        rule(data, "rules", "lp_skin_infection")["severity"] = "grave"

    assert problems_after(change) == (
        'medicines.toml: holds[0].hold_hours = "five days": must be a whole number',
        'thresholds.toml: rules[3].severity = "grave": must be one of info, caution, stop',
    )


CHANGES: list[tuple[Callable[[Data], Any], str]] = [
    (lambda d: d.pop("thresholds"), "thresholds.toml: thresholds: is missing"),
    (lambda d: d["medicines"].update(colour=1), "medicines.toml: colour = 1: unknown key"),
    (lambda d: hold(d, "warfarin").pop("source"), "source: is missing"),
    (lambda d: hold(d, "warfarin").pop("hold_hours"), "a hold needs its hours"),
    (lambda d: hold(d, "warfarin").pop("combine"), "must say all or any"),
    (lambda d: hold(d, "warfarin").update(action="wait"), "must be one of continue, hold, avoid, consult"),
    (lambda d: hold(d, "warfarin")["ingredients"].append("rat_poison"), "is not in ingredients"),
    (lambda d: hold(d, "warfarin").update(choices=["coin"]), "is not in choices"),
    (lambda d: hold(d, "apixaban", "low").update(tier="tiny"), "is not in the tiers of apixaban"),
    (lambda d: hold(d, "apixaban", "low").update(restart_if_traumatic_hours=6), "must be longer than restart_hours"),
    (lambda d: hold(d, "dabigatran", "high").update(crcl_min=70), "without gap or overlap"),
    (lambda d: d["medicines"]["holds"].remove(hold(d, "apixaban", "low")), "neuraxial lacks low"),
    (lambda d: d["medicines"]["holds"].remove(hold(d, "warfarin")), "neuraxial lacks a rule"),
    (lambda d: d["medicines"]["ingredients"][1].update(rxcui="11289"), "is already the code of warfarin"),
    (lambda d: d["medicines"]["ingredients"][1].update(group="blood"), "is not in groups"),
    (lambda d: d["medicines"]["products"][0]["ingredients"].append("caffeine"), "is not in ingredients"),
    (lambda d: d["medicines"]["classes"][0].update(hold="maybe"), "must be one of info, caution, stop"),
    (lambda d: d["thresholds"]["reactions"].update(unknown="info"), "unknown must not weigh less"),
    (lambda d: d["thresholds"]["lab_requests"][0].update(severity="info"), "must not weigh less than a bad one"),
    (lambda d: d["thresholds"]["measures"][0].update(highest=1), "must be more than lowest"),
    (lambda d: d["thresholds"]["validity"][0].pop("hours"), "needs hours or same_day"),
    (lambda d: rule(d, "rules", "lp_skin_infection").update(when=[]), "must have a condition"),
    (lambda d: rule(d, "rules", "lp_skin_infection")["when"][0].update(kind="hunch"), "must be one of answer"),
    (lambda d: rule(d, "rules", "very_large_volume")["when"][0].pop("value"), "volume_above needs a number"),
    (lambda d: rule(d, "allergy_rules", "latex_kit").update(allergen="rubber"), "is not in allergens"),
    (lambda d: rule(d, "rules", "pregnancy_fluoroscopy").update(blocks="lift"), "must be one of start, fluoroscopy"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=[words for _, words in CHANGES])
def test_what_cannot_be_is_refused(change: Callable[[Data], Any], words: str) -> None:
    assert any(words in line for line in problems_after(change)), problems_after(change)


def test_name_and_rxnorm_code_agree_with_a_list_typed_apart() -> None:
    with (ROOT / "tests" / "data" / "rxnorm_ingredients.csv").open(newline="", encoding="utf-8") as lines:
        wanted = {row["ingredient"]: (row["rxcui"], row["verified"] == "yes") for row in csv.DictReader(lines)}
    ours = {i.code: (i.rxcui, i.verified) for i in rules().medicines.ingredients if i.verified or i.code in wanted}
    assert ours == wanted
    wrong_elsewhere = {"1037045", "21821", "1537033"}
    assert not wrong_elsewhere & {i.rxcui for i in rules().medicines.ingredients}


def conditions(found: tuple[Condition, ...]) -> Iterator[Condition]:
    for condition in found:
        yield condition
        yield from conditions(condition.any_of)


def test_every_question_and_answer_that_a_rule_looks_at_exists_in_a_protocol() -> None:
    asked: dict[str, set[str]] = {}
    for found in PROTOCOLS:
        for question in found.questions:
            asked.setdefault(question.code, set()).update(c.code for c in question.choices or ())
            if question.kind == "yes_no":
                asked[question.code].update(("yes", "no"))
    thresholds = rules().thresholds
    every = [c for r in (*thresholds.rules, *thresholds.allergy_rules) for c in conditions(r.when)]
    every += [c for r in (*thresholds.lab_requests, *thresholds.validity) for c in conditions(r.when)]
    looked_at = [(c.subject, c.values) for c in every if c.kind in ("answer", "answer_given")]
    looked_at += [(a.question, a.yes + a.no) for c in thresholds.conditions for a in c.asked_by]
    looked_at += [(q.question, q.values) for q in thresholds.allergy_questions]
    lost = [(code, set(values) - asked.get(code, set())) for code, values in looked_at]
    assert [(code, sorted(values)) for code, values in lost if values or code not in asked] == []
    statuses = {value for c in every if c.kind == "pregnancy" for value in c.values}
    assert statuses <= asked["pregnancy_status"]


def test_what_can_be_planned_is_a_field_of_the_facts() -> None:
    assert set(PLANNED) <= set(ProcedureFacts.__dataclass_fields__)
    antiseptics = {m.code for m in rules().thresholds.materials}
    for found in (*rules().thresholds.rules, *rules().thresholds.allergy_rules):
        for condition in conditions(found.when):
            if condition.subject in ("antiseptic", "anaesthetic"):
                assert set(condition.values) <= antiseptics, found.code


def test_every_protocol_names_a_class_that_the_rules_know() -> None:
    assert {found.bleeding_class for found in PROTOCOLS} <= set(rules().classes)


def test_nothing_is_signed_before_a_clinician_has_signed_it() -> None:
    every = [*content.sources(rules().medicines), *content.sources(rules().thresholds)]
    assert every and {source.approved_by for source in every} == {""}
    assert {choice.signed_by for choice in rules().choices.values()} == {""}
