"""Every page of the product as somebody would open it: with something on it, in each form that it has.

An address that names something stands here with what it names in the full clinic; any other is opened as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.urls import NoReverseMatch, reverse

from clinic import clock
from clinic.roles import CLINICAL, Role
from followups.models import Message, TextMessage
from tests.factories.full import Full
from tests.views.role_matrix import MATRIX

Paths = Callable[[Full], list[str]]

#: Answer a POST alone.
POST_ONLY = {
    "accept_cover",
    "account_resend",
    "followups:demo_clock",
    "followups:came_back",
    "followups:send_again",
    "followups:tell_link",
    "followups:transfer_answer",
    "procedures:clearance_seen",
    "procedures:code_add",
    "procedures:code_remove",
    "procedures:inbound_again",
    "procedures:inbound_close",
    "procedures:patient_encounter",
    "procedures:record_hint",
    "procedures:replay_waiting",
    "procedures:test_add",
    "procedures:unmatched_attach",
    "procedures:unmatched_look",
    "procedures:unmatched_reject",
    "user_reactivate",
    "user_reset_password",
    "user_unlock",
}
#: Lead elsewhere, or say something to a machine.
NO_PAGE = {
    "followups:critical_strip",
    "followups:indicators_file",
    "followups:open_items_file",
    "followups:overrides_file",
    "home",
    "procedures:checklist_save",
    "procedures:inbound_document",
    "procedures:record_note",
    "followups:sms_inbound",
    "followups:sms_report",
    "healthz",
    "readyz",
    "healthz_engine",
    "followups:metrics",
}
#: Behind a patient's link: opened in test_patient_link_pages.py and in tests/browser/test_patient_stories.py.
PATIENT = {
    "followups:patient_gate",
    "followups:patient_symptoms",
    "followups:patient_question",
    "followups:patient_now",
    "followups:patient_last",
    "followups:patient_done",
}
#: Lead to names of the log-in package that this product does not use.
ABSENT = {"account_signup", "account_email", "account_reset_password", "account_set_password"}


def pages(name: str, *cases: str) -> Paths:
    """The same address for several cases."""
    return lambda full: [full.url(name, case=case) for case in cases or ("rich",)]


def one(name: str, *args: Callable[[Full], object], case: str = "rich") -> Paths:
    """An address with more in it than the case's code."""
    return lambda full: [full.url(name, *(arg(full) for arg in args), case=case)]


def by_number(name: str, number: Callable[[Full], object]) -> Paths:
    return lambda full: [reverse(name, args=[number(full)])]


def hold(full: Full) -> object:
    return full.rich.holds.get().pk


def tube(full: Full) -> object:
    return full.rich.specimens.filter(loss="").earliest("pk").pk


def text(full: Full) -> object:
    """Words that somebody has sent."""
    about = {"number": "+12025550177", "body": "hello", "meaning": "words", "received_at": clock.now()}
    about |= {"patient": full.rich.patient, "procedure": full.rich}
    return TextMessage.objects.get_or_create(provider_id="SM1", defaults=about)[0].pk


def places(name: str) -> Paths:
    kinds = ("rooms", "hours", "closures", "sessions", "on-call")
    return lambda full: [reverse(name, args=[kind, full.places[kind].pk]) for kind in kinds]


def lists(name: str, *queries: str) -> Paths:
    return lambda full: [reverse(name) + query for query in ("", *queries)]


def series(name: str) -> Paths:
    """The series that goes on."""
    return lambda full: [reverse(name, args=[full.series[0].code])]


def booking(name: str) -> Paths:
    """A promise that a scheduler sees as well."""
    return by_number(name, lambda full: full.promise("book_request", case="requested"))


