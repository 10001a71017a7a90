"""What room and kit must be for a case, in a few words without a reason: a scheduler reads them too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from procedures.domain import findings as rules_of_findings
from procedures.domain.checklist_round import Round
from procedures.domain.findings import Finding, Severity
from procedures.domain.ruleset import RuleSet
from procedures.domain.states import ProcedureStatus
from procedures.models import Procedure
from procedures.selectors import checklists, safety

#: Afterwards nobody packs for it any more.
BEFORE_THE_NEEDLE = frozenset({ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED})
WORDS: Mapping[str, str | Promise] = {
    "latex_free": _("Latex-free room and kit"),
    "first_slot": _("First slot of the day"),
    "no_chlorhexidine": _("No chlorhexidine"),
    "no_iodine": _("No iodine"),
    "no_amide": _("No lidocaine or relatives"),
    "preservative_free": _("Numbing medicine without preservative"),
    "no_adhesive": _("No tape or skin glue"),
    "no_albumin": _("No albumin"),
    "no_heparin": _("No heparin"),
    "no_fluoroscopy": _("No fluoroscopy"),
    "dry_time": _("Antiseptic dries completely"),
}


def words_of(procedure: Procedure, now: datetime) -> tuple[str, ...]:
    """The words of one case. Six queries."""
    version = safety.rule_set()
    rounds = checklists.rounds([procedure])
    return of([procedure], now, rules=version.parsed if version is not None else None, found=rounds)[procedure.pk]


def of(
    procedures: Sequence[Procedure], now: datetime, *, rules: RuleSet | None, found: Mapping[int, Round]
) -> dict[int, tuple[str, ...]]:
    """The words of each case, by primary key: no query. ``found``: the rounds of their checklists."""
    return {p.pk: _words(p, now, rules, found.get(p.pk)) for p in procedures}


def _words(procedure: Procedure, now: datetime, rules: RuleSet | None, found: Round | None) -> tuple[str, ...]:
    if rules is None or found is None or procedure.state not in BEFORE_THE_NEEDLE:
        return ()
    return in_words(safety.judged(procedure, rules, now, found=found))


def in_words(found: Iterable[Finding]) -> tuple[str, ...]:
    """What is only possible counts where it would stop the needle; else every case would carry every word."""
    counted = [finding for finding in found if not finding.unknown or finding.severity is Severity.STOP]
    return tuple(str(WORDS.get(flag, flag)) for flag in rules_of_findings.flags(counted))
