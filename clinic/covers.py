"""Who is away, and who answers in their place once they have accepted. Everybody plans their own; the director for all.

Who is away is away, with or without a surrogate: what is theirs goes to the surrogate who has accepted, else to the
role on duty (``followups.domain.roster``). It never waits in a closed inbox.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from clinic import audit, clock, timewords
from clinic.actor import Actor
from clinic.errors import Conflict, DomainError, Invalid, NotPermitted
from clinic.models import Absence, User
from clinic.roles import Role


@dataclass(frozen=True)
class Problem:
    """What is wrong with a planned absence, and beside which field it is said."""

    field: str
    message: str
    params: dict[str, Any] = dataclasses.field(default_factory=dict)

    def error(self) -> DomainError:
        return Invalid(self.message, field=self.field, **self.params)


# --- what is asked --------------------------------------------------------------------------------


def candidates(user: User) -> QuerySet[User]:
    """Who could cover: active, and somebody to whom what waits belongs as well."""
    return User.objects.filter(is_active=True, roles__overlap=user.roles).exclude(pk=user.pk)


def covered_by(user: User, start: datetime, end: datetime) -> QuerySet[Absence]:
    """Absences of others in an interval for which ``user`` stands in, or is asked to."""
    rows = Absence.objects.filter(surrogate=user, declined_at__isnull=True, starts_at__lt=end, ends_at__gt=start)
    return rows.select_related("user").order_by("starts_at", "pk")


def concerning(user: User, now: datetime) -> QuerySet[Absence]:
    """Absences that are not over in which the person is away or is asked to cover."""
    return _current(now).filter(Q(user=user) | Q(surrogate=user))


def of_others(user: User, now: datetime) -> QuerySet[Absence]:
    """Everybody else's, for the director."""
    return _current(now).exclude(Q(user=user) | Q(surrogate=user))


def asked_of(user: User, now: datetime) -> QuerySet[Absence]:
    """Absences for which the person is asked to cover and has not answered."""
    return _current(now).filter(surrogate=user, accepted_at__isnull=True, declined_at__isnull=True)


def uncovered(now: datetime) -> QuerySet[Absence]:
    """Absences that are not over and for which nobody has accepted."""
    return _current(now).filter(accepted_at__isnull=True)


def _current(now: datetime) -> QuerySet[Absence]:
    return Absence.objects.filter(ends_at__gt=now).select_related("user", "surrogate").order_by("starts_at", "pk")


def stand_in(user: User, now: datetime) -> User | None:
    """Who answers for somebody now: they themselves, the surrogate who has accepted, or nobody."""
    seen: set[int] = set()
    person: User | None = user
    while person is not None and person.pk not in seen:
        seen.add(person.pk)
        absence = Absence.objects.filter(user=person, starts_at__lte=now, ends_at__gt=now).first()
        if absence is None:
            return person if person.is_active else None
        person = absence.surrogate if absence.is_covered else None
    return None


def problems(
    *,
    user: User,
    surrogate: User | None,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    absence: Absence | None = None,
) -> list[Problem]:
    """Everything that is wrong with an absence as it is planned; ``absence`` is the row that it changes."""
    if ends_at <= starts_at:
        return [Problem("ends_at", "Must be later than the beginning.")]
    found: list[Problem] = []
    if ends_at <= now:
        found.append(Problem("ends_at", "This absence would be over already. Nothing can be covered afterwards."))
    others = Absence.objects.exclude(pk=absence.pk) if absence else Absence.objects.all()
    same = others.filter(user=user, starts_at__lt=ends_at, ends_at__gt=starts_at).first()
    if same is not None:
        span = {"since": _local(same.starts_at), "until": _local(same.ends_at)}
        found.append(Problem("starts_at", "Already entered as away from %(since)s until %(until)s.", span))
    if surrogate is not None:
        found += _wrong_with(surrogate, user, others, starts_at, ends_at)
    return found


def _wrong_with(
    surrogate: User, user: User, others: QuerySet[Absence], starts_at: datetime, ends_at: datetime
) -> list[Problem]:
    if surrogate.pk == user.pk:
        return [Problem("surrogate", "Nobody can cover for themselves.")]
    if not surrogate.is_active:
        return [Problem("surrogate", "This person no longer works here.")]
    if not user.role_set & surrogate.role_set:
        return [Problem("surrogate", "The two share no role: what waits would not be theirs to decide.")]
    away = others.filter(user=surrogate, starts_at__lt=ends_at, ends_at__gt=starts_at).first()
    if away is None:
        return []
    span = {"since": _local(away.starts_at), "until": _local(away.ends_at)}
    return [Problem("surrogate", "This person is away then, too: from %(since)s until %(until)s.", span)]


