"""The ladders of this installation: ``escalation.toml``, read and validated once."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import timewords
from followups import channels, ladder_words
from followups.domain.kinds import Kind
from followups.domain.ladder import Do, Ladder, LadderError, Ladders, To, parse
from followups.models import FollowUp

FILE = Path(__file__).resolve().parent.parent / "escalation.toml"


def read(path: Path) -> Ladders:
    """The file as ladders. Raises LadderError naming file, key and value for everything that is wrong with it."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LadderError(f"{path.name}: {error}") from error
    return parse(data, name=path.name, channels=channels.NAMES)


@cache
def load() -> Ladders:
    """All ladders."""
    return read(FILE)


def ladder(kind: Kind, level: str) -> Ladder:
    """The ladder that a promise of this kind and level climbs."""
    return load().ladder(Kind(kind), level)


def of(follow_up: FollowUp) -> Ladder:
    """The ladder of one promise."""
    return ladder(Kind(follow_up.kind), follow_up.level)


def next_digest(now: datetime) -> datetime:
    """The next daily digest: the clinic's local hour on a calendar day, so it stays there when the clocks change."""
    zone = ZoneInfo(settings.CLINIC_ZONE)
    local = now.astimezone(zone)
    at = datetime.combine(local.date(), load().digest_at, tzinfo=zone)
    if at <= local:
        at = datetime.combine(local.date() + timedelta(days=1), load().digest_at, tzinfo=zone)
    return at.astimezone(now.tzinfo)


def not_before(moment: datetime, *, channel: str, level: str) -> datetime:
    """When a message of this level may leave by this channel: at night a patient is left in peace."""
    zone = ZoneInfo(settings.CLINIC_ZONE)
    return load().not_before(moment, level=level, to_patient=channel in channels.FOR_PATIENTS, zone=zone)


def next_step(follow_up: FollowUp, now: datetime) -> str:
    """Who is asked next and when, in words: "Thu 14:30: the director is asked". Empty for a closed promise."""
    if not follow_up.is_open or follow_up.next_action_at is None:
        return ""
    rung = of(follow_up).next_rung(follow_up.rung)
    at = max(follow_up.next_action_at, follow_up.snoozed_until or follow_up.next_action_at)
    words = {
        "when": timewords.when(at, now, timezone.get_current_timezone()),
        "who": _owner(follow_up) if rung.to is To.OWNER else ladder_words.addressee(rung.to, follow_up.role),
    }
    if rung.do is Do.MOVE:
        return _("%(when)s: it also goes to the list of %(who)s") % words
    if rung.digest:
        return _("%(when)s: it is put into the daily digest of %(who)s") % words
    if rung.to is To.PATIENT:
        return _("%(when)s: a message goes to the patient, or somebody is asked to call") % words
    return _("%(when)s: a reminder goes to %(who)s") % words


def _owner(follow_up: FollowUp) -> str:
    person = follow_up.taken_by or follow_up.responsible
    return person.display_name if person else ladder_words.addressee(To.ROLE, follow_up.role)
