"""What may be written in a procedure record, and what it must say before it can be signed. Pure.

Saving is refused only for what cannot be read (text in a number, an unknown choice, a number outside the field's
limits). Signing needs what the pinned protocol requires. Cautions never refuse. Messages are gettext source strings
with their parameters; the edge translates.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from procedures.domain.items import Source
from procedures.domain.protocol import Protocol, RecordField, RecordRule

YES_NO = ("yes", "no", "unknown")
#: What a choice that needs words is stored under, beside its field: ``antiseptic.reason``.
REASON = ".reason"
MILLILITRES_PER_LITRE = 1000
_NUMBER = re.compile(r"[-+]?[0-9]{1,12}(?:\.[0-9]{1,6})?")
_CHOICES = ("choice", "multichoice", "yes_no")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one field. ``field`` is a record field's code or a common column's name."""

    field: str
    message: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def text(self) -> str:
        """The untranslated sentence."""
        return self.message % self.params if self.params else self.message


@dataclass(frozen=True)
class Caution:
    """A value that deserves a second look; nothing is refused for it."""

    field: str
    message: str
    source: Source | None


@dataclass(frozen=True)
class Dose:
    """What a rule makes of the entered volume: grams for these litres, and whether it is answered."""

    rule: RecordRule
    litres: float
    applies: bool  # above the rule's limit
    answered: bool
    low: float | None
    high: float | None
    preset: float | None
    given: float | None

    @property
    def litres_shown(self) -> str:
        """Without trailing noughts: "6", "5.001"."""
        return _plain(self.litres)

    @property
    def below_range(self) -> bool:
        return self.given is not None and self.low is not None and self.given < self.low

    @property
    def above_range(self) -> bool:
        return self.given is not None and self.high is not None and self.given > self.high


@dataclass(frozen=True, kw_only=True)
class Common:
    """The columns that every record has."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    operator_id: int | None = None
    complications: tuple[str, ...] = ()
    no_complications: bool = False


# --- reading what was typed -----------------------------------------------------------------


def read(protocol: Protocol, raw: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The values in ``raw`` as they are stored, blanks left out, and what could not be read."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for item in protocol.record_fields:
        value, problem = _read_one(item, raw.get(item.code))
        if problem is not None:
            problems.append(problem)
        elif not is_blank(value):
            values[item.code] = value
        reason = raw.get(item.code + REASON)
        if isinstance(reason, str) and reason.strip():
            values[item.code + REASON] = reason.strip()
    known = {item.code for item in protocol.record_fields}
    for code in raw:
        if code.removesuffix(REASON) not in known:
            problems.append(Problem(code, "This protocol has no such field."))
    return values, tuple(problems)


def read_common(protocol: Protocol, common: Common, *, now: datetime) -> tuple[Problem, ...]:
    """What makes no sense in the common columns."""
    problems = []
    for name in ("started_at", "ended_at"):
        moment = getattr(common, name)
        if moment is not None and moment > now:
            problems.append(Problem(name, "This time is in the future."))
    if common.started_at and common.ended_at and common.ended_at < common.started_at:
        problems.append(Problem("ended_at", "This is before the start."))
    if common.no_complications and common.complications:
        problems.append(Problem("no_complications", "You ticked a complication as well. Untick one of the two."))
    known = {c.code for c in protocol.complications}
    if not known.issuperset(common.complications):
        problems.append(Problem("complications", "This protocol has no such complication."))
    return tuple(problems)


def is_blank(value: Any) -> bool:
    """Nothing was given."""
    return value is None or value == "" or value == []


def _read_one(item: RecordField, raw: Any) -> tuple[Any, Problem | None]:
    if isinstance(raw, str):
        raw = raw.strip()
    if is_blank(raw):
        return None, None
    if item.kind in ("number", "integer"):
        return _read_number(item, raw)
    if item.kind in _CHOICES:
        return _read_choice(item, raw)
    if item.kind == "datetime":
        return _read_moment(item, raw)
    return str(raw), None


def _read_number(item: RecordField, raw: Any) -> tuple[Any, Problem | None]:
    text = str(raw)
    if isinstance(raw, bool) or not _NUMBER.fullmatch(text):
        return None, Problem(
            item.code, 'This is not a number: "%(typed)s". Write it like 18 or 18.5, without a unit.', {"typed": text}
        )
    number = float(text)
    if item.kind == "integer" and not number.is_integer():
        return None, Problem(item.code, "This must be a whole number.")
    limits = {"low": _plain(item.minimum), "high": _plain(item.maximum), "unit": item.unit}
    if item.minimum is not None and number < item.minimum:
        return None, Problem(item.code, "This must be at least %(low)s %(unit)s.", limits)
    if item.maximum is not None and number > item.maximum:
        return None, Problem(item.code, "This must be at most %(high)s %(unit)s.", limits)
    return int(number) if number.is_integer() else number, None


def _read_choice(item: RecordField, raw: Any) -> tuple[Any, Problem | None]:
    known = YES_NO if item.kind == "yes_no" else tuple(choice.code for choice in item.choices)
    picked = list(raw) if isinstance(raw, list | tuple) else [str(raw)]
    if any(code not in known for code in picked) or (item.kind != "multichoice" and len(picked) != 1):
        return None, Problem(item.code, "Choose one of the answers offered.")
    return (picked if item.kind == "multichoice" else picked[0]), None


def _read_moment(item: RecordField, raw: Any) -> tuple[Any, Problem | None]:
    problem = Problem(item.code, "Enter a date and a time.")
    try:
        moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))
    except ValueError:
        return None, problem
    return (moment.isoformat(), None) if moment.tzinfo is not None else (None, problem)


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


# --- what signing needs ---------------------------------------------------------------------


def missing(protocol: Protocol, values: Mapping[str, Any], common: Common) -> tuple[Problem, ...]:
    """Everything that still stands between this record and a signature."""
    return (
        *_missing_common(common),
        *(problem for item in protocol.record_fields for problem in _missing_field(protocol, item, values)),
        *(_rule_problem(dose) for dose in doses(protocol, values) if dose.applies and not dose.answered),
    )


def is_asked(item: RecordField, values: Mapping[str, Any]) -> bool:
    """Whether the field applies, given the other answers (``asked_if``)."""
    if not item.asked_if:
        return True
    code, _, wanted = item.asked_if.partition("=")
    value = values.get(code)
    given = value if isinstance(value, list) else [value]
    return any(answer in wanted.split("|") for answer in given)


def needs_reason(item: RecordField, value: Any) -> bool:
    """Whether the picked choice asks for words ("other")."""
    given = value if isinstance(value, list) else [value]
    return any(choice.needs_reason and choice.code in given for choice in item.choices)


def _missing_common(common: Common) -> Iterable[Problem]:
    if common.started_at is None:
        yield Problem("started_at", "Say when the needle went in.")
    if common.ended_at is None:
        yield Problem("ended_at", "Say when it ended.")
    if common.operator_id is None:
        yield Problem("operator", "Say who did it.")
    if not common.complications and not common.no_complications:
        yield Problem("complications", "Name the complications, or tick that there was none.")


def _missing_field(protocol: Protocol, item: RecordField, values: Mapping[str, Any]) -> Iterable[Problem]:
    value = values.get(item.code)
    if item.required and is_blank(value) and is_asked(item, values):
        yield Problem(item.code, "%(label)s is missing.", {"label": item.label})
    if needs_reason(item, value) and not values.get(item.code + REASON):
        yield Problem(
            item.code + REASON, "Say in words what is meant by this answer to %(label)s.", {"label": item.label}
        )


# --- rules over a volume, and cautions ------------------------------------------------------


def doses(protocol: Protocol, values: Mapping[str, Any]) -> tuple[Dose, ...]:
    """Each rule of the record over the values: what it asks for, computed for the entered amount."""
    return tuple(dose for rule in protocol.record_rules if (dose := _dose(protocol, rule, values)) is not None)


def cautions(protocol: Protocol, values: Mapping[str, Any]) -> tuple[Caution, ...]:
    """Values above their field's ``warn_above``."""
    return tuple(
        Caution(item.code, item.warn_message, item.source)
        for item in protocol.record_fields
        if item.warn_above is not None and _number(values.get(item.code), default=item.warn_above) > item.warn_above
    )


