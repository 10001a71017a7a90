"""placeholder"""

from __future__ import annotations

from datetime import datetime

from followups.models import PatientLink


def about_a_link(*, link: PatientLink, now: datetime) -> None:
    """TODO"""
