"""The value of an observation (OBX-5) by its type (OBX-2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from procedures.domain.report import Coded, Document, Reading
from procedures.interfaces.hl7 import codes, documents, moments, numbers
from procedures.interfaces.hl7.fields import Fields

TEXTS = frozenset({"ST", "TX", "FT", "SI", "IS", "ID"})
CODED = frozenset({"CE", "CWE", "CNE", "CF", "CD"})
TIMES = frozenset({"DT", "TM", "TS", "DTM"})
_TEN = re.compile(r"(?:.*[^\d.])?10")
_POWER = re.compile(r"\d{1,2}(?:\s*/.*)?")
_SEPARATORS = frozenset({"-", "+", "/", ".", ":"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """``problem``: why nothing of it may be used; ``remark``: what is odd about it. Codes, empty when all is well."""

    readings: tuple[Reading, ...] = ()
    document: Document | None = None
    unit: str = ""
    problem: str = ""
    remark: str = ""


def value(kind: str, field: str, fields: Fields) -> Read:
    """``field`` as written. An empty one has no readings, whatever the status says."""
    repetitions = fields.repetitions(field)
    if not repetitions:
        return Read()
    if kind in ("ED", "RP"):
        return _embedded(kind, repetitions, fields)
    readings = tuple(_one(kind, one, fields) for one in repetitions)
    if kind not in ("NM", "SN") and len(readings) == 1 and (document := documents.from_text(readings[0].text)):
        return Read(document=document)
    wants_number = kind in ("NM", "SN") and any(not reading.number for reading in readings)
    unit = fields.text(fields.separators.components(repetitions[0])[1]) if _has_unit(kind, repetitions, fields) else ""
    return Read(
        readings=tuple(reading for reading in readings if reading.text or reading.coded), unit=unit,
        remark="not_a_number" if wants_number else "",
    )  # fmt: skip


def unit(field: str, fields: Fields) -> str:
    """OBX-6. ``10^3/uL``, whose sign is the separator of components, is put together again."""
    repetitions = fields.repetitions(field)
    if not repetitions:
        return ""
    parts = fields.parts(repetitions[0])
    if len(parts) > 1 and _TEN.fullmatch(parts[0]) and _POWER.fullmatch(parts[1]):
        return f"{parts[0]}^{parts[1]}"
    whole = fields.separators.components(repetitions[0])[0]
    if fields.separators.subcomponent in whole and "/" not in whole and len(parts) == 1:  # v2.1: ISO+ as "mg&dL"
        return fields.text(whole.replace(fields.separators.subcomponent, "/"))
    return next((part for part in parts if part), "")


def _one(kind: str, written: str, fields: Fields) -> Reading:
    if kind == "SN":
        return _structured(written, fields)
    if kind in CODED:
        return _coded(written, fields)
    if kind in TIMES:
        return Reading(text=moments.words(fields.text(fields.separators.components(written)[0]), kind))
    if kind in ("NM", "CQ", "MO"):
        return _number(fields.text(fields.separators.components(written)[0] if kind != "NM" else written))
    if kind in TEXTS:
        return _text(fields.text(written))
    if not kind:
        return _unnamed(written, fields)
    return Reading(text=fields.words(written))


def _number(text: str) -> Reading:
    found = numbers.number(text)
    if found is None:
        return Reading(text=text)
    comparator, number = found
    return Reading(text=f"{comparator}{number}" if comparator else number, number=number, comparator=comparator)


def _text(text: str) -> Reading:
    """Text that is a number altogether is one too; ``+1`` is a grade, not a number."""
    if text.startswith("+"):
        return Reading(text=text)
    read = _number(text)
    return Reading(text=text if not text.startswith("&") else read.text, number=read.number, comparator=read.comparator)


def _structured(written: str, fields: Fields) -> Reading:
    """SN: comparator, number, separator, number."""
    parts = [fields.text(part).strip('"') for part in fields.separators.components(written)] + [""] * 4
    sign, first, separator, second = parts[:4]
    if not first and not second:  # somebody put it all into the first part
        return _number(sign)
    comparator = numbers.comparator(sign)
    number, other = numbers.number(first), numbers.number(second) if second else ("", "")
    odd = comparator is None and not separator
    shown = sign if odd else comparator or ""
    text = f"{shown}{first}{separator}{second}"
    if odd or number is None or other is None or number[0] or separator not in _SEPARATORS | {""}:
        return Reading(text=text)
    return Reading(text=text, number=number[1], comparator=comparator or "", separator=separator, second=other[1])


def _coded(written: str, fields: Fields) -> Reading:
    parts = fields.parts(written)
    code = codes.coded(parts)
    alone = len([part for part in parts if part]) == 1
    comparator, number = (_as_number(code.text) if alone else None) or ("", "")
    kept = _without_guess(code) if code.local or code.loinc else None  # words may come without a code
    return Reading(text=code.text, number=number, comparator=comparator, coded=kept)


def _without_guess(code: Coded) -> Coded:
    """A value that only looks like LOINC is none: answers have codes of every kind."""
    if not code.loinc_assumed:
        return code
    return Coded(local=code.local, text=code.text, also_called=code.also_called)


def _as_number(text: str) -> tuple[str, str] | None:
    return None if text.startswith("+") else numbers.number(text)


def _unnamed(written: str, fields: Fields) -> Reading:
    """No type is said: words, a number, or a coded element when it has parts."""
    if fields.separators.component in written:
        return _coded(written, fields)
    return _text(fields.text(written))


def _has_unit(kind: str, repetitions: list[str], fields: Fields) -> bool:
    return kind in ("CQ", "MO") and fields.separators.component in repetitions[0]


def _embedded(kind: str, repetitions: list[str], fields: Fields) -> Read:
    components = fields.separators.components(repetitions[0])
    if kind == "RP":  # a pointer: its words, never an address to follow
        return Read(readings=(Reading(text=fields.words(repetitions[0])),))
    document, problem = documents.from_parts(components, fields.text(components[-1]))
    if problem == "document_unreadable" and document is None:
        return Read(readings=(Reading(text=fields.words(repetitions[0])),), problem=problem)
    return Read(document=document, problem=problem, remark="more_documents" if len(repetitions) > 1 else "")
