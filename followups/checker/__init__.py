"""Is anything lost? A second reading of the stored rows that shares no code with what wrote them.

It reads tables by SQL of its own, the published protocols' JSON, ``escalation.toml`` and its own ``rules.toml``, and
writes nothing. An import contract holds it apart: were it to ask the planner what is owed, both would be wrong
together.
"""

from __future__ import annotations

from followups.checker.check import check, snapshot
from followups.checker.report import Complaint, Delivered, Report

__all__ = ["Complaint", "Delivered", "Report", "check", "snapshot"]