NAMED: dict[str, Paths] = {
    # clinic
    "user_edit": by_number("user_edit", lambda full: full.cast.nora.pk),
    "user_deactivate": by_number("user_deactivate", lambda full: full.cast.nora.pk),
    "on_call": lists("on_call", "?from=2026-11-23"),
    "followups:hand_over_all": lambda full: [
        reverse("followups:hand_over_all", args=[person.pk]) for person in (full.cast.pia, full.cast.nora)
    ],
    "audit": lists("audit", "?patient=1"),
    "place_add": lambda full: [
        reverse("place_add", args=[kind]) for kind in ("rooms", "hours", "closures", "sessions", "on-call")
    ],
    "place_edit": places("place_edit"),
    "place_remove": lambda full: places("place_remove")(full)[1:],  # a room stays
    "followups:text": by_number("followups:text", text),
    # the engine
    "followups:dealt_with": by_number(
        "followups:dealt_with", lambda full: Message.objects.filter(state="failed")[0].pk
    ),
    # patients and bookings
    "procedures:patient": by_number("procedures:patient", lambda full: full.patient.pk),
    "procedures:patient_edit": by_number("procedures:patient_edit", lambda full: full.patient.pk),
    "procedures:consents": by_number("procedures:consents", lambda full: full.patient.pk),
    "procedures:patient_deceased": lambda full: [
        reverse("procedures:patient_deceased", args=[patient.pk])
        for patient in (full.patient, full.case("no_show").patient)
    ],
    "procedures:request": by_number("procedures:request", lambda full: full.patient.pk),
    "procedures:schedule": pages("procedures:schedule", "requested", "coming"),
    "procedures:unschedule": pages("procedures:unschedule", "coming"),
    "procedures:cancel": pages("procedures:cancel", "coming"),
    "procedures:no_show": pages("procedures:no_show", "coming"),
    "procedures:reopen": pages("procedures:reopen", "cancelled"),
    "procedures:arrive": pages("procedures:arrive", "coming"),
    "procedures:undo_arrival": pages("procedures:undo_arrival", "arrived"),
    "procedures:entered_in_error": pages("procedures:entered_in_error", "coming"),
    "procedures:start": pages("procedures:start", "coming", "arrived"),
    "procedures:emergency": pages("procedures:emergency", "coming", "arrived"),
    "procedures:abandon_start": pages("procedures:abandon_start", "running"),
    "procedures:complete": pages("procedures:complete", "running"),
    "procedures:continue": pages("procedures:continue"),
    "procedures:series_list": lists("procedures:series_list"),
    "procedures:series_new": lambda full: [
        reverse("procedures:series_new", args=[full.patient.pk]),
        reverse("procedures:series_new", args=[full.case("arrived").patient_id]) + f"?case={full.case('arrived').code}",
    ],
    "procedures:series": lambda full: [reverse("procedures:series", args=[row.code]) for row in full.series],
    "procedures:series_book": series("procedures:series_book"),
    "procedures:series_change": lambda full: [
        reverse("procedures:series_change", args=[full.series[0].code]),
        reverse("procedures:series_change", args=[full.series[0].code]) + f"?of={full.case('coming').code}",
    ],
    "procedures:series_end": series("procedures:series_end"),
    "procedures:series_resume": lambda full: [reverse("procedures:series_resume", args=[full.series[1].code])],
    "procedures:series_gap": lambda full: [
        reverse("procedures:series_gap", args=[full.series[0].code, full.case("coming").code])
    ],
    # checklists and held medicines
    "procedures:checklist": lambda full: [
        full.url("procedures:checklist", case=case) + f"?stage={stage}"
        for case, stage in (("coming", "pre_visit"), ("coming", "consent"), ("rich", "sign_in"), ("rich", "sign_out"))
    ],
    "procedures:checklist_reopen": pages("procedures:checklist_reopen", "coming"),
    "procedures:checklist_print": pages("procedures:checklist_print"),
    "procedures:checklist_sign": one("procedures:checklist_sign", lambda full: "pre_visit", case="coming"),
    "procedures:checklist_row_new": lambda full: [
        full.url("procedures:checklist_row_new", kind, case="coming") for kind in ("medicines", "allergies")
    ],
    "procedures:checklist_row": lambda full: [
        full.url("procedures:checklist_row", "medicines", full.medicine, case="coming"),
        full.url("procedures:checklist_row", "allergies", full.allergy, case="coming"),
    ],
    "procedures:checklist_row_withdraw": one(
        "procedures:checklist_row_withdraw", lambda full: "medicines", lambda full: full.medicine, case="coming"
    ),
    "procedures:holds": pages("procedures:holds", "rich", "coming", "requested"),
    "procedures:hold_restart": one("procedures:hold_restart", hold),
    "procedures:hold_told": one("procedures:hold_told", hold),
    "procedures:hold_plan": one("procedures:hold_plan", lambda full: full.case("coming").holds.get().pk, case="coming"),
    "procedures:clearance": pages("procedures:clearance", "coming", "rich", "stopped"),
    "procedures:clearance_sign": one("procedures:clearance_sign", lambda full: full.clearance, case="stopped"),
    "procedures:hold_due": one("procedures:hold_due", hold),
    "procedures:hold_withdraw": one(
        "procedures:hold_withdraw", lambda full: full.case("coming").holds.get().pk, case="coming"
    ),
    # record, tests, tubes, results
    "procedures:record": pages("procedures:record", "rich", "running"),
    "procedures:record_sign": pages("procedures:record_sign"),
    "procedures:record_amend": pages("procedures:record_amend"),
    "procedures:tests": pages("procedures:tests", "rich", "requested"),
    "procedures:specimens": pages("procedures:specimens", "rich", "running"),
    "procedures:labels": pages("procedures:labels"),
    "procedures:test_cancel": one("procedures:test_cancel", lambda full: full.test("ascites_culture")),
    "procedures:test_recollect": one("procedures:test_recollect", lambda full: full.test("ascites_cytology")),
    "procedures:specimen_hand_over": one(
        "procedures:specimen_hand_over", lambda full: full.on_the_way.pk, case="running"
    ),
    "procedures:specimen_receive": one("procedures:specimen_receive", lambda full: full.on_the_way.pk, case="running"),
    "procedures:specimen_loss": one("procedures:specimen_loss", tube),
    "procedures:results": lambda full: [
        full.url("procedures:results", full.test(code)) for code in ("ascites_cell_count", "ascites_cytology")
    ],
    "procedures:result_new": lambda full: [
        full.url("procedures:result_new", full.test(code)) for code in ("ascites_cell_count", "ascites_culture")
    ],
    "procedures:result_read_back": one("procedures:result_read_back", lambda full: full.test("ascites_cell_count")),
    "procedures:laboratory_courier": by_number(
        "procedures:laboratory_courier", lambda full: full.places["laboratory"].pk
    ),
    "procedures:result_withdraw": one("procedures:result_withdraw", lambda full: full.test("ascites_protein")),
    # what laboratories sent
    "procedures:unmatched_message": lambda full: [
        reverse("procedures:unmatched_message", args=[full.waiting]),
        reverse("procedures:unmatched_message", args=[full.waiting]) + f"?case={full.codes['running']}",
    ],
    "procedures:inbound_message": by_number("procedures:inbound_message", lambda full: full.waiting),
    "procedures:inbound_undo": by_number("procedures:inbound_undo", lambda full: full.placed),
    "procedures:taken_back": by_number("procedures:taken_back", lambda full: full.taken_back),
    "procedures:laboratory": by_number("procedures:laboratory", lambda full: full.places["laboratory"].pk),
    "procedures:laboratory_edit": by_number("procedures:laboratory_edit", lambda full: full.places["laboratory"].pk),
    # the case, reading and telling, promises
    "followups:case": pages(
        "followups:case", "rich", "coming", "requested", "arrived", "running", "cancelled", "no_show"
    ),
    "followups:case_summary": pages("followups:case_summary"),
    "followups:leaflet": lambda full: [
        full.url("followups:leaflet", which, case=case) for which, case in (("before", "coming"), ("after", "rich"))
    ],
    "followups:before_form": pages("followups:before_form", "coming"),
    "followups:tell": pages("followups:tell", "rich", "no_show"),
    "followups:tell_letter": pages("followups:tell_letter", "rich"),
    "followups:symptoms": one("followups:symptoms", lambda full: "day_2"),
    "followups:report": one("followups:report", lambda full: full.rich.symptom_checks.earliest("pk").pk),
    "followups:review": lambda full: [
        reverse("followups:review", args=[full.version(code)])
        for code in ("ascites_cell_count", "serum_albumin", "ascites_culture")
    ],
    "followups:review_normals": pages("followups:review_normals"),
    "followups:countersign": pages("followups:countersign", "running"),
    "followups:later_tests": one("followups:later_tests", lambda full: "bloods_after_drainage"),
    "followups:transfer": pages("followups:transfer", "rich", "running"),
    "followups:transfer_print": pages("followups:transfer_print", "rich", "running"),
    "followups:action_done": by_number("followups:action_done", lambda full: full.action),
    "followups:take": booking("followups:take"),
    "followups:hand_over": booking("followups:hand_over"),
    "followups:snooze": booking("followups:snooze"),
    "followups:note": booking("followups:note"),
    # worklists
    "followups:board": lists("followups:board", "?day=2026-11-19", "?day=2026-11-26"),
    "followups:week": lists("followups:week"),
    "followups:checklists": lists("followups:checklists", "?part=owed"),
    "followups:inbox": lists("followups:inbox", "?of=all", "?of=covered"),
    "followups:chase": lists("followups:chase", "?of=role"),
    "followups:loop": lists("followups:loop", "?show=open"),
    "followups:indicators": lists("followups:indicators", "?first=2026-11-17&last=2026-11-17"),
    "followups:overrides": lists("followups:overrides", "?days=90"),
    "followups:open_items": lists("followups:open_items", "?show=all"),
}
#: More of the same for those who see charts: a promise that was taken, one that was put off.
CLINICAL_TOO: dict[str, Paths] = {
    "followups:take": by_number("followups:take", lambda full: full.promise("symptom_check")),
    "followups:hand_over": by_number("followups:hand_over", lambda full: full.promise("symptom_check")),
    "followups:snooze": by_number("followups:snooze", lambda full: full.promise("awaited_result")),
    "followups:note": by_number("followups:note", lambda full: full.promise("symptom_check")),
}


