"""The model cases that ``bench.fill`` copies: plain rows, as the services leave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinic.actor import Actor
from clinic.models import Room, User
from followups import models as f
from followups.domain.kinds import Closed, Kind
from procedures import models as p
from procedures.domain.lab_content import Test
from procedures.selectors import checklists
from procedures.services import protocols

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Maker:
    """Makes the cases of one room and day. ``made``: all of them, in order."""

    people: dict[str, list[User]]
    room: Room
    made: list[p.Procedure] = field(default_factory=list)

    # --- days ------------------------------------------------------------------------------
    def closed_day(self, start: datetime) -> None:
        """Four taps of two patients, two lumbar punctures, a cancellation and a no-show that was cancelled."""
        at = start
        for patient in [self.patient(), self.patient()] * 2:
            self.finished("paracentesis", at, patient)
            at += HOUR
        for _ in range(2):
            self.finished("lumbar_puncture", at, self.patient())
            at += 1.5 * HOUR
        self.cancelled("paracentesis", start)
        self.cancelled("lumbar_puncture", start)

    def recent_day(self, start: datetime) -> None:
        """Needle done, something still owed: results awaited, to be read, to be told; a specimen lost; signs to ask;
        a message that could not be placed, and a text that nobody has read.
        """
        self.done("paracentesis", start, results="none")
        self.done("paracentesis", start + HOUR, results="normal")
        self.done("paracentesis", start + 2 * HOUR, results="critical")
        self.done("paracentesis", start + 3 * HOUR, results="read")
        self.done("lumbar_puncture", start + 4 * HOUR, results="normal")
        self.done("lumbar_puncture", start + 5.5 * HOUR, results="none", received=False)
        self.done("lumbar_puncture", start + 7 * HOUR, results="read", signed=False)
        self.message(None, start + HOUR)
        self.text(self.made[-1], start + 2 * HOUR, read=False)

    def booked_day(self, start: datetime) -> None:
        """Seven bookings: checklists not begun, begun, complete."""
        for number in range(5):
            case = self.case("paracentesis", start + number * HOUR, self.patient(), status="scheduled")
            if number:
                self.checklist(case, start - DAY, share=number / 4)
        for number in range(2):
            case = self.case("lumbar_puncture", start + (5 + 1.5 * number) * HOUR, self.patient(), status="scheduled")
            self.checklist(case, start - DAY, share=number)

    def requests(self, start: datetime) -> None:
        for code, urgency in (("paracentesis", "elective"), ("lumbar_puncture", "urgent")):
            self.case(code, None, self.patient(), status="requested", requested_at=start - DAY, urgency=urgency)

    # --- cases -----------------------------------------------------------------------------
    def patient(self) -> p.Patient:
        row = p.Patient.objects.create(
            given_name="Model", family_name="Case", birth_date=date(1961, 3, 9), phone="+12025550123", search_text="X"
        )
        p.PatientIdentifier.objects.create(patient=row, authority="CLINIC", value=f"M{row.pk:07d}")
        return row

    def case(self, code: str, start: datetime | None, patient: p.Patient, **extra: Any) -> p.Procedure:
        version, _ = protocols.publish(
            data=protocols.read_translated(protocols.PROTOCOL_DIR / f"{code}.toml"),
            name=code,
            actor=Actor.system("bench"),
        )
        indication = version.parsed.indications[0]
        form = version.parsed.variant("diagnostic" if code == "paracentesis" else indication.variant)
        columns: dict[str, Any] = {}
        if start:
            columns = {
                "stay": DateTimeTZRange(start, start + timedelta(minutes=form.stay_minutes)),
                "room_time": DateTimeTZRange(start, start + timedelta(minutes=form.room_minutes)),
                "operator_time": DateTimeTZRange(start, start + timedelta(minutes=form.operator_minutes)),
                "room": self.room,
                "operator": self.people["physicians"][0],
                "scheduled_at": start - 3 * DAY,
                "requested_at": start - 4 * DAY,
            }
        row = p.Procedure.objects.create(
            patient=patient,
            protocol_version=version,
            indication=indication.code,
            variant=form.code,
            responsible=self.people["physicians"][0],
            **(columns | extra),
        )
        for test in self.panel(row):
            _order(row, test)
        self.made.append(row)
        return row

    def panel(self, case: p.Procedure) -> list[Test]:
        data = case.protocol_version.parsed
        codes = data.panel(data.indication(case.indication).panel).tests
        return [test for test in data.tests if test.code in codes]

    def cancelled(self, code: str, start: datetime) -> None:
        """Asked for, given up, and the patient told."""
        case = self.case(
            code,
            None,
            self.patient(),
            status="cancelled",
            requested_at=start - 4 * DAY,
            ended_at=start,
            end_reason="no longer indicated",
        )
        case.tests.update(status="cancelled", ended_reason="case cancelled", ended_at=start)
        self.contact(case, start + HOUR, purpose="cancellation", versions=[])

    def finished(self, code: str, start: datetime, patient: p.Patient) -> None:
        """From the slot to the patient who has been told: nothing is owed."""
        case = self.done(code, start, patient=patient, results="read")
        versions = list(p.ResultVersion.objects.filter(test__procedure=case).values_list("pk", flat=True))
        self.contact(case, start + 15 * DAY, purpose="results", versions=versions)
        self.message(case, start + 2 * DAY)
        self.text(case, start + DAY, read=True)
        nurse = self.people["nurses"][0]
        for check in case.protocol_version.parsed.symptom_checks:
            row = f.SymptomCheck.objects.create(
                procedure=case,
                check_code=check.code,
                outcome="answered",
                answered_by="patient",
                at=start + timedelta(hours=check.after_hours + 1),
                by=nurse,
            )
            f.SymptomAnswer.objects.bulk_create(
                f.SymptomAnswer(check_row=row, question=code, answer="no", protocol_version=case.protocol_version)
                for code in check.questions
            )

    def done(
        self,
        code: str,
        start: datetime,
        *,
        results: str,
        patient: p.Patient | None = None,
        received: bool = True,
        signed: bool = True,
    ) -> p.Procedure:
        """A needle that went well. ``results``: none, normal, critical (not read yet), or read."""
        case = self.case(
            code,
            start,
            patient or self.patient(),
            status="completed",
            arrived_at=start - HOUR / 4,
            started_at=start,
            completed_at=start + HOUR / 2,
            outcome="done",
            disposition="home",
        )
        self.checklist(case, start - HOUR / 2, share=1, sign=True)
        if signed:
            self.record(case, start)
        specimens = {c: self.specimen(case, c, start, received) for c in {t.container for t in self.panel(case)}}
        status = "received" if received else "collected"
        for test in case.tests.all():
            p.LabTest.objects.filter(pk=test.pk).update(
                status=status,
                specimen=specimens[test.container],
                collected_at=start,
                received_at=start + HOUR if received else None,
            )
        if results != "none":
            self.results(case, start, results)
        return case

    # --- their facts -----------------------------------------------------------------------
    def checklist(self, case: p.Procedure, at: datetime, *, share: float, sign: bool = False) -> None:
        """The first ``share`` of the questions answered; with ``sign`` every stage signed."""
        nurse = self.people["nurses"][0]
        opened = p.Checklist.objects.create(procedure=case, opened_at=at, opened_by=nurse)
        questions = case.protocol_version.parsed.questions
        for question in questions[: round(len(questions) * share)]:
            p.Answer.objects.create(
                checklist=opened, question=question.code, state="unknown", answered_at=at, answered_by=nurse
            )
        p.MedicineEntry.objects.create(
            checklist=opened, name="spironolactone", status="ongoing", recorded_at=at, recorded_by=nurse
        )
        p.AllergyEntry.objects.create(
            checklist=opened, substance="penicillin", severity="reaction", recorded_at=at, recorded_by=nurse
        )
        if sign:
            for stage in checklists.state_of(case, at).stages:
                p.StageSignature.objects.create(
                    checklist=opened, stage=stage.stage.code, signed_at=at, signed_by=nurse, digest=stage.digest
                )

    def record(self, case: p.Procedure, start: datetime) -> None:
        physician = self.people["physicians"][0]
        p.ProcedureRecord.objects.create(
            procedure=case,
            started_at=start,
            ended_at=start + HOUR / 2,
            operator=physician,
            no_complications=True,
            saved_at=start + HOUR,
            saved_by=physician,
            signed_at=start + HOUR,
            signed_by=physician,
        )

    def specimen(self, case: p.Procedure, container: str, at: datetime, received: bool) -> p.Specimen:
        return p.Specimen.objects.create(
            procedure=case,
            container=container,
            label_checked=True,
            collected_at=at,
            collected_by=self.people["nurses"][0],
            receipt_due_at=at + 2 * HOUR,
            received_at=at + HOUR if received else None,
            received_note="laboratory" if received else "",
        )

    def results(self, case: p.Procedure, start: datetime, results: str) -> None:
        """A final version of every test; ``critical`` is the level of the first one alone."""
        for number, test in enumerate(case.tests.order_by("usual_hours", "pk")):
            at = start + timedelta(hours=test.usual_hours)
            level = "critical" if results == "critical" and number == 0 else "normal"
            version = p.ResultVersion.objects.create(
                test=test,
                number=1,
                status="final",
                values=_values(case.protocol_version.parsed.test(test.code)),
                level=level,
                reported_at=at,
                arrived_at=at,
                entered_by=self.people["nurses"][0],
            )
            p.LabTest.objects.filter(pk=test.pk).update(status="final")
            if results == "read":
                f.Review.objects.create(
                    version=version,
                    procedure=case,
                    reviewer=case.responsible,
                    at=at + HOUR,
                    interpretation="normal",
                    plan="none",
                    tell="with_all",
                )

    def contact(self, case: p.Procedure, at: datetime, *, purpose: str, versions: Sequence[int]) -> None:
        f.PatientContact.objects.create(
            procedure=case,
            purpose=purpose,
            channel="phone",
            outcome="reached",
            spoke_with="patient",
            told_versions=list(versions),
            understood=True,
            at=at,
            recorded_at=at,
            by=self.people["nurses"][0],
        )

    def message(self, case: p.Procedure | None, at: datetime) -> None:
        """What the laboratory sent of a case, entered; without a case it waits for a person."""
        number = p.InboundMessage.objects.count()
        row = p.InboundMessage.objects.create(
            source="mllp",
            sender="LAB|BENCH",
            control_id=f"M{number}",
            digest=f"{number:064d}",
            raw=b"MSH|^~\\&|LAB|BENCH|\r" + b"OBX|1|NM|26464-8^Cells^LN||12|/uL|||||F\r" * 8,
            received_at=at,
            state="done" if case else "waiting",
            read_at=at,
        )
        for place, version in enumerate(p.ResultVersion.objects.filter(test__procedure=case) if case else [None, None]):
            p.InboundItem.objects.create(
                message=row,
                place=f"OBR[1]/OBX[{place}]",
                label="Cells",
                state="applied" if version else "waiting",
                reasons=[] if version else ["unknown_code"],
                patient=case.patient if case else None,
                procedure=case,
                test=version.test if version else None,
                version=version,
            )

    def text(self, case: p.Procedure, at: datetime, *, read: bool) -> None:
        seen = {"read_at": at + HOUR, "read_by": self.people["nurses"][0], "done": "Called"} if read else {}
        f.TextMessage.objects.create(
            provider_id=f"SM{case.pk}",
            number="+12025550123",
            body="May I eat before?",
            meaning="words",
            patient=case.patient,
            procedure=case,
            received_at=at,
            **seen,
        )

    def past_promises(self, case: p.Procedure) -> None:
        """What was promised on the way and has been kept, each with a message that was sent."""
        at = case.started_at or case.requested_at
        keys = [(Kind.BOOK_REQUEST, "book")]
        if case.started_at:
            keys += [(Kind.CARRY_OUT, "carry_out"), (Kind.SIGN_RECORD, "record"), (Kind.TELL_PATIENT, "tell:results")]
            keys += [(Kind.REVIEW_RESULT, f"review:{test.pk}") for test in case.tests.all()]
            keys += [(Kind.AWAITED_RESULT, f"awaited:{row.pk}") for row in case.specimens.all()]
            keys += [(Kind.SPECIMEN_NOT_RECEIVED, f"received:{row.pk}") for row in case.specimens.all()]
            keys += [(Kind.SYMPTOM_CHECK, f"symptoms:{row.check_code}") for row in case.symptom_checks.all()]
        for kind, key in keys:
            promise = f.FollowUp.objects.create(
                subject_kind="procedure",
                subject_id=case.pk,
                procedure=case,
                key=key,
                kind=str(kind),
                start_at=at,
                due_at=at + DAY,
                role="nurse",
                responsible=case.responsible,
                opened_at=at,
                closed_at=at + DAY,
                closed_because=str(Closed.KEPT),
            )
            f.Message.objects.create(
                key=f"{promise.pk}:1:0:0:{case.responsible_id}:email",
                follow_up=promise,
                kind=str(kind),
                channel="email",
                recipient=case.responsible,
                state="sent",
                not_before=at,
                created_at=at,
                settled_at=at,
            )


def _order(case: p.Procedure, test: Test) -> None:
    p.LabTest.objects.create(
        procedure=case,
        code=test.code,
        label=test.label,
        loinc=test.loinc,
        container=test.container,
        usual_hours=test.usual_hours,
        outer_hours=test.outer_hours,
        extended=test.extended,
        has_preliminary=test.preliminary,
        ordered_at=case.requested_at,
    )


def _values(test: Test) -> dict[str, Any]:
    return {
        part.code: {"value": 12, "unit": part.units[0] if part.units else "", "text": "12"}
        for part in test.components
        if part.kind == "number"
    }
