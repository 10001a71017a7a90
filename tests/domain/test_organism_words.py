"""Free text of stains and cultures: what is there wins, and nothing is negative unless it is understood."""

from __future__ import annotations

import pytest

from procedures.domain.organism_words import choice, culture, stain

SEEN = [
    "Gram negative diplococci",
    "Many PMNs, rare GPC",
    "1+ gram positive cocci",
    "3+ PMNs, 2+ gram-negative rods",
    "No WBC seen. Few gram positive cocci in clusters",
    "No bacteria seen; occasional yeast",
    "no organisms seen, rare GPC",
    "Intracellular diplococci",
    "Organisms present",
    "Rare GPC. See comment.",
    "No organisms seen on direct smear. Cytospin: few gram negative diplococci.",
]
NONE_SEEN = [
    "No organisms seen",
    "NO ORGANISMS SEEN.",
    "Many PMNs. No organisms seen.",
    "Few WBC, no organisms seen on direct smear",
    "No PMNs or organisms seen",
    "NO ORGANISMS OR WBC SEEN",
    "Organisms: none",
    "none seen",
    "No polys, no organisms",
    "No organisms seen. Culture to follow.",
]
NO_TELLING = [
    "",
    "see comment",
    "SEE COMMENTS",
    "pending",
    "No organisms seen. See comment.",
    "No PMNs, gram negative rods",
    "No gram negative rods seen",
    "No intracellular diplococci seen",
    "Possible gram negative rods",
    "Specimen not received",
    "Gram negative",
    "many",
    "not seen",
    "No organisms seen, unusual structures noted",
    "Staphylococcus aureus",
    "12",
]


@pytest.mark.parametrize("text", SEEN)
def test_an_organism_in_a_stain_is_seen(text: str) -> None:
    assert stain([text]) == "organisms_seen"


@pytest.mark.parametrize("text", NONE_SEEN)
def test_none_was_seen_when_the_whole_text_says_so(text: str) -> None:
    assert stain([text]) == "none_seen"


@pytest.mark.parametrize("text", NO_TELLING)
def test_a_stain_that_cannot_be_told_is_not_negative(text: str) -> None:
    assert stain([text]) == ""


GROWN = [
    "Staphylococcus epidermidis",
    "Rare Coagulase negative Staphylococcus",
    "heavy growth of Escherichia coli",
    "E. coli >100,000 cfu/ml",
    "No growth at 24 hours. 48 hours: Staphylococcus epidermidis",
    "light growth skin flora",
    "Presumptive Neisseria meningitidis",
    "Growth",
    "Cryptococcus neoformans. See comment.",
]
NOT_GROWN = [
    "No growth at 48 hours",
    "NO GROWTH",
    "No growth after 2 days of incubation",
    "No organisms isolated",
    "Culture negative",
    "sterile",
    "NG x 48h",
    "No growth at 5 days, final report",
]
NOT_TOLD = [
    "",
    "see comment",
    "No growth of S. aureus",
    "No MRSA isolated",
    "no anaerobes isolated",
    "previously reported as Staphylococcus epidermidis. No growth.",
    "no growth in broth, colonies on plate",
    "Will be checked for growth daily",
    "Culture cancelled",
]


@pytest.mark.parametrize("text", GROWN)
@pytest.mark.parametrize("preliminary", [True, False])
def test_an_organism_in_a_culture_is_growth_preliminary_or_not(text: str, preliminary: bool) -> None:
    assert culture([text], preliminary=preliminary) == "growth"


@pytest.mark.parametrize("text", NOT_GROWN)
def test_no_growth_is_so_far_until_it_is_final(text: str) -> None:
    assert culture([text], preliminary=True) == "no_growth_so_far"
    assert culture([text], preliminary=False) == "no_growth"


@pytest.mark.parametrize("text", ["No growth to date", "NGTD", "No growth so far at 3 days"])
def test_no_growth_to_date_is_so_far_even_when_called_final(text: str) -> None:
    assert culture([text], preliminary=False) == "no_growth_so_far"


@pytest.mark.parametrize("text", NOT_TOLD)
def test_a_culture_that_cannot_be_told_is_not_negative(text: str) -> None:
    assert culture([text], preliminary=False) == ""


def test_an_answer_is_one_of_those_offered() -> None:
    assert choice(["none_seen", "organisms_seen"], ["Rare GPC"], preliminary=False) == "organisms_seen"
    assert choice(["no_growth_so_far", "no_growth", "growth"], ["No growth at 2 days"], preliminary=True) == (
        "no_growth_so_far"
    )
    assert choice(["no_growth", "growth"], ["No growth at 2 days"], preliminary=True) == ""
    assert choice(["detected", "not_detected"], ["Detected"], preliminary=False) == ""


def test_several_lines_are_one_text() -> None:
    assert stain(["Many PMNs", "No organisms seen"]) == "none_seen"
    assert stain(["No organisms seen", "see comment"]) == ""