#: What everybody has of their own.
OWN: dict[str, Callable[[Full, Role], list[str]]] = {
    "absence_edit": lambda full, role: [reverse("absence_edit", args=[full.away[role]])],
    "absence_cancel": lambda full, role: [reverse("absence_cancel", args=[full.away[role]])],
    "decline_cover": lambda full, role: [reverse("decline_cover", args=[full.asked[role]])],
    "pass_on_cover": lambda full, role: [reverse("pass_on_cover", args=[full.asked[role]])],
}


def names() -> list[str]:
    """Every address of the table that has a page of its own."""
    known = {name.split(" ")[0] for name in MATRIX}
    return sorted(known - POST_ONLY - NO_PAGE - ABSENT - PATIENT)


def paths(name: str, full: Full) -> list[str]:
    """Where an address is opened. Raises LookupError for one that names something and does not stand here."""
    if name in NAMED:
        return NAMED[name](full)
    try:
        return [reverse(name)]
    except NoReverseMatch:
        raise LookupError(f"{name}: add it to tests/views/visits.py with what it names") from None


def may_see(name: str, role: Role) -> bool:
    """Whether the table gives the page to this role."""
    return any(row.expect[str(role)] in (200, 303, 422) for key, row in MATRIX.items() if key.split(" ")[0] == name)


def of_role(role: Role, full: Full) -> Iterator[tuple[str, str]]:
    """Name and path of every page that somebody of this role may open."""
    for name in names():
        if may_see(name, role):
            more = CLINICAL_TOO.get(name) if role in CLINICAL else None
            own = OWN[name](full, role) if name in OWN else paths(name, full)
            for path in [*own, *(more(full) if more else [])]:
                yield name, path
