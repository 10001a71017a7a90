"""Whatever an operator can get wrong, said at the start and in words. Also run by ``manage.py doctor``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

from clinic import audit_seal, clock, embedded, health

RunningCheck = Callable[[], list[CheckMessage]]
#: Checks of running parts, which ``manage.py check`` and ``migrate`` must not need: only doctor asks them.
running: list[RunningCheck] = []

#: Backends from which nothing reaches a person outside.
HARMLESS_MAIL = frozenset(
    f"django.core.mail.backends.{name}.EmailBackend" for name in ("filebased", "console", "locmem", "dummy")
)
SMS_GATEWAYS = ("file", "http", "off")
KEY_LENGTH = 50
TOKEN_LENGTH = 24


def while_running(check: RunningCheck) -> RunningCheck:
    """Add a check for ``manage.py doctor``; its docstring says what is right when it finds nothing."""
    running.append(check)
    return check


# --- settings ------------------------------------------------------------------------------
@register()
def database_is_postgresql(**_: Any) -> list[CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
        return []
    return [
        Error(
            "The database is not PostgreSQL.",
            hint="Locks, exclusion constraints and triggers keep bookings and audit right; no other database has them.",
            id="clinic.E001",
        )
    ]


@register()
def demonstration_reaches_nobody(**_: Any) -> list[CheckMessage]:
    """A demonstration's clock can be moved by anybody: its messages must stay here."""
    found: list[CheckMessage] = []
    if settings.DEMO and settings.EMAIL_BACKEND not in HARMLESS_MAIL:
        found.append(
            Error("DEMO=1 with a mail backend that sends.", hint="Unset EMAIL_BACKEND or DEMO.", id="clinic.E002")
        )
    if settings.DEMO and settings.SMS_GATEWAY == "http":
        found.append(
            Error("DEMO=1 with a gateway that sends texts.", hint="Unset SMS_GATEWAY or DEMO.", id="clinic.E030")
        )
    if settings.DEMO and settings.PRODUCTION:
        found.append(Error("DEMO=1 and PRODUCTION=1 exclude each other.", hint="Unset one.", id="clinic.E008"))
    return found


@register()
def production_is_complete(**_: Any) -> list[CheckMessage]:
    if not settings.PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if not settings.SITE_URL.startswith("https://"):
        found.append(
            Error("SITE_URL is not an https:// address.", hint="Links in messages would not work.", id="clinic.E003")
        )
    if len(settings.SECRET_KEY) < KEY_LENGTH:
        found.append(
            Error(
                f"SECRET_KEY has fewer than {KEY_LENGTH} letters.",
                hint="python -c 'import secrets; print(secrets.token_urlsafe(50))' makes one.",
                id="clinic.E005",
            )
        )
    if settings.EMAIL_BACKEND in HARMLESS_MAIL:
        found.append(
            Error(
                "EMAIL_BACKEND sends nothing: reminders and alarms would reach nobody.",
                hint="EMAIL_BACKEND=django.core.mail.backends.smtp.EmailBackend and EMAIL_HOST.",
                id="clinic.E009",
            )
        )
    return found + _texts_in_production() + _bundled_in_production()


def _texts_in_production() -> list[CheckMessage]:
    """A file is no text message: a patient who waits for one would wait for ever."""
    if settings.SMS_GATEWAY != "file":
        return []
    hint = "SMS_GATEWAY=http with SMS_URL, SMS_ACCOUNT, SMS_TOKEN and SMS_FROM; or SMS_GATEWAY=off: nobody gets texts."
    return [Error("SMS_GATEWAY=file sends nothing: patients would get no text.", hint=hint, id="clinic.E031")]


