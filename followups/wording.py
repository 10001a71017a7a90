"""What a promise is called on a page. (E-mails say less: ``Spec.mail``.)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.roles import Role
from followups.domain import kinds
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Plural, Spec
from followups.ladder_words import ROLES
from followups.models import FollowUp
from procedures.domain.lab_content import OTHER
from procedures.domain.protocol import Protocol


def role(code: str) -> str:
    """A role as the owner of something, in words."""
    return str(ROLES[Role(code)])


def owner(follow_up: FollowUp) -> str:
    """Who owes it: who took it, else the responsible person, else the role; and where it was escalated to."""
    person = follow_up.taken_by or follow_up.responsible
    name = person.display_name if person else role(follow_up.role)
    if follow_up.escalated_role and follow_up.escalated_role != follow_up.role:
        return _("%(owner)s, and now %(role)s") % {"owner": name, "role": role(follow_up.escalated_role)}
    return name


def title(follow_up: FollowUp, protocol: Protocol | None) -> str:
    """The promise in one line. Names tests, never values."""
    return sentence(Kind(follow_up.kind), follow_up.about, protocol, follow_up.key)


def sentence(kind: Kind, about: dict[str, Any], protocol: Protocol | None, key: str = "") -> str:
    """The line of a promise of this kind."""
    spec = kinds.of(kind)
    line = spec.line_of(about, key)
    words = _Words(spec, about, protocol)
    if isinstance(line, Plural):
        return ngettext(line.one, line.many, line.n) % _Words(spec, {**about, "n": line.n}, protocol)
    return _(line) % words


class _Words(Mapping[str, Any]):
    """What the placeholders of a line stand for: names from the protocol, texts for codes, else what ``about`` says."""

    def __init__(self, spec: Spec, about: Mapping[str, Any], protocol: Protocol | None) -> None:
        self.spec, self.about, self.protocol = spec, about, protocol

    def __getitem__(self, name: str) -> Any:
        if name in self.spec.words:
            texts = self.spec.words[name]
            return _(texts.get(str(self.about.get(name, "")), texts[""]))
        if name == "tests":
            return _tests(self.about, self.protocol)
        if name == "test":
            return test_label(str(self.about.get("test", "")), self.protocol)
        if name == "check":
            return check_label(str(self.about.get("check", "")), self.protocol)
        if name == "role":
            return role(str(self.about["role"]))
        return self.about[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.about)

    def __len__(self) -> int:
        return len(self.about)


def test_label(code: str, protocol: Protocol | None) -> str:
    """The test's name in this protocol; its code where a later version dropped it."""
    label = next((t.label for t in protocol.tests if t.code == code), code) if protocol else code
    return label.removeprefix(OTHER)


def check_label(code: str, protocol: Protocol | None) -> str:
    """The name of a time at which danger signs are asked about."""
    return next((c.label for c in protocol.symptom_checks if c.code == code), code) if protocol else code


def _tests(about: Mapping[str, Any], protocol: Protocol | None) -> str:
    names = [test_label(code, protocol) for code in about.get("tests", [])]
    shown = ", ".join(names[:3])
    more = len(names) - 3
    if more > 0:
        shown += ngettext(" and %(n)s more", " and %(n)s more", more) % {"n": more}
    return shown
