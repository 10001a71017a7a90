"""The strings of the patient's pages in Spanish: collected from templates and modules, compiled, and checked.

``python -m scripts.translations`` adds what is new to ``locale/es/LC_MESSAGES/django.po`` without a translation, drops
what is gone and compiles; ``--check`` only compares, and fails when one is missing, fuzzy, or says other variables.
Pages of the staff stay English and are not collected.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import django
from django.utils.translation.template import templatize

from scripts import catalogue
from scripts.catalogue import Entry

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE = "es"
PO = ROOT / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
TEMPLATES = "templates/patient/**/*.html"
#: Modules whose strings a patient reads. Everything called ``patient_…`` in a room of its own is one.
MODULES = (
    "followups/*/patient_*.py",
    "followups/forms/answer.py",
    "followups/forms/before.py",
    "followups/forms/birth_date.py",
    "followups/selectors/given_words.py",
    "followups/services/symptom_reports.py",
    "followups/views/before.py",
    "followups/views/gate.py",
)
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "say", "ngettext", "ngettext_lazy", "Invalid"}
STRING = r"[uU]?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
IN_TEMPLATE = re.compile(rf"(?<!\w)(_|gettext|ngettext)\(\s*({STRING})(?:\s*,\s*({STRING}))?")
VARIABLE = re.compile(r"%\((\w+)\)[sd]")
Found = tuple[str, str]  # msgid, plural


def of_template(text: str) -> Iterator[Found]:
    """By Django's own reading of a template."""
    for _call, singular, plural in IN_TEMPLATE.findall(templatize(text)):
        yield ast.literal_eval(singular), ast.literal_eval(plural) if plural else ""


def of_module(text: str) -> Iterator[Found]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if words:
                yield words[0], words[1] if node.func.id.startswith("ngettext") and len(words) > 1 else ""


def collected(root: Path = ROOT) -> dict[str, Entry]:
    """Every string that a patient reads, in the order of the files."""
    found: dict[str, Entry] = {}
    templates = [(path, of_template) for path in sorted(root.glob(TEMPLATES))]
    modules = [(path, of_module) for pattern in MODULES for path in sorted(root.glob(pattern))]
    for path, reader in [*templates, *modules]:
        place = path.relative_to(root).as_posix()
        for msgid, plural in reader(path.read_text("utf-8")):
            entry = found.setdefault(msgid, Entry(msgid=msgid))
            entry.plural = entry.plural or plural
            entry.places = tuple(dict.fromkeys((*entry.places, place)))
    return found


def problems(wanted: dict[str, Entry], known: dict[str, Entry], mo: bytes) -> Iterator[str]:
    """What is wrong with the catalogue, each with where the string stands."""
    for msgid, entry in wanted.items():
        place, translation = entry.places[0], known.get(msgid)
        if translation is None or not any(translation.strings):
            yield f"{place}: “{msgid}” is not translated"
        elif not translation.is_translated or translation.forms != entry.forms:
            yield f"{place}: the translation of “{msgid}” is not finished (fuzzy, or a plural is missing)"
        else:
            yield from _wrong_variables(place, translation)
    yield from (f"{PO.name}: “{msgid}” stands nowhere any more" for msgid in known if msgid not in wanted)
    if mo != catalogue.compiled(known, LANGUAGE):
        yield f"{MO.name} is not what {PO.name} says"


def _wrong_variables(place: str, entry: Entry) -> Iterator[str]:
    wanted = set(VARIABLE.findall(entry.msgid + entry.plural))
    for text in entry.strings:
        extra = set(VARIABLE.findall(text)) - wanted
        if extra or (not entry.plural and set(VARIABLE.findall(text)) != wanted):
            yield f"{place}: “{entry.msgid}” and its translation have other variables"


def plain(text: str) -> str:
    """The words alone, without variables and markup: what a person reads."""
    return re.sub(r"<[^>]+>", "", VARIABLE.sub("", text)).strip(" .:")


def update(wanted: dict[str, Entry]) -> dict[str, Entry]:
    """What is known for what is wanted; what is new is empty."""
    known = catalogue.read(PO) if PO.exists() else {}
    for msgid, entry in wanted.items():
        old = known.get(msgid)
        if old is not None:
            entry.strings, entry.fuzzy = old.strings, old.fuzzy or old.forms != entry.forms
    return wanted


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    django.setup()
    wanted = collected()
    if "--check" not in sys.argv:
        entries = update(wanted)
        catalogue.write(PO, entries.values(), LANGUAGE)
        MO.write_bytes(catalogue.compiled(entries, LANGUAGE))
    found = list(problems(wanted, catalogue.read(PO), MO.read_bytes() if MO.exists() else b""))
    print("\n".join(found) or f"{PO.name}: {len(wanted)} strings, all in Spanish")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
