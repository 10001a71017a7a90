"""The last line of a run that had faults in it: how much went through, what came twice, what was lost."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts = [
        value
        for kind in ("passed", "failed")
        for report in terminalreporter.stats.get(kind, [])
        for name, value in getattr(report, "user_properties", [])
        if name == "faults" and report.when == "call"
    ]
    if counts:
        messages, doubled, lost = (sum(column) for column in zip(*counts, strict=True))
        terminalreporter.write_line(
            f"faults: {messages} messages, {doubled} doubled inside the crash window, {lost} lost"
        )
