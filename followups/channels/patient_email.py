"""E-mail to patients: the same server as the staff's, with a queue of its own."""

from __future__ import annotations

from followups.channels.email import EmailChannel

CHANNEL = EmailChannel("patient_email")
