"""What an operator or a change of the code can get wrong about promises, said at the start and in words."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from clinic import clock
from clinic.checks import while_running
from followups import alarm_words, engine, ladder_words, receivers
from followups.domain import watch
from followups.domain.ladder import LadderError
from followups.selectors import engine as engine_selector
from followups.services import ladders
from procedures.events import facts_changed

#: People are at work on these: they do not make an installation wrong.
FOR_PEOPLE = frozenset({watch.DEAD_LETTERS, watch.UNKNOWN_FATE, watch.PATIENTS_UNREACHED, watch.PLAN_FAILED})
#: Said by checks of their own.
SAID_ELSEWHERE = frozenset({watch.ENGINE_LATE, watch.EMPTY_ROLE, watch.SEAL_BROKEN, watch.SEAL_MISSING})


@register()
def ladders_are_valid(**_: Any) -> list[CheckMessage]:
    """Every kind of promise has a ladder that ends in a role and never falls silent."""
    try:
        ladders.load()
    except LadderError as error:
        return [Error(line, id="followups.E001") for line in str(error).splitlines()]
    return []


@register()
def facts_are_heard(**_: Any) -> list[CheckMessage]:
    """Without its receiver the signal reaches nobody, and no promise would follow from a fact."""
    connected, _asynchronous = facts_changed._live_receivers(sender=None)
    if receivers.reconcile_on_change in connected:
        return []
    return [Error("No receiver plans a case when its facts change.", id="followups.E002")]


@register()
def sending_ends_in_time(**_: Any) -> list[CheckMessage]:
    """Else a burst would be cut off by the task's time limit, and its last message would be of unknown fate."""
    if engine.SENDING.total_seconds() < settings.CELERY_TASK_SOFT_TIME_LIMIT:
        return []
    return [Error("One run of a channel may take longer than the soft time limit of a task.", id="followups.E003")]


@register()
def backlog_is_patient(**_: Any) -> list[CheckMessage]:
    if settings.BACKLOG_LATE_SECONDS >= 3 * settings.ENGINE_TICK_SECONDS:
        return []
    return [
        Warning(
            "BACKLOG_LATE_SECONDS is less than three ticks of ENGINE_TICK_SECONDS: one slow pass would alarm all.",
            id="followups.W001",
        )
    ]


@while_running
def somebody_answers_for_every_role() -> list[CheckMessage]:
    """Somebody answers for every role that a ladder asks."""
    hint = "Give somebody the role under Users, or enter who is on call under Rooms and hours."
    return [
        Error(f"Nobody answers for {ladder_words.ROLES[role]}.", hint=hint, id="followups.E020")
        for role in engine.empty_roles(clock.now())
    ]


@while_running
def nothing_waits_for_long() -> list[CheckMessage]:
    """Steps and messages leave in time, every message has arrived, and the nightly check found nothing."""
    hint = "docs/runbook.md says what to do."
    return [
        (Warning if name in FOR_PEOPLE else Error)(
            f"{alarm_words.ALARMS[name]} [{name}]", hint=hint, id=f"followups.{'W' if name in FOR_PEOPLE else 'E'}021"
        )
        for name in engine_selector.state(clock.now()).alarms
        if name not in SAID_ELSEWHERE
    ]
