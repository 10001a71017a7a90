"""Which test of a protocol, and which of its values, an observation is. Pure.

By LOINC, then by the laboratory's own code as a person has mapped it. Codes lie: one whose fluid is another than the
specimen's or the test's is a question, and so are a LOINC and a mapping that disagree. A mapping made for the LOINC
itself answers that question for good, as long as the specimen's own words agree with the test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from procedures.domain.fluids import Fluid, Fluids, fits
from procedures.domain.lab_content import Test
from procedures.domain.protocol import Protocol
from procedures.domain.report import Coded

#: The system of a mapping that is made for a LOINC.
LOINC = "LN"


class CodeReason(StrEnum):
    """Why it is not certain which test it is. Stored with what waits."""

    NO_CODE = "no_code"
    UNKNOWN_CODE = "unknown_code"
    SEVERAL_TESTS = "several_tests"
    CODES_DISAGREE = "codes_disagree"
    CODE_OF_ANOTHER_FLUID = "code_of_another_fluid"  # a LOINC for blood on spinal fluid
    FLUID_DIFFERS = "fluid_differs"  # the specimen's words or our tube against the test


#: Questions that remembering the code answers.
ANSWERED_BY_A_MAPPING = frozenset(
    {CodeReason.UNKNOWN_CODE, CodeReason.SEVERAL_TESTS, CodeReason.CODES_DISAGREE, CodeReason.CODE_OF_ANOTHER_FLUID}
)


@dataclass(frozen=True)
class Target:
    """A test of the protocol, and one of its values; "" is the report's text."""

    test: str
    component: str = ""


@dataclass(frozen=True)
class Mapped:
    """A laboratory's code as a person has mapped it for this protocol."""

    system: str
    code: str
    target: Target


@dataclass(frozen=True)
class Which:
    """``target`` only when it is certain; ``may_be``: the others worth showing."""

    target: Target | None
    reason: CodeReason | None = None
    may_be: tuple[Target, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Clues:
    """What else tells tests apart that share their codes: the tube, the order, the service that was asked for."""

    fluid: Fluid | None = None  # of the specimen, by its own words or as it was recorded here
    on_tube: frozenset[str] = frozenset()  # codes of the tests on the tube that the message names
    ordered: frozenset[str] = frozenset()  # of the case, in that order's number or at that time
    service: Coded | None = None


def which(protocol: Protocol, code: Coded, mapped: Iterable[Mapped], fluids: Fluids, clues: Clues) -> Which:
    """The test and value that ``code`` means in this protocol."""
    rows = tuple(mapped)
    own = fluids.of_loinc(code.loinc) if code.loinc else None
    remembered = _mapped(rows, LOINC, code.loinc)
    if remembered is not None:
        certain = own is None or fits(clues.fluid, _fluid(protocol, remembered)) is True
        return _checked(protocol, remembered, None if certain else own, clues)
    by_loinc = _by_loinc(protocol, code.loinc)
    by_local = _mapped(rows, code.local_system, code.local)
    if by_loinc and by_local and by_local.test not in {target.test for target in by_loinc}:
        return Which(None, CodeReason.CODES_DISAGREE, (*by_loinc, by_local))
    found = (by_local,) if by_local else by_loinc
    if not found:
        return Which(None, _unknown(code, own, clues))
    target = found[0] if len(found) == 1 else _told_apart(protocol, found, clues)
    if target is None:
        return Which(None, CodeReason.SEVERAL_TESTS, tuple(found))
    return _checked(protocol, target, own, clues)


def _checked(protocol: Protocol, target: Target, own: Fluid | None, clues: Clues) -> Which:
    """Certain, unless a fluid speaks against it."""
    wanted = _fluid(protocol, target)
    if fits(own, wanted) is False or (own and clues.fluid and own is not clues.fluid):
        return Which(None, CodeReason.CODE_OF_ANOTHER_FLUID, (target,))
    if fits(clues.fluid, wanted) is False:
        return Which(None, CodeReason.FLUID_DIFFERS, (target,))
    return Which(target)


def _unknown(code: Coded, own: Fluid | None, clues: Clues) -> CodeReason:
    if not code.loinc and not code.local.strip():
        return CodeReason.NO_CODE
    if own is not None and clues.fluid is not None and own is not clues.fluid:
        return CodeReason.CODE_OF_ANOTHER_FLUID
    return CodeReason.UNKNOWN_CODE


def _told_apart(protocol: Protocol, found: Iterable[Target], clues: Clues) -> Target | None:
    """The one that the tube, the fluid, the service or the orders point at; None when several are left."""
    left = list(found)
    services = {clues.service.loinc, clues.service.local} - {""} if clues.service else set()
    for pointed in (
        {t for t in left if t.test in clues.on_tube},
        {t for t in left if fits(clues.fluid, _fluid(protocol, t)) is True},
        {t for t in left if services & set(_codes(protocol.test(t.test)))},
        {t for t in left if t.test in clues.ordered},
    ):
        left = [target for target in left if target in pointed] or left
    return left[0] if len({target.test for target in left}) == 1 else None


def _mapped(rows: Iterable[Mapped], system: str, code: str) -> Target | None:
    wanted = (system.strip().casefold(), code.strip().casefold())
    if not wanted[1]:
        return None
    found = (row.target for row in rows if (row.system.strip().casefold(), row.code.strip().casefold()) == wanted)
    return next(found, None)


def _by_loinc(protocol: Protocol, code: str) -> tuple[Target, ...]:
    return tuple(Target(test, component) for test, component in protocol.by_loinc.get(code, ()))


def knows(protocol: Protocol, code: Coded) -> bool:
    """Whether the code is one of the protocol's LOINCs."""
    return code.loinc in protocol.by_loinc


def by_service(protocol: Protocol, code: Coded, mapped: Iterable[Mapped]) -> str:
    """The test that a whole service is, for what is said of it without any value; "" when that is not certain."""
    tests = {t.code for t in protocol.tests if code.loinc and code.loinc in _codes(t)}
    by_local = _mapped(mapped, code.local_system, code.local)
    if by_local:
        tests.add(by_local.test)
    if not tests:
        tests = {target.test for target in _by_loinc(protocol, code.loinc)}
    return next(iter(tests)) if len(tests) == 1 else ""


def _codes(test: Test) -> tuple[str, ...]:
    return tuple(code for code in (test.loinc, *test.also_loinc) if code)


def _fluid(protocol: Protocol, target: Target) -> str:
    return protocol.test(target.test).fluid
