"""Planted faults: each breaks the product in one place, and names the complaint that must follow.

A few lines of patching each, as a slip of somebody who changes the code would be. ``codes``: any of them will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest import mock

from clinic import audit
from followups import dispatch, rungs
from followups.domain import backoff, planner
from followups.domain.kinds import Kind
from followups.domain.roster import Roster
from followups.models import FollowUp
from followups.selectors import lab_facts, worklists
from followups.selectors.worklists import Of
from followups.services import messages
from procedures.domain import merging

Patches = Mapping[str, Any]


@dataclass(frozen=True)
class Mutation:
    """``patches``: what stands at these places instead."""

    name: str
    breaks: str
    codes: frozenset[str]
    patches: Callable[[], Patches]
    #: The part of ``week`` that shows it.
    part: str = "ascites"
    #: Why a simulated clinic cannot be relied on to show it.
    week_alone: str = ""

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as stack:
            for place, other in self.patches().items():
                stack.enter_context(mock.patch(place, other))
            yield


def _plan(keep: Callable[[Any, Any], bool]) -> Callable[[], Patches]:
    """The planner forgets the promises that ``keep`` does not keep."""
    real = planner.plan

    def plan(facts: Any, *more: Any) -> Any:
        return tuple(promise for promise in real(facts, *more) if keep(promise, facts))

    return lambda: {"followups.domain.planner.plan": plan}


def _due_a_day_late() -> Patches:
    real = planner.plan

    def plan(facts: Any, *more: Any) -> Any:
        day = timedelta(days=1)
        return tuple(
            replace(p, due_at=p.due_at + day) if p.kind is Kind.REVIEW_RESULT else p for p in real(facts, *more)
        )

    return {"followups.domain.planner.plan": plan}


def _step(after: Callable[[FollowUp], dict[str, Any]]) -> Callable[[], Patches]:
    """The engine takes a step and then writes down something else."""
    real = rungs._step

    def step(row: FollowUp, *more: Any) -> Any:
        return replace(real(row, *more), **after(row))

    return lambda: {"followups.rungs._step": step}


def _twice() -> Patches:
    real = dispatch._send

    def send(message: Any, session: Any) -> Any:
        real(message, session)
        return real(message, session)

    return {"followups.dispatch._send": send}


def _repeats_patients() -> Patches:
    real = backoff.decide
    return {"followups.domain.backoff.decide": lambda **asked: real(**{**asked, "may_repeat": True})}


def _any_review() -> Patches:
    real = lab_facts._version

    def version(row: Any, reviews: Any, contacts: Any) -> Any:
        others = [r for pk, r in reviews.items() if r.version.test_id == row.test_id]
        return real(row, {row.pk: others[-1]} if others else {}, contacts)

    return {"followups.selectors.lab_facts._version": version}


def _first_piece_only() -> Patches:
    def ahead(test: Any, current: Any, piece: Any, changed: Any) -> Any:
        return merging._first(piece)

    return {"procedures.domain.merging._ahead": ahead}


def _no_line(action: str) -> Callable[[], Patches]:
    real = audit.record

    def record(**given: Any) -> Any:
        return None if given["action"] == action else real(**given)

    return lambda: {"clinic.audit.record": record}


def _own_role_only() -> Patches:
    own = "taken_by_id IS NULL AND role = ANY(%(roles)s)"
    return {"followups.selectors.worklists.BELONGS": {**worklists.BELONGS, Of.ROLE: own}}


def _key_of_attempt() -> Patches:
    real = messages.key_of
    return {"followups.services.messages.key_of": lambda *asked: f"{real(*asked)}:{asked[1].now:%H%M}"}


def _stays(row: FollowUp) -> dict[str, Any]:
    return {"repeat": row.repeat}


def _never_again(row: FollowUp) -> dict[str, Any]:
    return {"next_action_at": row.start_at + timedelta(days=3650)}


def _closed(facts: Any, promises: Any) -> bool:
    return str(facts.status) in {"completed", "cancelled"}


def _no_restart(promise: Any, facts: Any) -> bool:
    return promise.kind is not Kind.RESTART_MEDICINE or str(facts.status) != "completed"


def _of(*codes: str) -> frozenset[str]:
    return frozenset(codes)


MUTATIONS = (
    Mutation(
        "corrections_forgotten",
        "the planner forgets a result that was corrected after it had been read",
        _of("result.unpromised"),
        _plan(lambda promise, _: promise.kind is not Kind.REREAD_CORRECTION),
    ),
    Mutation(
        "hold_forgotten",
        "a promise is closed while its fact stands: a medicine is held and the needle is out",
        _of("fact.unpromised", "case.closed_too_early"),
        _plan(_no_restart),
    ),
    Mutation(
        "closed_too_early",
        "a case counts as closed when the needle is out, whatever is promised",
        _of("case.closed_before_its_end"),
        lambda: {"followups.domain.planner.is_closed": _closed},
    ),
    Mutation(
        "never_closed",
        "a promise stays open when its fact is gone",
        _of("promise.without_fact"),
        lambda: {"followups.reconcile._close": lambda *_: None},
    ),
    Mutation(
        "critical_is_normal",
        "a critical result is promised like a normal one",
        _of("result.promised_otherwise"),
        lambda: {"followups.domain.kinds.review_result.graded": lambda _level: "normal"},
    ),
    Mutation("a_day_late", "a result is due a day after its hour", _of("result.wrong_age"), _due_a_day_late),
    Mutation(
        "review_of_any_version",
        "a review of one version counts for every other of its test",
        _of("result.unpromised"),
        _any_review,
    ),
    Mutation(
        "ladder_stands",
        "a ladder takes its first step and never another",
        _of("ladder.late"),
        _step(_never_again),
    ),
    Mutation(
        "repeat_stands",
        "the counter of the last step stands still",
        _of("ladder.repeat_stands"),
        _step(_stays),
    ),
    Mutation(
        "not_moved",
        "a step to the director's list is taken and leads nowhere",
        _of("ladder.not_moved"),
        lambda: {"followups.rungs.WRITE": rungs.WRITE.replace("coalesce(v.role, escalated_role)", "escalated_role")},
    ),
    Mutation(
        "nobody_asked",
        "a step is taken and no message is written",
        _of("ladder.silent"),
        lambda: {"followups.services.messages.reminders": lambda **_: []},
    ),
    Mutation(
        "cover_ignored",
        "whoever is away is asked, not who has accepted to cover",
        _of("message.to_absent"),
        lambda: {"followups.domain.roster.Roster.present": _present},
    ),
    Mutation("sent_twice", "each message is given to the provider twice", _of("delivery.told_twice"), _twice),
    Mutation("key_changes", "each attempt has a key of its own", _of("message.key_wrong"), _key_of_attempt),
    Mutation(
        "patients_requeued",
        "what may have reached a patient is sent to them once more by itself",
        _of("message.patient_again"),
        _repeats_patients,
        week_alone="a worker must die with a message to a patient in its hands",
    ),
    Mutation(
        "sent_after_all",
        "nothing is looked at once more before a message leaves",
        _of("message.after_closing"),
        lambda: {"followups.dispatch.why_not": lambda *_: None},
        week_alone="a promise must be kept between the claim of its message and the sending",
    ),
    Mutation(
        "applied_twice",
        "the same report of a laboratory under another number makes another version",
        _of("inbound.applied_twice"),
        lambda: {
            "procedures.services.arrivals._stored_already": lambda *_: False,
            "procedures.domain.merging._repeats": lambda *_: False,
        },
        part="spinal_fluid",
    ),
    Mutation(
        "pieces_lost",
        "a later piece of a panel takes the place of the earlier ones",
        _of("inbound.value_lost"),
        _first_piece_only,
        part="spinal_fluid",
    ),
    Mutation(
        "nobodys_message",
        "a message that cannot be placed or read is nobody's",
        _of("inbound.nobodys"),
        _plan(lambda promise, _: promise.kind not in {Kind.MATCH_RESULT, Kind.UNREADABLE_MESSAGE}),
        part="spinal_fluid",
    ),
    Mutation(
        "sent_is_told",
        "a voicemail, or a message with a link, counts as told",
        _of("fact.unpromised", "case.closed_too_early"),
        lambda: {"followups.selectors.facts.TOLD": ("reached", "refused", "voicemail", "link_sent")},
    ),
    Mutation(
        "silence_is_well",
        "danger signs count as asked when nobody has answered",
        _of("fact.unpromised", "case.closed_too_early"),
        _plan(lambda promise, _: promise.kind is not Kind.SYMPTOM_CHECK),
    ),
    Mutation(
        "list_leaves_out_a_role",
        "what was moved to a role does not count on its list",
        _of("worklist.count_differs"),
        _own_role_only,
    ),
    Mutation(
        "line_skipped",
        "the audit line of a completed case is not written",
        _of("trail.case_state"),
        _no_line("procedure.completed"),
    ),
    Mutation(
        "review_unrecorded",
        "the audit line of a review is not written",
        _of("trail.review"),
        _no_line("result.reviewed"),
    ),
)


def _present(roster: Roster, person: int | None) -> int | None:
    return person if person in roster.roles else None