@register()
def text_gateway_is_complete(**_: Any) -> list[CheckMessage]:
    gateway = settings.SMS_GATEWAY
    if gateway not in SMS_GATEWAYS:
        return [Error(f"SMS_GATEWAY is {gateway!r}.", hint=f"One of {', '.join(SMS_GATEWAYS)}.", id="clinic.E032")]
    if gateway != "http":
        return []
    needed = ("SMS_URL", "SMS_ACCOUNT", "SMS_TOKEN", "SMS_FROM")
    found: list[CheckMessage] = [
        Error(f"{name} is not set.", hint="SMS_GATEWAY=http needs it.", id="clinic.E033")
        for name in needed
        if not getattr(settings, name).strip()
    ]
    if settings.PRODUCTION and not settings.SMS_URL.startswith("https://"):
        found.append(
            Error("SMS_URL is not an https:// address.", hint="Numbers and words would go in clear.", id="clinic.E034")
        )
    return found


def _bundled_in_production() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["HOST"] == str(embedded.socket_dir(settings.VAR_DIR)):
        found.append(
            Error("DATABASE_URL is not set.", hint="The bundled server is for trying and testing.", id="clinic.E010")
        )
    if embedded.broker("", settings.VAR_DIR) == settings.REDIS_URL:
        found.append(
            Error("REDIS_URL is not set.", hint="The bundled server is for trying and testing.", id="clinic.E011")
        )
    return found


@register()
def patients_can_call(**_: Any) -> list[CheckMessage]:
    """Every tier of a symptom check ends in one of these two numbers."""
    names = {"CLINIC_PHONE_24H": settings.CLINIC_PHONE_24H, "WARD_PHONE": settings.WARD_PHONE}
    return [
        Error(
            f"{name} is not set.",
            hint="A number that is staffed day and night; patient texts end with it.",
            id="clinic.E004",
        )
        for name, value in names.items()
        if not value.strip()
    ]


@register()
def broker_waits_longer_than_tasks(**_: Any) -> list[CheckMessage]:
    """Else the broker hands a task that still runs to a second worker."""
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", 0)
    if timeout > settings.CELERY_TASK_TIME_LIMIT > settings.CELERY_TASK_SOFT_TIME_LIMIT:
        return []
    return [
        Error(
            "The broker's visibility_timeout must be above the task time limit, and that above the soft one.",
            id="clinic.E006",
        )
    ]


@register()
def facts_reach_the_planner(**_: Any) -> list[CheckMessage]:
    """Without its receiver, facts would be saved and nobody would promise anything."""
    if import_string("procedures.events.facts_changed").receivers:
        return []
    return [Error("Nothing listens to procedures.events.facts_changed.", id="clinic.E007")]


@register()
def banner_has_room(**_: Any) -> list[CheckMessage]:
    if settings.ENGINE_LATE_SECONDS >= 3 * settings.ENGINE_TICK_SECONDS:
        return []
    return [
        Warning(
            "ENGINE_LATE_SECONDS is less than three ticks of ENGINE_TICK_SECONDS: one slow pass would alarm everybody.",
            id="clinic.W001",
        )
    ]


@register()
def metrics_have_a_good_token(**_: Any) -> list[CheckMessage]:
    """A short one can be guessed; none is fine: then only this computer may read them."""
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= TOKEN_LENGTH:
        return []
    return [
        Error(
            f"METRICS_TOKEN has fewer than {TOKEN_LENGTH} letters.",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(30))' makes one.",
            id="clinic.E012",
        )
    ]


# --- running parts -------------------------------------------------------------------------
@while_running
def database_is_ready() -> list[CheckMessage]:
    """The database answers and has every migration."""
    return [_problem(text, "clinic.E020") for text in health.database_problems()]


@while_running
def engine_keeps_up() -> list[CheckMessage]:
    """The broker answers and the engine keeps up."""
    return [_problem(text, "clinic.E021") for text in health.engine_state()["problems"]]


@while_running
def audit_is_sealed() -> list[CheckMessage]:
    """The audit trail is sealed up to yesterday, and every seal that was looked at matches."""
    state = audit_seal.state(clock.real_now())
    found = []
    if state.broken:
        found.append(_problem(f"the audit trail does not match its seal: {state.broken}", "clinic.E022"))
    if state.behind:
        found.append(_problem(f"{state.behind} finished days of the audit trail have no seal", "clinic.E023"))
    return found


def _problem(text: str, number: str) -> CheckMessage:
    return Error(text[0].upper() + text[1:] + ".", id=number)
