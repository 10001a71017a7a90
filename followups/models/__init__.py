"""The promises, their messages, and the facts of keeping them."""

from __future__ import annotations

from followups.models.contacts import PatientContact
from followups.models.drafts import PatientDraft
from followups.models.followups import FollowUp, FollowUpNote
from followups.models.links import PatientLink
from followups.models.messages import DeliveryAttempt, Message
from followups.models.reviews import Action, Review
from followups.models.symptoms import SymptomAnswer, SymptomCheck, SymptomTriage

__all__ = [
    "Action",
    "DeliveryAttempt",
    "FollowUp",
    "FollowUpNote",
    "Message",
    "PatientContact",
    "PatientDraft",
    "PatientLink",
    "Review",
    "SymptomAnswer",
    "SymptomCheck",
    "SymptomTriage",
]
