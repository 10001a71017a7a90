"""What both apps stand on: people, places, cover, audit, engine."""

from __future__ import annotations

from clinic.models.audit import AuditEntry, AuditSeal
from clinic.models.cover import Absence, OnCall
from clinic.models.engine import DemoClock, Heartbeat, PeriodicRun
from clinic.models.places import ClinicHours, Closure, OperatorSession, Room
from clinic.models.users import User

__all__ = [
    "Absence",
    "AuditEntry",
    "AuditSeal",
    "ClinicHours",
    "Closure",
    "DemoClock",
    "Heartbeat",
    "OnCall",
    "OperatorSession",
    "PeriodicRun",
    "Room",
    "User",
]
