"""Reading a result: interpretation, plan and what the patient is told, bound to one version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import transaction

from clinic import audit, clock, row_locks, users
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import User
from clinic.ready_query import ReadyQuery
from clinic.roles import Role
from followups.models import Action, Review
from followups.models.reviews import Interpretation, Plan, TellHow
from followups.services import told_words
from procedures import events
from procedures.domain import versions as versions_rule
from procedures.domain.states import Level, ResultStatus
from procedures.models import Procedure, ResultVersion
from procedures.models.read_backs import Noticed
from procedures.services import read_backs

# asked at every reading: written once
OF_TEST = ReadyQuery(
    lambda test: ResultVersion.objects.filter(test=test).only("test_id", "number", "status", "reported_at")
)
EARLIER = ReadyQuery(
    lambda version, reviewer: Review.objects.filter(
        version=version, reviewer=reviewer, superseded_by__isnull=True
    ).order_by("pk")[:1]
)
VERSIONS = ReadyQuery(
    lambda case: (
        ResultVersion.objects.filter(test__procedure=case)
        .select_related("test")
        .order_by("test__usual_hours", "test__code", "test__pk", "number")
    )
)
REVIEWED = ReadyQuery(lambda case: Review.objects.filter(procedure=case).values_list("version_id", flat=True))


class NewerVersion(Conflict):
    """A newer version of this result has arrived. Please read that one; nothing was saved for the old one."""


class CriticalNeedsPlan(Invalid):
    """A critical result needs a plan (repeat, treat or refer) and the patient told at once."""


def _locked(procedure_id: int) -> Procedure:
    related = ("protocol_version", "patient")
    return row_locks.lock(Procedure, procedure_id, *related, without=("protocol_version__data",))


def is_current(version: ResultVersion) -> bool:
    """Whether ``version`` is the one that counts now."""
    found = versions_rule.current(OF_TEST.rows(version.test_id))
    return found is not None and found.pk == version.pk


@transaction.atomic
def review(
    *,
    version: ResultVersion,
    actor: Actor,
    interpretation: str,
    plan: str,
    tell: str,
    comment: str = "",
    plan_detail: str = "",
    tell_reason: str = "",
    patient_message: str = "",
    patient_message_theirs: str = "",
    read_elsewhere: str = "",
    action_due_at: datetime | None = None,
    responsible_id: int | None = None,
    noticed: Mapping[str, Any] | None = None,
) -> Review:
    """Record that a physician read exactly this version.

    ``noticed``: for a critical that came by itself, how it was noticed (as ``read_backs.record`` takes it); a phoned
    one needs its read-back.

    Raises NewerVersion when it is not the current one, CriticalNeedsPlan for a critical without plan or telling,
    Invalid for a missing reason. A plan of repeat, treat or refer makes an Action. What the patient is told is the
    prepared sentence where nothing else is written.
    """
    if not actor.has(Role.PHYSICIAN) or actor.user_id is None:
        raise NotPermitted
    procedure = _locked(version.test.procedure_id)
    if not is_current(version):
        raise NewerVersion
    _check(version, interpretation, plan, plan_detail, tell, tell_reason)
    if version.level == Level.CRITICAL and interpretation == Interpretation.NORMAL and not comment.strip():
        raise Invalid("The rules call this critical. Say why you read it as normal.", field="comment")
    _notice(version, actor, noticed)
    now = clock.now()
    told = told_words.of_review(version, procedure, interpretation, tell, patient_message, patient_message_theirs)
    earlier = EARLIER.first(version.pk, actor.user_id)
    row = Review.objects.create(
        version=version,
        procedure=procedure,
        reviewer_id=actor.user_id,
        at=now,
        interpretation=interpretation,
        comment=comment,
        plan=plan,
        plan_detail=plan_detail,
        tell=tell,
        tell_reason=tell_reason,
        patient_message=told.english,
        patient_message_theirs=told.theirs,
        patient_language=told.language,
        read_elsewhere=read_elsewhere,
        supersedes=earlier,
    )
    if earlier is not None:
        _replace_action(earlier, actor, now)
    if plan != Plan.NONE:
        _make_action(row, procedure, action_due_at, responsible_id or actor.user_id)
    audit.record(
        action="result.reviewed",
        actor=actor,
        subject=version,
        patient_id=procedure.patient_id,
        data={"review": row.pk, "plan": plan, "tell": tell, "level": version.level},
    )
    events.changed(procedure)
    return row


def _notice(version: ResultVersion, actor: Actor, noticed: Mapping[str, Any] | None) -> None:
    """Nobody reads a critical that came by itself without saying how it was noticed (clinical-facts §6.6-9)."""
    if not read_backs.is_owed(version):
        return
    if not noticed or not noticed.get("how"):
        raise Invalid("This critical result came by itself. Say how it was noticed.", field="how")
    if version.phoned_critical and noticed["how"] != Noticed.PHONED:
        raise Invalid("The laboratory says that it phoned. Write down the call and what was read back.", field="how")
    read_backs.record(version=version, actor=actor, **noticed)


def _check(
    version: ResultVersion, interpretation: str, plan: str, plan_detail: str, tell: str, tell_reason: str
) -> None:
    if Level.CRITICAL in {version.level, interpretation} and (plan == Plan.NONE or tell != TellHow.NOW):
        raise CriticalNeedsPlan(field="plan")
    if plan != Plan.NONE and not plan_detail.strip():
        raise Invalid("Say what exactly shall be done.", field="plan_detail")
    if tell == TellHow.NOT_THIS and not tell_reason.strip():
        raise Invalid("Say why the patient is not told about this version.", field="tell_reason")


def _make_action(row: Review, procedure: Procedure, due_at: datetime | None, responsible_id: int) -> Action:
    hours = procedure.protocol_version.parsed.tell_hours[
        "critical" if Level.CRITICAL in {row.version.level, row.interpretation} else "abnormal"
    ]
    return Action.objects.create(
        review=row,
        procedure=procedure,
        what=row.plan_detail,
        plan=row.plan,
        responsible_id=responsible_id,
        created_at=row.at,
        due_at=due_at or row.at + timedelta(hours=hours),
    )


def _replace_action(earlier: Review, actor: Actor, now: datetime) -> None:
    Action.objects.filter(review=earlier, done_at__isnull=True).update(
        done_at=now, done_by_id=actor.user_id, not_done=True, done_note="Replaced by a later review"
    )


def normals(procedure: Procedure) -> list[ResultVersion]:
    """Current normal finals that nobody has read: what one screen may sign together.

    Left out: anything abnormal, critical or not gradable, preliminaries, and a correction of what was read before.
    """
    reviewed = set(REVIEWED.rows(procedure.pk))
    found = []
    for _test, versions in groupby(VERSIONS.rows(procedure.pk), key=lambda version: version.test_id):
        version = open_normal(list(versions), reviewed)
        if version is not None:
            found.append(version)
    return found


def open_normal(versions: Sequence[ResultVersion], read: Collection[int]) -> ResultVersion | None:
    """What counts of a test, where it is a normal final and nobody has read any version. ``read``: keys of those
    that somebody has read.
    """
    version = versions_rule.current(versions)
    if version is None or version.status != ResultStatus.FINAL or version.level != Level.NORMAL:
        return None
    return None if any(v.pk in read for v in versions) else version


@events.together()
def review_normals(
    *, procedure: Procedure, versions: Iterable[int], actor: Actor, patient_message: str = "", comment: str = ""
) -> list[Review]:
    """Sign the chosen normal finals of a case on one screen. Raises NewerVersion if one of them is normal no more."""
    if not actor.has(Role.PHYSICIAN) or actor.user_id is None:
        raise NotPermitted
    row = _locked(procedure.pk)
    open_normals = {v.pk: v for v in normals(row)}
    chosen = list(dict.fromkeys(versions))
    if not chosen:
        raise Invalid("Choose at least one result.", field="versions")
    if not set(chosen) <= set(open_normals):
        raise NewerVersion
    return [
        review(
            version=open_normals[pk],
            actor=actor,
            interpretation=Interpretation.NORMAL,
            plan=Plan.NONE,
            tell=TellHow.WITH_ALL,
            comment=comment,
            patient_message=patient_message,
        )
        for pk in chosen
    ]


@transaction.atomic
def finish_action(*, action: Action, actor: Actor, note: str, done: bool = True) -> Action:
    """The action is done, or was decided otherwise (``done=False``); both need words. Raises Conflict if it ended."""
    if not actor.has(Role.PHYSICIAN, Role.NURSE):
        raise NotPermitted
    if not note.strip():
        raise Invalid("Say what was done, or why it was not.", field="note")
    procedure = _locked(action.procedure_id)
    values: dict[str, Any] = {
        "done_at": clock.now(),
        "done_by_id": actor.user_id,
        "done_note": note.strip(),
        "not_done": not done,
    }
    if Action.objects.filter(pk=action.pk, done_at__isnull=True).update(**values) != 1:
        raise Conflict
    audit.record(
        action="action.done" if done else "action.not_done",
        actor=actor,
        subject=action,
        patient_id=procedure.patient_id,
        data={"plan": action.plan},
    )
    events.changed(procedure)
    action.refresh_from_db()
    return action


@transaction.atomic
def reassign_action(*, action: Action, actor: Actor, to: User) -> Action:
    """Somebody else does what was decided. Raises Invalid for one who is no physician, Conflict if it ended."""
    require(actor, Role.PHYSICIAN, Role.NURSE, Role.DIRECTOR, Role.ADMINISTRATOR)
    if not to.has(Role.PHYSICIAN):
        raise Invalid("This must be done by a physician.", field="to")
    users.working(to)
    procedure = _locked(action.procedure_id)
    mine = Action.objects.filter(pk=action.pk, done_at__isnull=True, responsible=action.responsible_id)
    if mine.update(responsible=to) != 1:
        raise Conflict
    audit.record(
        action="action.reassigned",
        actor=actor,
        subject=action,
        patient_id=procedure.patient_id,
        data={"from": action.responsible_id, "to": to.pk},
    )
    events.changed(procedure)
    action.refresh_from_db()
    return action