# --- what people do -------------------------------------------------------------------------------


def plan(
    *,
    actor: Actor,
    user: User,
    starts_at: datetime,
    ends_at: datetime,
    surrogate: User | None = None,
    taken_over: Mapping[int, User | None] | None = None,
) -> Absence:
    """Somebody will be away; ``surrogate`` is asked. ``taken_over``: who takes each cover of theirs in that time.

    Raises Invalid for what ``problems`` names, and for a cover of theirs that nobody is named for.
    """
    _own_or_director(actor, user)
    row = Absence(user=user, surrogate=surrogate, starts_at=starts_at, ends_at=ends_at)
    with _one_at_a_time(user, surrogate, *(taken_over or {}).values()):
        _check(row)
        _hand_covers_on(actor, row, taken_over or {})
        row.save(force_insert=True)
        audit.record(action="absence.added", actor=actor, subject=row, data=_data(row))
    return row


def change(
    *,
    actor: Actor,
    absence: Absence,
    starts_at: datetime,
    ends_at: datetime,
    surrogate: User | None,
    taken_over: Mapping[int, User | None] | None = None,
) -> Absence:
    """Other days or another surrogate: they are asked (again), for they agreed to something else."""
    _own_or_director(actor, absence.user)
    with _one_at_a_time(absence.user, surrogate, *(taken_over or {}).values()):
        row = _locked(absence)
        before = _data(row)
        row.starts_at, row.ends_at, row.surrogate = starts_at, ends_at, surrogate
        if _data(row) == before:
            return row
        _check(row)
        _hand_covers_on(actor, row, taken_over or {})
        _ask_anew(row)
        audit.record(action="absence.changed", actor=actor, subject=row, data={"before": before, "after": _data(row)})
    return row


def cancel(*, actor: Actor, absence: Absence) -> None:
    """It does not take place; one that has begun ends now, and what has been stays on record."""
    _own_or_director(actor, absence.user)
    with transaction.atomic():
        row, now = _locked(absence), clock.now()
        if row.ends_at <= now:
            raise Conflict("This absence is over already.")
        begun = row.starts_at < now
        audit.record(action="absence.ended" if begun else "absence.removed", actor=actor, subject=row, data=_data(row))
        if begun:
            row.ends_at = now
            row.save(update_fields=["ends_at"])
        else:
            row.delete()


def accept(*, actor: Actor, absence: Absence) -> None:
    """The surrogate agrees: while it lasts, what waits for the absent person reaches them."""
    _asked_only(actor, absence)
    with _one_at_a_time(absence.user, absence.surrogate):
        row = _locked(absence)
        _asked_only(actor, row)
        _still_the_same(absence, row)
        if row.accepted_at is not None:
            raise Conflict("This cover is accepted already.")
        _check(row, only="surrogate")
        row.accepted_at, row.declined_at, row.decline_reason = clock.now(), None, ""
        row.save(update_fields=["accepted_at", "declined_at", "decline_reason"])
        audit.record(action="absence.accepted", actor=actor, subject=row)


def decline(*, actor: Actor, absence: Absence, reason: str) -> None:
    """The surrogate cannot, or can no longer. Raises Invalid without a reason."""
    _asked_only(actor, absence)
    if not reason.strip():
        raise Invalid("Say why, so that somebody else can be asked.", field="reason")
    with transaction.atomic():
        row = _locked(absence)
        _asked_only(actor, row)
        if row.declined_at is not None:
            raise Conflict("This cover is declined already.")
        row.accepted_at, row.declined_at, row.decline_reason = None, clock.now(), reason.strip()
        row.save(update_fields=["accepted_at", "declined_at", "decline_reason"])
        audit.record(action="absence.declined", actor=actor, subject=row, reason=reason.strip())


