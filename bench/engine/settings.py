"""The product's settings, and the one app that a peer needs. Of this measurement alone."""

from __future__ import annotations

from importlib.util import find_spec

from clinic.settings import *  # noqa: F403
from clinic.settings import INSTALLED_APPS as PRODUCT

INSTALLED_APPS = [*PRODUCT, *(["django_celery_beat"] if find_spec("django_celery_beat") else [])]
DJANGO_CELERY_BEAT_TZ_AWARE = True
USE_DEPRECATED_PYTZ = False
