"""The words by which a laboratory says that it treats a result as critical."""

from __future__ import annotations

import pytest

from procedures.domain import critical_words
from procedures.domain.critical_words import heard, sounds_critical

SAID = [
    "CRITICAL RESULT called to RN Jones and read back",
    "Called to and read back by Dr. Vega 23 Nov 10:20",
    "Critical results called to: J. Doe RN, 10:20, RB",
    "CRITICAL HIGH",
    "*** PANIC VALUE ***",
    "Result phoned to the ward at 14:20.",
    "Telephoned to Dr Vega",
    "RBV Jones",
    "Dr Smith notified by phone",
    "Value in critical range",
    "Unable to reach provider; second attempt 11:05",
    "Critical value. Previously not critical.",
    "Called to floor; not read back",
    "Specimen slightly haemolysed.\nCRITICAL, results called to 5 West",
    "crit value 12",
]
NOT_SAID = [
    "",
    "not critical",
    "Non-critical",
    "noncritical",
    "No critical values.",
    "No new critical results",
    "not considered a critical result",
    "Critical value: no",
    "Critical: N",
    "Critical values - none",
    "Critical care unit specimen",
    "Critical access hospital laboratory",
    "Critical range <40 or >450",
    "Critical values are called to the ordering provider.",
    "Critical results will be called.",
    "This is critical to the interpretation.",
    "Not called.",
    "The health department was notified.",
    "No growth at 48 hours",
    "Corrected from '1280' to '640'",
]


@pytest.mark.parametrize("note", SAID)
def test_a_note_that_says_critical_or_called_is_heard(note: str) -> None:
    assert sounds_critical([], [note])


@pytest.mark.parametrize("note", NOT_SAID)
def test_a_note_that_denies_it_or_speaks_of_something_else_is_not(note: str) -> None:
    assert not sounds_critical([], [note])


def test_a_denial_is_kept_to_be_explained() -> None:
    (found,) = heard("No critical values were seen.")
    assert (found.phrase, found.denied, found.sentence) == ("CRITICAL", True, "No critical values were seen")


def test_a_call_is_told_from_the_word_critical() -> None:
    found = heard("CRITICAL. Called to Dr. Vega.")
    assert [(one.phrase, one.called) for one in found] == [("CRITICAL", False), ("CALLED TO", True)]


@pytest.mark.parametrize(
    ("text", "critical"),
    [
        ("Gram negative diplococci", True),
        ("GRAM-NEGATIVE DIPLOCOCCI", True),
        ("2+ gram positive cocci in clusters", True),
        ("rare GPC", True),
        ("No gram negative diplococci seen", False),
        ("No organisms seen", False),
        ("12", False),
    ],
)
def test_an_organism_in_the_text_of_a_stain_needs_no_flag(text: str, critical: bool) -> None:
    assert sounds_critical([text], []) is critical


def test_an_organism_in_a_comment_alone_is_no_value() -> None:
    assert not sounds_critical([], ["This stain finds gram negative diplococci."])


def test_a_very_long_note_is_read_in_time() -> None:
    assert not sounds_critical(["x " * 100_000], ["not " * 100_000])


def test_the_list_has_a_place_for_an_approval() -> None:
    import tomllib

    data = tomllib.loads(critical_words.WORDS.read_text(encoding="utf-8"))
    assert data["source"]["approved_by"] == ""
    assert data["source"]["source"]
