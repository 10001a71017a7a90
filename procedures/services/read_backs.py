"""How a critical result was noticed: a call of the laboratory with its read-back, or another way."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from clinic import audit, clock
from clinic.actor import Actor
from clinic.errors import Invalid, NotPermitted
from procedures import events
from procedures.domain import results as rules
from procedures.domain.measurement import parse_number
from procedures.models import CriticalReadBack, ResultVersion
from procedures.models.read_backs import Noticed
from procedures.services import lab_rows as rows

#: A number inside what was said: *312 neutrophils*.
_NUMBER = re.compile(r"(?:<=?|>=?|≤|≥)?\s*\d+(?:\.\d+)?")


@transaction.atomic
def record(
    *,
    version: ResultVersion,
    how: str,
    actor: Actor,
    at: datetime | None = None,
    caller: str = "",
    receiver: str = "",
    value: str = "",
) -> CriticalReadBack:
    """Write it down; the same again is the row that is there. Raises Invalid for a call without its read-back, for a
    value that is not the result's, and for a moment that has not come.
    """
    if actor.user_id is None:
        raise NotPermitted
    if how not in Noticed.values:
        raise Invalid("Say how it was noticed.", field="how")
    when = at or clock.now()
    rows.check_not_future(when, "at")
    given = {name: text.strip() for name, text in (("caller", caller), ("receiver", receiver), ("value", value))}
    if how == Noticed.PHONED:
        _check_call(version, given)
    procedure = rows.locked_case(version.test.procedure, dead=True)
    same = {"version": version, "how": how, "at": when, "by_id": actor.user_id, **given}
    found = CriticalReadBack.objects.filter(**same).first()
    if found is not None:
        return found
    found = CriticalReadBack.objects.create(**same, recorded_at=clock.now())
    audit.record(
        action="result.noticed",
        actor=actor,
        subject=version,
        patient_id=procedure.patient_id,
        data={"how": how, "read_back": found.pk},
    )
    events.changed(procedure)
    return found


def _check_call(version: ResultVersion, given: dict[str, str]) -> None:
    for name, words in (
        ("caller", "Say who called."),
        ("receiver", "Say who took the call."),
        ("value", "Write the value as it was read back."),
    ):
        if not given[name]:
            raise Invalid(words, field=name)
    if not _is_of(version, given["value"]):
        raise Invalid(
            'You read back "%(again)s"; the result that is here says something else. Look at both again.',
            field="value",
            again=given["value"],
        )


def _is_of(version: ResultVersion, said: str) -> bool:
    """Whether one of the version's values, or a number computed from them, was said: in figures or in words."""
    protocol = version.test.procedure.protocol_version.parsed
    test = protocol.test(version.test.code)
    computed = {float(found["value"]) for found in version.calculated.values() if found.get("value") is not None}
    for part in (said, *_NUMBER.findall(said)):
        if rules.repeats(test, version.values, (), protocol, part) or parse_number(part)[1] in computed:
            return True
    words = [str(stored.get("text") or "") for stored in version.values.values()] + [version.text]
    return any(said.casefold() in text.casefold() for text in words if text)


def is_owed(version: ResultVersion) -> bool:
    """Whether nobody has said yet how this critical version was noticed: it came by itself, and no call is recorded.

    What was entered by hand was checked twice as it was entered.
    """
    if version.level != "critical" or version.read_back.get("value"):
        return False
    return not version.read_backs.exists()
