"""The one settings file. Everything an installation may change comes from the environment (see docs/operations.md).

Without DATABASE_URL and REDIS_URL the bundled servers in ``var/`` are used (``clinic.embedded``).
"""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from clinic import embedded
from clinic.env import env_bool, env_int, env_list, env_secret, env_str

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env_str("VAR_DIR") or BASE_DIR / "var")

# --- what kind of installation -------------------------------------------------------------
DEBUG = env_bool("DEBUG", False)
#: A demonstration: the clock can be moved, log-ins are printed, mail goes to files. Never with real patients.
DEMO = env_bool("DEMO", False)
PRODUCTION = env_bool("PRODUCTION", False)

SECRET_KEY = env_secret("SECRET_KEY", None if PRODUCTION else embedded.local_secret(VAR_DIR))
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
#: Where people reach the product: used in messages. No trailing slash.
SITE_URL = env_str("SITE_URL", "http://127.0.0.1:8000")

# --- the clinic ----------------------------------------------------------------------------
CLINIC_NAME = env_str("CLINIC_NAME", "Procedure Clinic")
#: The authority that issues this clinic's medical record numbers.
CLINIC_AUTHORITY = env_str("CLINIC_AUTHORITY", "CLINIC")
#: Staffed number for outpatients, day and night; and the inpatient ward's physician.
CLINIC_PHONE_24H = env_str("CLINIC_PHONE_24H", "" if PRODUCTION else "555-0100")
WARD_PHONE = env_str("WARD_PHONE", "" if PRODUCTION else "555-0111")
#: How messages to patients call us: nothing in it may say what is treated here.
PATIENT_SENDER = env_str("PATIENT_SENDER", CLINIC_NAME)
CLINIC_ZONE = env_str("CLINIC_ZONE", "America/New_York")

# --- Django --------------------------------------------------------------------------------
INSTALLED_APPS = [
    "clinic",
    "procedures",
    "followups",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "clinic.middleware.NeverCached",  # outside everything that may answer; static files are above it
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "clinic.middleware.IdleLogout",
    "clinic.middleware.LoginRequired",
    "clinic.middleware.DomainErrors",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"
AUTH_USER_MODEL = "clinic.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.context.page",
                "followups.context.critical",
            ],
        },
    },
]

# --- database and broker -------------------------------------------------------------------
DATABASES = {"default": embedded.database(env_secret("DATABASE_URL", ""), VAR_DIR)}
DATABASES["default"].update(
    {
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": env_int("CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
    }
)
REDIS_URL = embedded.broker(env_secret("REDIS_URL", ""), VAR_DIR)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": embedded.cache(REDIS_URL)}}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
#: Seconds between two looks of the engine, and after how many the banner says that it is late.
ENGINE_TICK_SECONDS = env_int("ENGINE_TICK_SECONDS", 15)
ENGINE_LATE_SECONDS = env_int("ENGINE_LATE_SECONDS", 120)
#: The same for a step or a message that waits longer than this.
BACKLOG_LATE_SECONDS = env_int("BACKLOG_LATE_SECONDS", 900)
#: What laboratories send: who may connect (addresses and networks; without one this computer alone), how long a message
#: may be, how many connections there may be, seconds between two messages and for a whole one, and after how many
#: hours without a message the silence is an alarm (0: never).
INBOUND_ALLOW = env_list("INBOUND_ALLOW", ["127.0.0.0/8", "::1"])
INBOUND_MAX_BYTES = env_int("INBOUND_MAX_BYTES", 10_000_000)
INBOUND_MAX_CONNECTIONS = env_int("INBOUND_MAX_CONNECTIONS", 256)
INBOUND_IDLE_SECONDS = env_int("INBOUND_IDLE_SECONDS", 900)
INBOUND_MESSAGE_SECONDS = env_int("INBOUND_MESSAGE_SECONDS", 60)
INBOUND_SILENT_HOURS = env_int("INBOUND_SILENT_HOURS", 96)
#: Whoever sends it as a bearer token may read /metrics; without one only this computer may.
METRICS_TOKEN = env_secret("METRICS_TOKEN", "")

# --- people --------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "clinic.accounts.StaffAccountAdapter"
ACCOUNT_FORMS = {"login": "clinic.login_form.StaffLoginForm"}
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = False  # axes locks by user and address
AXES_FAILURE_LIMIT = env_int("LOGIN_FAILURE_LIMIT", 5)
AXES_COOLOFF_TIME = env_int("LOGIN_COOLOFF_HOURS", 1)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_CLIENT_IP_CALLABLE = "clinic.client_address.client_address"

IDLE_MINUTES = env_int("IDLE_MINUTES", 15)
SESSION_MAX_HOURS = env_int("SESSION_MAX_HOURS", 12)
SESSION_COOKIE_AGE = SESSION_MAX_HOURS * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "clinic.views.errors.csrf_failure"
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
#: A proxy of ours sets X-Forwarded-Proto and adds to X-Forwarded-For; without one, a browser could set them.
BEHIND_PROXY = env_bool("BEHIND_PROXY", False)
SECURE_SSL_REDIRECT = env_bool("SECURE_SSL_REDIRECT", PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^healthz/engine$", r"^metrics$"]
SECURE_HSTS_SECONDS = env_int("SECURE_HSTS_SECONDS", 31536000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- language, time, files, mail -----------------------------------------------------------
LANGUAGE_CODE = "en-us"
# Staff pages are English; Spanish is for patients alone (followups/patient_language.py), so no LocaleMiddleware.
LANGUAGES = [("en-us", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = CLINIC_ZONE
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected for production only; elsewhere the finders serve them.
STATIC_ROOT = VAR_DIR / "staticfiles" if PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG

EMAIL_BACKEND = env_str("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST = env_str("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env_secret("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", "clinic@example.org")

#: Text messages to patients: ``file`` keeps them in var/sms, ``http`` gives them to a provider, ``off`` sends none.
SMS_GATEWAY = env_str("SMS_GATEWAY", "file")
SMS_FILE_PATH = VAR_DIR / "sms"
SMS_URL = env_str("SMS_URL", "https://api.twilio.com")
SMS_ACCOUNT = env_str("SMS_ACCOUNT")
#: Also the key with which the provider signs what it tells us.
SMS_TOKEN = env_secret("SMS_TOKEN", "")
SMS_FROM = env_str("SMS_FROM")

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_str("LOG_LEVEL", "INFO")},
    "loggers": {"axes": {"level": "ERROR"}},
}
