"""Who gets what from the case, the worklists, and the pages on which promises are kept: rows for role_matrix.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clinic import clock
from clinic.models import User
from clinic.roles import CLINICAL, STAFF, Role
from followups.domain.kinds import Kind, MessageState
from followups.models import Action, Review, SymptomCheck
from followups.services import links
from procedures.models import Procedure, ResultVersion, Transfer
from tests import make
from tests.factories import promises
from tests.views.role_rows import CLOSED, READERS, SIGNERS, WRITERS, Case, Row, allow, everybody, public


def done() -> Procedure:
    return make.procedure(status="completed", starts=clock.now() - timedelta(hours=3))


def requested(case: Case) -> dict[str, Any]:
    return {"code": make.procedure().code}


def completed(case: Case) -> dict[str, Any]:
    return {"code": done().code}


def check(case: Case) -> dict[str, Any]:
    procedure = done()
    return {"code": procedure.code, "check_code": procedure.protocol_version.parsed.symptom_checks[0].code}


def _result() -> ResultVersion:
    return make.result(make.lab_test(done()))


def version(case: Case) -> dict[str, Any]:
    return {"pk": _result().pk}


def action(case: Case) -> dict[str, Any]:
    """What a review has decided, still to be done."""
    read, now = _result(), clock.now()
    procedure: Procedure = read.test.procedure
    by: User = procedure.responsible
    about = {"procedure": procedure, "plan": "refer"}
    review = Review.objects.create(
        **about, version=read, reviewer=by, at=now, interpretation="abnormal", plan_detail="Neurology", tell="with_all"
    )
    row = Action.objects.create(
        **about, review=review, what="Neurology", responsible=by, created_at=now, due_at=now + timedelta(days=7)
    )
    return {"pk": row.pk}


def report(case: Case) -> dict[str, Any]:
    procedure = done()
    row = SymptomCheck.objects.create(
        procedure=procedure, check_code="day_1", outcome="answered", at=clock.now(), by=procedure.responsible
    )
    return {"code": procedure.code, "pk": row.pk}


def token(case: Case) -> dict[str, Any]:
    return {"token": links.token(links.issue(procedure=done(), purpose="symptoms", about="day_2"))}


def booking(case: Case) -> dict[str, Any]:
    """A promise that every staff role sees."""
    return {"pk": promises.promise(Kind.BOOK_REQUEST, role=str(Role.SCHEDULER)).pk}


def clinical(case: Case) -> dict[str, Any]:
    """A promise about what is in a chart."""
    return {"pk": promises.promise(Kind.SIGN_RECORD).pk}


def stopped(case: Case) -> dict[str, Any]:
    """A message that did not arrive."""
    return {"pk": promises.message(state=str(MessageState.FAILED), settled_at=clock.now()).pk}


def sent(case: Case) -> dict[str, Any]:
    """A message that the mail server took."""
    return {"pk": promises.message(state=str(MessageState.SENT), settled_at=clock.now()).pk}


#: Who takes promises, and hands them over at the end of a shift.
WORKERS = (Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN)


def emergency(case: Case) -> dict[str, Any]:
    """Begun by one person alone, who is nobody of those that ask."""
    more = {"emergency_start": True, "emergency_reason": "Septic", "emergency_by": make.user(Role.PHYSICIAN)}
    return {"code": make.procedure(status="in_progress", starts=clock.now() - timedelta(hours=3), **more).code}


def later(case: Case) -> dict[str, Any]:
    procedure = done()
    return {"code": procedure.code, "item": procedure.protocol_version.parsed.later_tests[0].code}


def offered(case: Case) -> dict[str, Any]:
    """A list that waits for its answer, offered to somebody outside."""
    procedure = done()
    row = Transfer.objects.create(
        procedure=procedure, why="ward", pending=[pending()], offered_at=clock.now(), offered_by=procedure.responsible,
        to_name="Dr. Haddad", to_place="Ward 4", to_phone="555-0144",
    )  # fmt: skip
    return {"code": procedure.code, "pk": row.pk}


def pending() -> dict[str, Any]:
    due = clock.now().isoformat()
    about = {"tests": ["ascites_culture"]}
    return {
        "kind": "awaited_result", "key": "awaited:1", "about": about, "start": due, "due": due, "level": "normal",
        "owner": None, "role": "nurse",
    }  # fmt: skip


#: A physician or the director signs; a nurse cannot.
COUNTERSIGNERS: dict[str, Any] = {"others": 404, "deviating": {Role.NURSE: 403}}

FOLLOWUPS: dict[str, Row] = {
    "followups:board": allow(*STAFF),
    "followups:week": allow(*STAFF),
    "followups:checklists": allow(*CLINICAL),
    "followups:criticals": allow(*READERS),
    "followups:critical_strip": allow(*READERS),
    "followups:inbox": allow(Role.PHYSICIAN, Role.DIRECTOR),
    "followups:chase": allow(Role.NURSE, Role.DIRECTOR),
    "followups:loop": allow(Role.DIRECTOR),
    "followups:indicators": allow(Role.DIRECTOR),
    "followups:indicators_file": allow(Role.DIRECTOR),
    "followups:overrides": allow(Role.DIRECTOR),
    "followups:overrides_file": allow(Role.DIRECTOR),
    "followups:open_items_file": allow(Role.DIRECTOR),
    "followups:open_items": allow(*CLINICAL),
    # the case and what is done after it
    "followups:case": allow(*STAFF, others=404, kwargs=requested),
    "followups:case_summary": allow(*READERS, others=404, kwargs=completed),
    "followups:tell": allow(*WRITERS, kwargs=completed, **CLOSED),
    "followups:symptoms": allow(*WRITERS, kwargs=check, **CLOSED),
    "followups:report": allow(*READERS, others=404, kwargs=report),
    "followups:report writing": allow(
        *WRITERS, ok=303, method="post", kwargs=report, data=lambda case: {"outcome": "not_reached"}, **CLOSED
    ),
    # behind a patient's link: whoever has the address, and nobody without the birth date
    "followups:patient_gate": public(kwargs=token),
    "followups:patient_symptoms": public(404),
    "followups:patient_last": public(404),
    "followups:patient_done": public(404),
    "followups:patient_question": public(404, kwargs=lambda case: {"code": "legs"}),
    "followups:patient_now": public(404, kwargs=lambda case: {"code": "legs"}),
    "followups:review": allow(*READERS, others=404, kwargs=version),
    "followups:review writing": allow(
        Role.PHYSICIAN, ok=422, method="post", kwargs=version, data=lambda case: {"plan": ""}, **SIGNERS
    ),
    "followups:review_normals": allow(Role.PHYSICIAN, kwargs=completed, **SIGNERS),
    "followups:action_done": allow(*WRITERS, kwargs=action, **CLOSED),
    # what an emergency, a drainage or a patient who goes elsewhere leaves behind
    "followups:countersign": allow(Role.PHYSICIAN, Role.DIRECTOR, kwargs=emergency, **COUNTERSIGNERS),
    "followups:countersign writing": allow(
        Role.PHYSICIAN,
        Role.DIRECTOR,
        ok=303,
        method="post",
        kwargs=emergency,
        data=lambda case: {"agrees": "yes"},
        **COUNTERSIGNERS,
    ),
    "followups:later_tests": allow(*READERS, others=404, kwargs=later),
    "followups:later_tests writing": allow(
        Role.PHYSICIAN,
        ok=303,
        method="post",
        kwargs=later,
        **SIGNERS,
        data=lambda case: {"decision": "not_needed", "reason": "Hospice care"},
    ),
    "followups:transfer": allow(*WRITERS, kwargs=lambda case: {"code": offered(case)["code"]}, **CLOSED),
    "followups:transfer_answer": allow(
        *WRITERS,
        ok=303,
        method="post",
        kwargs=offered,
        **CLOSED,
        data=lambda case: {"answer": "phone", "name": "Dr. Haddad", "read_back": "on"},
    ),
    "followups:transfer_print": allow(*READERS, others=404, kwargs=completed),
    # promises: a scheduler's are those of the booking
    "followups:handover": allow(*WORKERS),
    "followups:handover writing": allow(*WORKERS, ok=303, method="post", data=lambda case: {"to": "nobody"}),
    "followups:take": allow(*STAFF, others=404, kwargs=booking),
    "followups:take writing": allow(*STAFF, ok=303, others=404, method="post", kwargs=booking),
    "followups:take clinical": allow(*READERS, others=404, kwargs=clinical),
    "followups:hand_over": allow(*STAFF, others=404, kwargs=booking),
    "followups:hand_over clinical": allow(*READERS, others=404, kwargs=clinical),
    "followups:snooze": allow(*STAFF, others=404, kwargs=booking),
    "followups:snooze clinical": allow(*READERS, others=404, kwargs=clinical),
    "followups:note": allow(*STAFF, others=404, kwargs=booking),
    "followups:note clinical": allow(*READERS, others=404, kwargs=clinical),
    # everything of somebody who leaves
    "followups:hand_over_all": allow(Role.DIRECTOR, Role.ADMINISTRATOR, kwargs=lambda case: {"pk": case.colleague.pk}),
    # the engine
    "followups:engine": allow(Role.DIRECTOR, Role.ADMINISTRATOR),
    "followups:send_again": allow(Role.DIRECTOR, Role.ADMINISTRATOR, ok=303, method="post", kwargs=stopped),
    "followups:dealt_with": allow(Role.DIRECTOR, Role.ADMINISTRATOR, kwargs=stopped),
    "followups:dealt_with told": allow(
        Role.DIRECTOR,
        Role.ADMINISTRATOR,
        ok=303,
        method="post",
        kwargs=stopped,
        data=lambda case: {"reason": "by phone"},
    ),
    "followups:came_back": allow(Role.DIRECTOR, Role.ADMINISTRATOR, ok=303, method="post", kwargs=sent),
    "followups:metrics": public(),  # tests ask from this computer
    "followups:mail": everybody(demo=True),
    "followups:demo_clock": everybody(303, method="post", data=lambda case: {"reset": "1"}, demo=True),
}
