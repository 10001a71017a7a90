"""What patients do by themselves: they agree to messages, open a link on their telephone, answer, and write back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clinic import clock
from clinic.actor import Actor
from followups.models import Message, PatientLink
from followups.models.links import LinkPurpose
from followups.models.symptoms import Relation
from followups.services import before, links, messages, symptom_reports, told_by_link
from followups.services import texts as incoming
from followups.simulation.case import Case, Clinic
from followups.simulation.timeline import Story
from procedures.domain import reported
from procedures.domain.patient_content import PatientQuestion
from procedures.domain.reported import Given, Line
from procedures.models import Patient
from procedures.models.consents import ConsentHow
from procedures.services import consents

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: What a patient picks who is well and has nothing to say.
NOTHING = ("none", "no", "not_applicable", "not_pregnant")
LISTED: Mapping[str, tuple[Line, ...]] = {
    "medicines": (Line(name="Metformin", more="500 mg, twice a day"), Line(name="Aspirin", more="81 mg every morning")),
    "allergies": (Line(name="Penicillin", more="a rash, as a child"),),
}
WRONG = 10


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a patient says by the links. ``signs`` and ``words`` at the check ``when``, or at that moment."""

    signs: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    when: str = "day_2"
    at: datetime | None = None
    relation: str = Relation.SELF


def agree(patient: Patient, channels: Iterable[str], by: Actor) -> None:
    """Said at the desk, told that it is not encrypted."""
    for channel in channels:
        consents.record(actor=by, patient=patient, channel=channel, given=True, how=ConsentHow.SPOKEN, warned=True)


# --- before and after the needle ------------------------------------------------------------------


def form(clinic: Clinic, case: Case) -> Story:
    """The form before the visit, answered the day after it came."""
    yield clock.now() + clinic.rng.randrange(18, 26) * HOUR
    row = case.row
    if before.why_not(row):
        return
    link = _form(case)
    links.opened(link, clock.now())
    protocol = row.protocol_version.parsed
    while owed := reported.open_questions(protocol, before.given_of(link)):
        before.keep(link=link, code=owed[0].code, given=_given(owed[0]), now=clock.now())
    before.send(link=link, answered_by="", now=clock.now())


def _given(question: PatientQuestion) -> Given:
    if lines := LISTED.get(question.code):
        return Given(pick=reported.SOME, lines=lines)
    codes = [answer.code for answer in question.answers]
    return Given(pick=next((code for code in NOTHING if code in codes), codes[0]))


def answering(clinic: Clinic, case: Case, said: Answers) -> Story:
    """Each check by its link, a while after it came; signs and words at one of them."""
    yield clock.now() + 2 * HOUR
    while due := case.checks_due():
        code, start = due[0]
        chosen = code == said.when
        moment = max(start, clock.now()) + clinic.rng.randrange(70, 170) * MINUTE
        if said.at is not None:
            # the last check that has come by then
            chosen = start <= said.at and all(later > said.at for _, later in due[1:])
            moment = max(moment, said.at) if chosen else moment
        yield moment
        if code not in {check for check, _ in case.checks_due()}:
            return
        _answer(case, code, said, signs=chosen)


def _answer(case: Case, check: str, said: Answers, *, signs: bool) -> None:
    link, given = _link(case, LinkPurpose.SYMPTOMS, check), said.signs if signs else {}
    protocol = case.row.protocol_version.parsed
    links.opened(link, clock.now())
    symptom_reports.begin(link=link, relation=said.relation, now=clock.now())
    data = symptom_reports.check_of(protocol, link)
    answers: dict[str, str] = {}
    while question := symptom_reports.next_question(protocol, data, answers):
        answers[question.code] = given.get(question.code, question.answers[0].code)
        symptom_reports.answer(link=link, question=question.code, answer=answers[question.code], now=clock.now())
    symptom_reports.finish(link=link, words=said.words if signs else "", now=clock.now())


def _link(case: Case, purpose: str, about: str) -> PatientLink:
    """The one of the newest message; another one where the last was used."""
    rows = PatientLink.objects.filter(procedure_id=case.pk, purpose=purpose, about=about)
    for link in rows.select_related("procedure__patient", "procedure__protocol_version").order_by("-pk"):
        if links.is_open(link, clock.now()):
            return link
    return links.issue(procedure=case.row, purpose=purpose, about=about)


# --- results, and what goes wrong -----------------------------------------------------------------


def send_results(case: Case) -> None:
    """Told by a message with a link, which nobody has read yet."""
    told_by_link.send(procedure=case.row, actor=case.clinic.cast.actor("nora"))


def wrong_birth_dates(case: Case, at: datetime) -> Story:
    """Somebody else has the telephone: the link to the form is locked."""
    yield at
    link = _form(case)
    for _ in range(WRONG):
        link = links.wrong_birth_date(link, clock.now())


def _form(case: Case) -> PatientLink:
    row = case.row
    return before.current(row, clock.now()) or before.offer(actor=case.clinic.cast.actor("nora"), procedure=row)


def does_not_arrive(case: Case, at: datetime) -> Story:
    """The provider took the last text and reports later that the telephone does not exist."""
    yield at
    sent = Message.objects.filter(follow_up__procedure_id=case.pk, channel="sms", state="sent").order_by("-pk").first()
    if sent is not None:
        messages.reported(message=sent, report="undelivered", delivered=False, failed=True)


def writes_back(case: Case, at: datetime, words: str) -> Story:
    """A text from the patient's telephone that is no command."""
    yield at
    number = str(case.row.patient.phone.as_e164)
    incoming.receive(provider_id=f"demonstration-{case.pk}", number=number, body=words)
