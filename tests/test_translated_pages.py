"""Every string of a patient's page is in Spanish, easy to read, and compiled; what is missing is named by its place."""

from __future__ import annotations

import gettext
from collections import defaultdict
from io import BytesIO
from pathlib import Path

import pytest

from scripts import catalogue, translations
from scripts.catalogue import Entry
from tests.reading_level import HARDEST_GRADE, LOWEST_EASE, ease, grade

#: Fewer words say little about how hard a page is to read.
ENOUGH_WORDS = 30


def test_every_string_a_patient_reads_is_translated_and_compiled() -> None:
    known, mo = catalogue.read(translations.PO), translations.MO.read_bytes()
    assert list(translations.problems(translations.collected(), known, mo)) == []


def test_strings_are_found_in_templates_and_in_modules() -> None:
    template = """{% load i18n %}{% trans "One" %}{% blocktranslate count n=3 %}{{ n }} day{% plural %}{{ n }} days
{% endblocktranslate %}{% blocktranslate with a=b %}Two "{{ a }}"{% endblocktranslate %}{{ x|default:_("Three") }}"""
    assert list(translations.of_template(template)) == [
        ("One", ""), ("%(n)s day", "%(n)s days\n"), ('Two "%(a)s"', ""), ("Three", "")
    ]  # fmt: skip
    module = 'a = _("One")\nb = ngettext("%(n)d day", "%(n)d days", 2)\nc = other("Not this")\nd = _(name)'
    assert list(translations.of_module(module)) == [("One", ""), ("%(n)d day", "%(n)d days")]


def problems_with(**changed: object) -> list[str]:
    """What is said of a catalogue of one string after a change of its entry."""
    wanted = {"Call %(n)s": Entry(msgid="Call %(n)s", places=("page.html",))}
    entry = Entry(msgid="Call %(n)s", strings=["Llame al %(n)s"])
    for name, value in changed.items():
        setattr(entry, name, value)
    known = {entry.msgid: entry}
    return list(translations.problems(wanted, known, catalogue.compiled(known, "es")))


def test_a_string_that_is_missing_fuzzy_or_says_other_variables_is_named_with_its_place() -> None:
    assert problems_with() == []
    assert problems_with(strings=[""]) == ["page.html: “Call %(n)s” is not translated"]
    assert "not finished" in problems_with(fuzzy=True)[0]
    assert "other variables" in problems_with(strings=["Llame"])[0]
    assert problems_with(msgid="Call") == [
        "page.html: “Call %(n)s” is not translated", "django.po: “Call” stands nowhere any more"
    ]  # fmt: skip


def test_a_compiled_file_that_is_older_than_its_source_is_noticed() -> None:
    known = {"Yes": Entry(msgid="Yes", strings=["Sí"])}
    wanted = {"Yes": Entry(msgid="Yes", places=("page.html",))}
    assert list(translations.problems(wanted, known, b"")) == ["django.mo is not what django.po says"]


def test_what_is_written_is_read_again_and_what_is_compiled_is_what_gettext_reads(tmp_path: Path) -> None:
    entries = [
        Entry(msgid='A "quoted"\nline', strings=["Una línea\nen dos"], places=("a.html",)),
        Entry(msgid="%(n)d day", plural="%(n)d days", strings=["%(n)d día", "%(n)d días"], places=("b.py",)),
        Entry(msgid="Not yet", strings=[""], fuzzy=True, places=("c.py",)),
    ]
    catalogue.write(tmp_path / "django.po", entries, "es")
    known = catalogue.read(tmp_path / "django.po")
    assert [(e.msgid, e.plural, e.strings, e.fuzzy) for e in known.values()] == [
        (e.msgid, e.plural, e.strings, e.fuzzy) for e in entries
    ]
    read = gettext.GNUTranslations(BytesIO(catalogue.compiled(known, "es")))
    assert read.gettext('A "quoted"\nline') == "Una línea\nen dos"
    assert read.ngettext("%(n)d day", "%(n)d days", 1) == "%(n)d día"
    assert read.ngettext("%(n)d day", "%(n)d days", 5) == "%(n)d días"
    assert read.gettext("Not yet") == "Not yet"


def texts_by_file() -> dict[str, list[Entry]]:
    known = catalogue.read(translations.PO)
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for msgid, entry in translations.collected().items():
        for place in entry.places:
            found[place].append(known[msgid])
    return {
        place: entries
        for place, entries in found.items()
        if sum(len(entry.msgid.split()) for entry in entries) >= ENOUGH_WORDS
    }


@pytest.mark.parametrize("place", sorted(texts_by_file()))
def test_a_page_is_about_grade_6_in_both_languages(place: str) -> None:
    entries = texts_by_file()[place]
    plain = [translations.plain(entry.msgid) for entry in entries]
    spanish = [translations.plain(entry.strings[0]) for entry in entries]
    assert grade(*(text for text in plain if text)) <= HARDEST_GRADE
    assert ease(*(text for text in spanish if text)) >= LOWEST_EASE
