"""The specimen: SPM (v2.5 and later) with its container (SAC), or OBR-15 before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from procedures.domain.report import Moment, SpecimenRead
from procedures.interfaces.hl7.fields import Fields
from procedures.interfaces.hl7.moments import Moments
from procedures.interfaces.hl7.segments import Segment

#: HL7 table 0490 in words, for laboratories that send the letters alone.
REJECTED = {
    "EX": "expired", "QS": "quantity not sufficient", "RA": "no patient number on it", "RB": "broken container",
    "RC": "clotted", "RD": "no date of collection on it", "RE": "no patient name on it", "RH": "haemolysed",
    "RI": "identification problem", "RM": "labelled wrongly", "RN": "contaminated", "RP": "collector not named",
    "RR": "stored improperly", "RS": "name misspelled",
}  # fmt: skip
#: HL7 table 0493, what is wrong with a specimen; a temperature (COOL, FROZ, ROOM), CFU and LIVE are not wrong.
CONDITIONS = {
    "AUT": "autolysed", "CLOT": "clotted", "CON": "contaminated", "HEM": "haemolysed", "SNR": "specimen not received",
}  # fmt: skip
NOT_WRONG = frozenset({"COOL", "FROZ", "ROOM", "CFU", "LIVE"})
#: Said of how a specimen was kept.
KEPT_AT = ("room temp", "ambient", "refrigerat", "frozen", "cool", "on ice", "centrifuged")
#: Words that laboratories put where a reason for rejection belongs, and that are none.
FINE = frozenset({
    "acceptable", "accepted", "adequate", "satisfactory", "good", "ok", "none", "n/a", "na", "no", "not rejected",
    "not applicable", "la12432-3", "normal",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """OBR-15: what the fluid is and where it came from."""

    text: str
    codes: tuple[str, ...]
    site: str


def from_spm(segment: Segment, fields: Fields, moments: Moments) -> SpecimenRead:
    fluid_text, fluid_codes = _kind(segment.field(4), fields)
    site = fields.coded(segment.field(8)).text
    other = fields.coded(segment.field(9)).text
    return SpecimenRead(
        numbers=_numbers(segment, fields),
        fluid_text=fluid_text,
        fluid_codes=fluid_codes,
        source_text=", ".join(dict.fromkeys(text for text in (site, other) if text)),
        collected_at=_first_moment(segment.field(17), fields, moments),
        received_at=_first_moment(segment.field(18), fields, moments),
        reject_reasons=(
            *_reasons(segment.field(21), REJECTED, fields),
            *_reasons(segment.field(24), CONDITIONS, fields),
        ),
    )


def with_container(specimen: SpecimenRead, segment: Segment, fields: Fields) -> SpecimenRead:
    """SAC: the accession number and the number of the container are numbers of the specimen too."""
    numbers = [fields.first(segment.field(number)) for number in (2, 3)]
    return replace(specimen, numbers=tuple(dict.fromkeys([*specimen.numbers, *(n for n in numbers if n)])))


def source(field: str, fields: Fields) -> Source | None:
    """``CSF``, ``CSF&Cerebrospinal fluid&L^^^spine``: code, additive, words, site."""
    repetitions = fields.repetitions(field)
    if not repetitions:
        return None
    components = [*fields.separators.components(repetitions[0]), "", "", "", ""]
    kind = [part for part in fields.subparts(components[0]) if part]
    words = fields.text(components[2])
    site = " ".join(part for part in fields.subparts(components[3]) if part)
    # Some send an ordinary coded element: code, words, system.
    named = fields.text(components[1]) if len(kind) < 2 else ""
    texts = [*kind[1:2], named, words if words not in ("L", "HL70070", "SCT") else "", *kind[:1]]
    text = next((one for one in texts if one), "")
    return Source(text=text, codes=tuple(kind[:1]), site=site) if text or site else None


def from_source(found: Source, collected_at: Moment | None, received_at: Moment | None) -> SpecimenRead:
    return SpecimenRead(
        numbers=(), fluid_text=found.text, fluid_codes=found.codes, source_text=found.site, collected_at=collected_at,
        received_at=received_at, reject_reasons=(),
    )  # fmt: skip


def completed(specimen: SpecimenRead, found: Source | None) -> SpecimenRead:
    """An SPM that does not say what it is, beside an OBR-15 that does."""
    if found is None:
        return specimen
    if not specimen.fluid_text:
        return replace(specimen, fluid_text=found.text, fluid_codes=found.codes)
    known = {specimen.fluid_text.casefold(), specimen.source_text.casefold()}
    more = [text for text in (found.text, found.site) if text and text.casefold() not in known]
    return replace(specimen, source_text=", ".join(text for text in (specimen.source_text, *more) if text))


def _kind(field: str, fields: Fields) -> tuple[str, tuple[str, ...]]:
    """Every name that is given, and the codes."""
    repetitions = fields.repetitions(field)
    if not repetitions:
        return "", ()
    parts = [*fields.parts(repetitions[0]), *[""] * 9]
    names = dict.fromkeys(name for name in (parts[1], parts[4], parts[8]) if name)
    codes = tuple(dict.fromkeys(code for code in (parts[0], parts[3]) if code))
    return " / ".join(names) or next(iter(codes), ""), codes


def _numbers(segment: Segment, fields: Fields) -> tuple[str, ...]:
    """SPM-2 (placer's and filler's), SPM-30 (accession), SPM-31 (others), each without who gave it."""
    found = []
    for one in fields.repetitions(segment.field(2)):
        found += [fields.subparts(component)[0] for component in fields.separators.components(one)[:2]]
    for number in (30, 31):
        for one in fields.repetitions(segment.field(number)):
            found.append(fields.subparts(fields.separators.components(one)[0])[0])
    return tuple(dict.fromkeys(number for number in found if number))


def _reasons(field: str, known: dict[str, str], fields: Fields) -> list[str]:
    reasons = []
    for one in fields.repetitions(field):
        parts = [part for part in fields.parts(one) if part]
        if not parts or any(part.casefold() in FINE for part in parts[:2]) or parts[0].upper() in NOT_WRONG:
            continue
        if any(word in part.casefold() for part in parts for word in KEPT_AT):
            continue
        code = fields.coded(one)
        named = code.text if code.text not in (code.local, code.loinc) else ""
        reasons.append(named or known.get(parts[0].upper(), parts[0]))
    return reasons


def _first_moment(field: str, fields: Fields, moments: Moments) -> Moment | None:
    return moments.read(fields.separators.components(fields.separators.repetitions(field)[0])[0])
