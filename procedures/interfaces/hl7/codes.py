"""Coded elements (CE, CWE, CNE): a code, its system and words, up to three times over."""

from __future__ import annotations

import re
from collections.abc import Sequence

from procedures.domain.report import Coded

LOINC_SYSTEMS = frozenset({"LN", "LOINC", "LNC", "LN-LOINC", "2.16.840.1.113883.6.1", "HTTP://LOINC.ORG"})
_SHAPE = re.compile(r"(?a)(?:LA|LP|LG|LL)?\d{1,7}-\d", re.IGNORECASE)
_CODE = re.compile(r"(?a)\d{1,7}-\d")
#: Where the parts of a coded element stand: code, words, system (the third since v2.7).
_TRIPLES = ((0, 1, 2), (3, 4, 5), (9, 10, 11))
_SYSTEM_IDS = {0: 13, 3: 16, 9: 19}
_ORIGINAL_TEXT = 8


def coded(parts: Sequence[str]) -> Coded:
    """From the components, unescaped. LOINC is found wherever it stands; the first other code is the laboratory's."""
    loinc, local, local_system, assumed = "", "", "", False
    names = []
    for code_at, name_at, system_at in _TRIPLES:
        code, name, system = _part(parts, code_at), _part(parts, name_at), _part(parts, system_at)
        names.append(name)
        if not code:
            continue
        if not loinc and _SHAPE.fullmatch(code) and _is_loinc(system, _part(parts, _SYSTEM_IDS[code_at])):
            loinc = code.upper()
        elif not local:
            local, local_system = code, system
    if not loinc and local and not local_system and is_valid(local):
        loinc, assumed = local, True
    names.append(_part(parts, _ORIGINAL_TEXT))
    said = tuple(dict.fromkeys(name for name in names if name))
    return Coded(
        loinc=loinc, local=local, local_system=local_system, text=said[0] if said else local or loinc,
        loinc_assumed=assumed, also_called=said[1:],
    )  # fmt: skip


def is_valid(code: str) -> bool:
    """Whether it has the shape of a LOINC code and its check digit (Luhn, modulo 10)."""
    if not _CODE.fullmatch(code):
        return False
    number, check = code.split("-")
    total = 0
    for at, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if at % 2 == 0 else 1)
        total += value // 10 + value % 10
    return (10 - total % 10) % 10 == int(check)


def _is_loinc(system: str, system_id: str) -> bool:
    return system.upper() in LOINC_SYSTEMS or system_id in LOINC_SYSTEMS


def _part(parts: Sequence[str], at: int) -> str:
    return parts[at] if at < len(parts) else ""
