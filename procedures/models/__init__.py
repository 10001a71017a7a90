"""The facts of care."""

from __future__ import annotations

from procedures.models.checklists import AllergyEntry, Answer, Checklist, ChecklistDraft, MedicineEntry, StageSignature
from procedures.models.consents import Consent
from procedures.models.countersignatures import Countersignature
from procedures.models.holds import Hold
from procedures.models.inbound import CodeMapping, InboundItem, InboundMessage, TakenBack
from procedures.models.laboratories import Laboratory
from procedures.models.labs import LabTest, Specimen
from procedures.models.later_tests import LaterDecision
from procedures.models.people import Patient, PatientIdentifier
from procedures.models.procedures import Procedure
from procedures.models.protocols import Protocol, ProtocolVersion
from procedures.models.read_backs import CriticalReadBack
from procedures.models.records import ProcedureRecord
from procedures.models.reports import PatientReport
from procedures.models.results import ResultVersion
from procedures.models.rulesets import RuleSetVersion
from procedures.models.safety import ClearanceDecision, ClearanceSignature, FindingsSeen, SafetyRun
from procedures.models.series import Series
from procedures.models.transfers import Transfer

__all__ = [
    "AllergyEntry",
    "Answer",
    "Checklist",
    "ChecklistDraft",
    "ClearanceDecision",
    "ClearanceSignature",
    "CodeMapping",
    "Consent",
    "Countersignature",
    "CriticalReadBack",
    "FindingsSeen",
    "Hold",
    "InboundItem",
    "InboundMessage",
    "LabTest",
    "Laboratory",
    "LaterDecision",
    "MedicineEntry",
    "Patient",
    "PatientIdentifier",
    "PatientReport",
    "Procedure",
    "ProcedureRecord",
    "Protocol",
    "ProtocolVersion",
    "ResultVersion",
    "RuleSetVersion",
    "SafetyRun",
    "Series",
    "Specimen",
    "StageSignature",
    "TakenBack",
    "Transfer",
]