def pass_on(*, actor: Actor, absence: Absence, to: User | None) -> None:
    """Somebody else is asked to cover; ``None``: nobody, it goes to the role on duty.

    By whoever covers, whoever is away, the director, or an administrator who ends an access.
    """
    if actor.user_id not in {absence.user_id, absence.surrogate_id} and not actor.has(
        Role.DIRECTOR, Role.ADMINISTRATOR
    ):
        raise NotPermitted
    with _one_at_a_time(absence.user, absence.surrogate, to):
        row = _locked(absence)
        if row.surrogate_id != absence.surrogate_id:
            raise Conflict("Somebody else is asked to cover by now.")
        _pass_on(actor, row, to)


def _pass_on(actor: Actor, row: Absence, to: User | None) -> None:
    before = row.surrogate_id
    if to is not None and to.pk == before:
        raise Invalid("This person is asked already.", field="to")
    row.surrogate = to
    _check(row, only="surrogate", said_at="to")
    _ask_anew(row)
    data = {"from": before, "to": to.pk if to else None}
    audit.record(action="absence.passed_on", actor=actor, subject=row, data=data)


# --- the checks -----------------------------------------------------------------------------------


def _own_or_director(actor: Actor, user: User) -> None:
    if actor.user_id != user.pk and not actor.has(Role.DIRECTOR):
        raise NotPermitted


def _asked_only(actor: Actor, absence: Absence) -> None:
    if absence.surrogate_id is None or absence.surrogate_id != actor.user_id:
        raise Invalid("Only the person who is asked can answer.")


def _still_the_same(seen: Absence, row: Absence) -> None:
    """Nobody agrees to other days than they were shown."""
    if (seen.starts_at, seen.ends_at, seen.user_id) != (row.starts_at, row.ends_at, row.user_id):
        raise Conflict("This absence was changed in the meantime. Look at it once more.")


def _check(row: Absence, *, only: str = "", said_at: str = "") -> None:
    found = problems(
        user=row.user,
        surrogate=row.surrogate,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        now=clock.now(),
        absence=row if row.pk else None,
    )
    for problem in found:
        if only and problem.field != only:
            continue
        raise Invalid(problem.message, field=said_at or problem.field, **problem.params)


def _hand_covers_on(actor: Actor, row: Absence, taken_over: Mapping[int, User | None]) -> None:
    """Whoever goes away cannot cover: each of their covers in that time is somebody else's first."""
    for cover in covered_by(row.user, row.starts_at, row.ends_at).select_for_update(of=("self",), no_key=True):
        if cover.pk not in taken_over:
            raise Invalid(
                "%(who)s is covered then by the person who goes away. Say who takes that over.",
                field=f"cover_{cover.pk}",
                who=cover.user.display_name,
            )
        to = taken_over[cover.pk]
        if to is not None and to.pk == row.user_id:
            raise Invalid("Nobody who is away can cover.", field=f"cover_{cover.pk}")
        try:
            _pass_on(actor, cover, to)
        except Invalid as error:
            raise Invalid(error.message, field=f"cover_{cover.pk}", **error.params) from None


def _ask_anew(row: Absence) -> None:
    row.accepted_at, row.declined_at, row.decline_reason = None, None, ""
    row.save(update_fields=["starts_at", "ends_at", "surrogate", "accepted_at", "declined_at", "decline_reason"])


def _locked(absence: Absence) -> Absence:
    rows = Absence.objects.select_for_update(of=("self",), no_key=True).select_related("user", "surrogate")
    row = rows.filter(pk=absence.pk).first()
    if row is None:
        raise Conflict("This absence was taken away in the meantime.")
    return row


@contextmanager
def _one_at_a_time(*people: User | None) -> Iterator[None]:
    """A transaction in which nobody else plans for these people: one order of locks, so that none waits for ever."""
    try:
        with transaction.atomic():
            rows = User.objects.filter(pk__in=[person.pk for person in people if person is not None])
            list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))
            yield
    except IntegrityError as error:
        raise Conflict("Somebody else planned an absence for the same time. Look again.") from error


def _data(row: Absence) -> dict[str, Any]:
    return {
        "user": row.user_id,
        "surrogate": row.surrogate_id,
        "starts_at": row.starts_at.astimezone(UTC).isoformat(),
        "ends_at": row.ends_at.astimezone(UTC).isoformat(),
    }


def _local(moment: datetime) -> str:
    return timewords.when(moment, clock.now(), timezone.get_current_timezone())
