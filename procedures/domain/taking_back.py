"""What a later message of the same order takes back of an earlier one. Pure.

Needed where the earlier one was never entered: it waits for a person, who must not place what does not hold any more.
"""

from __future__ import annotations

from procedures.domain.report import Coded, Group, Report, Standing

TAKES_BACK = frozenset({Standing.WRONG, Standing.DELETED})


def taken_back(earlier: Report, later: Report) -> dict[str, Standing]:
    """By the place of the part, what the later message says of it."""
    found = {}
    for group in earlier.groups:
        for other in later.groups:
            if not _same_order(group, other):
                continue
            whole = other.standing if other.standing in TAKES_BACK and _same(group.service, other.service) else None
            for seen in group.observations:
                said = next((o.standing for o in other.observations if _same(seen.code, o.code)), whole)
                if said in TAKES_BACK:
                    found[f"{group.place}/{seen.place}"] = said
            if whole is not None and not group.observations:
                found[str(group.place)] = whole
    return found


def numbers(report: Report) -> frozenset[str]:
    """By which a later message would name the same orders."""
    return frozenset(_number(group) for group in report.groups) - {""}


def _number(group: Group) -> str:
    return (group.filler_number or group.placer_number).strip()


def _same_order(one: Group, other: Group) -> bool:
    return _number(one) == _number(other) != ""


def _same(one: Coded, other: Coded) -> bool:
    if one.loinc and other.loinc:
        return one.loinc == other.loinc
    return bool(one.local) and (one.local, one.local_system) == (other.local, other.local_system)
