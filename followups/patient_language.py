"""In which language a patient is spoken to, on pages and in messages.

``with speaking(patient):`` makes gettext, dates and form errors speak their language; a protocol's own words come from
``words_for(patient, protocol)``. Where a case's protocol version has no translation, all of the page stays English:
half and half helps nobody, and the staff is told (``spoken_to``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone, translation
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from procedures.domain import languages, translations
from procedures.domain.protocol import Protocol
from procedures.models import Patient

#: What the staff calls them.
NAMES = {"en": gettext_lazy("English"), "es": gettext_lazy("Spanish")}


def language_of(patient: Patient, protocol: Protocol | None = None) -> str:
    """``en`` or ``es``: what we write to them in; English where the case's protocol has no other."""
    code = languages.of(patient.language)
    if protocol is not None and code not in translations.languages(protocol):
        return languages.DEFAULT
    return code


def their_name(patient: Patient) -> str:
    """What they call the language they speak, where we know it."""
    spoken = str(patient.language)
    return languages.NAMES[languages.of(spoken)][0] if languages.is_theirs(spoken) else spoken


@contextmanager
def speaking(patient: Patient, protocol: Protocol | None = None) -> Iterator[str]:
    """Everything rendered inside is in the patient's language. Gives its code."""
    with speaking_in(language_of(patient, protocol)) as code:
        yield code


@contextmanager
def speaking_in(code: str) -> Iterator[str]:
    """As :func:`speaking`, for a language that is known already (a preview)."""
    with translation.override(code):
        yield code


def words_for(patient: Patient, protocol: Protocol) -> Protocol:
    """The protocol with the words that this patient reads."""
    return protocol.in_language(language_of(patient, protocol))


#: How a day and an hour are written to a patient: 12 hours, as people say it here.
DAY = {"en": "l, F j", "es": r"l j \d\e F"}
HOUR = {"en": "g:i A", "es": "g:i a"}


def day(moment: datetime) -> str:
    """ "Thursday, November 26", in the language of the moment and the clinic's zone."""
    return date_format(timezone.localtime(moment), DAY[_code()])


def hour(moment: datetime) -> str:
    """ "9:30 AM"."""
    return date_format(timezone.localtime(moment), HOUR[_code()])


def _code() -> str:
    spoken = (translation.get_language() or languages.DEFAULT).partition("-")[0]
    return spoken if spoken in DAY else languages.DEFAULT


@dataclass(frozen=True)
class SpokenTo:
    """What the staff is told about the language of what a patient gets."""

    code: str
    name: str
    theirs: bool  # False: an interpreter is needed
    note: str


def spoken_to(patient: Patient, protocol: Protocol | None = None) -> SpokenTo:
    """Which language is sent, and whether it is the one they speak."""
    code = language_of(patient, protocol)
    theirs = languages.is_theirs(patient.language) and code == languages.of(patient.language)
    note = (
        ""
        if theirs
        else _("We have no text in %(language)s: interpreter needed.")
        % {"language": patient.language or _("their language")}
    )
    return SpokenTo(code=code, name=str(NAMES[code]), theirs=theirs, note=note)
