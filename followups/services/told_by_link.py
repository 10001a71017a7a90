"""Telling by a message with a link: what may be told so, sending it, and what the patient answers.

Sent is not told. The patient counts as told when they say that they have read it; who asks for a call is called. What
cannot wait, what is only written in another language, and what has changed since is never told so.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from followups.selectors.telling import Line
from procedures.models import Procedure


def why_not(procedure: Procedure, lines: Iterable[Line]) -> str | None:
    """Why a message with a link is no way to tell these results, in words; None when it is one."""
    rows = list(lines)
    patient = procedure.patient
    if patient.deceased_at is not None:
        return _("the patient has died.")
    if patient.is_inpatient:
        return _("an inpatient is told by the ward team.")
    if not rows:
        return _("no reviewed result waits to be told.")
    if any(line.critical for line in rows):
        return _("one of the results cannot wait: call.")
    if not all(line.readable for line in rows):
        return _("one of the results has no words in the patient's language: call, with an interpreter if needed.")
    return None