def _dose(protocol: Protocol, rule: RecordRule, values: Mapping[str, Any]) -> Dose | None:
    fields = {item.code: item for item in protocol.record_fields}
    amount = values.get(rule.field)
    if not isinstance(amount, int | float):
        return None
    litres = amount / MILLILITRES_PER_LITRE if fields[rule.field].unit == "mL" else float(amount)
    grams = [values.get(code) for code in rule.requires if fields[code].unit == "g"]
    return Dose(
        rule=rule,
        litres=litres,
        applies=amount > rule.above,
        answered=any(_is_answer(values.get(code)) for code in rule.requires),
        low=_times(rule.per_litre_low, litres),
        high=_times(rule.per_litre_high, litres),
        preset=_times(rule.per_litre_preset, litres),
        given=next((float(g) for g in grams if isinstance(g, int | float)), None),
    )


def _is_answer(value: Any) -> bool:
    """Nought grams is no albumin given: then a reason is needed."""
    return value > 0 if isinstance(value, int | float) else not is_blank(value)


def _rule_problem(dose: Dose) -> Problem:
    target = dose.rule.requires[0]
    if dose.low is None or dose.high is None:
        return Problem(target, dose.rule.message)
    per_litre = {"a": _plain(dose.rule.per_litre_low), "b": _plain(dose.rule.per_litre_high)}
    return Problem(
        target,
        "%(message)s For %(litres)s L, %(a)s to %(b)s g per litre is %(low)s to %(high)s g.",
        {
            "message": dose.rule.message,
            "litres": _plain(dose.litres),
            "low": _plain(dose.low),
            "high": _plain(dose.high),
            **per_litre,
        },
    )


def _times(per_litre: float | None, litres: float) -> float | None:
    return None if per_litre is None else round(per_litre * litres, 1)


def _number(value: Any, *, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


# --- versions -------------------------------------------------------------------------------


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes whose value differs between two versions, in the order of the newer one."""
    codes = [*new, *(code for code in old if code not in new)]
    return tuple(code for code in codes if old.get(code) != new.get(code))
