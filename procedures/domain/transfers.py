"""Why a case's pending list is handed on, and what became of the offer. Pure."""

from __future__ import annotations

from enum import StrEnum

from procedures.domain.states import Disposition


class TransferWhy(StrEnum):
    """The names of :class:`procedures.domain.protocol.TransferHours`."""

    WARD = "ward"
    ADMITTED = "admitted"
    EMERGENCY_DEPARTMENT = "emergency_department"
    DISCHARGE = "discharge"
    RESPONSIBLE = "responsible"


class TransferAnswer(StrEnum):
    """Empty: nobody has answered yet."""

    OPEN = ""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


#: Where somebody else looks after the patient from the end of the procedure on.
ELSEWHERE = {
    Disposition.WARD: TransferWhy.WARD,
    Disposition.ADMITTED: TransferWhy.ADMITTED,
    Disposition.EMERGENCY_DEPARTMENT: TransferWhy.EMERGENCY_DEPARTMENT,
}
