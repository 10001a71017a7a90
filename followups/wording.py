"""What a promise is called on a page. (E-mails say less: see ``templates/messages``.)"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.ladder_words import ROLES
from followups.models import FollowUp
from procedures.domain.protocol import Protocol

#: Kinds whose sentence needs nothing else.
FIXED = {
    Kind.BOOK_REQUEST: gettext_noop("Book the request"),
    Kind.CARRY_OUT: gettext_noop("Carry out or record the case"),
    Kind.REBOOK_NO_SHOW: gettext_noop("Rebook or end the no-show"),
    Kind.SIGN_RECORD: gettext_noop("Sign the procedure record"),
    Kind.CHECKLIST_AFTER_EMERGENCY: gettext_noop("Complete the checklist after the emergency start"),
    Kind.RESTART_MEDICINE: gettext_noop("Restart the held medicine, or say why not"),
    Kind.PLAN_FAILED: gettext_noop("Look at this case by hand: its plan could not be made"),
}

#: What a review decided; an action without a known plan still has its own page.
PLANS = {
    "": gettext_noop("see the case"),
    "repeat": gettext_noop("repeat the test"),
    "treat": gettext_noop("treat"),
    "refer": gettext_noop("refer"),
}


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


def title(follow_up: FollowUp, protocol: Protocol) -> str:
    """The promise in one line. Names tests, never values."""
    return sentence(Kind(follow_up.kind), follow_up.about, protocol, follow_up.key)


def sentence(kind: Kind, about: dict[str, Any], protocol: Protocol, key: str = "") -> str:
    """The line of a promise of this kind."""
    if kind in FIXED:
        return _(FIXED[kind])
    if kind is Kind.AWAITED_RESULT:
        return _("Result awaited: %(tests)s") % {"tests": _tests(about, protocol)}
    if kind is Kind.COLLECT_TESTS:
        return _("Collect the ordered tests: %(tests)s") % {"tests": _tests(about, protocol)}
    if kind is Kind.SPECIMEN_NOT_RECEIVED:
        return _("Confirm that the laboratory has the specimen (%(tests)s)") % {"tests": _tests(about, protocol)}
    if kind is Kind.SPECIMEN_LOST:
        return _("Decide: specimen rejected or lost (%(tests)s)") % {"tests": _tests(about, protocol)}
    if kind is Kind.REVIEW_RESULT:
        return _review(about, protocol)
    if kind is Kind.DO_ACTION:
        return _("Do what was decided: %(plan)s") % {"plan": _(PLANS.get(about.get("plan", ""), PLANS[""]))}
    if kind is Kind.TELL_PATIENT:
        return _tell(about, key)
    return _check(about, protocol)


def test_label(code: str, protocol: Protocol) -> str:
    """The test's name in this protocol; its code where a later version dropped it."""
    return next((t.label for t in protocol.tests if t.code == code), code)


def _tests(about: dict[str, Any], protocol: Protocol) -> str:
    names = [test_label(code, protocol) for code in about.get("tests", [])]
    shown = ", ".join(names[:3])
    more = len(names) - 3
    if more > 0:
        shown += ngettext(" and %(n)s more", " and %(n)s more", more) % {"n": more}
    return shown


def _review(about: dict[str, Any], protocol: Protocol) -> str:
    name = test_label(str(about.get("test", "")), protocol)
    if about.get("status") == "corrected":
        return _("Read the correction: %(test)s") % {"test": name}
    if about.get("status") == "preliminary":
        return _("Read the preliminary result: %(test)s") % {"test": name}
    if about.get("corrected"):  # an earlier version was read; a final after its preliminary corrects nothing
        return _("Read the newer result: %(test)s") % {"test": name}
    return _("Read the result: %(test)s") % {"test": name}


def _tell(about: dict[str, Any], key: str) -> str:
    if about.get("no_result"):
        return _("Tell the patient that there is no (full) result")
    count = len(about.get("versions", []))
    if key == "tell:now":
        return ngettext("Tell the patient now: %(n)s result", "Tell the patient now: %(n)s results", count) % {
            "n": count
        }
    return ngettext("Tell the patient: %(n)s result", "Tell the patient: %(n)s results", count) % {"n": count}


def _check(about: dict[str, Any], protocol: Protocol) -> str:
    code = str(about.get("check", ""))
    check = next((c for c in protocol.symptom_checks if c.code == code), None)
    return _("Ask about danger signs: %(check)s") % {"check": check.label if check else code}
