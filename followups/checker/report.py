"""What the checker says: what it looked at, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: Of one assertion; the others are counted.
SHOWN = 10


@dataclass(frozen=True, order=True)
class Complaint:
    """One thing that is wrong: ``code`` names the assertion, ``words`` name nobody."""

    code: str
    subject: str
    id: int | str
    words: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.subject} {self.id}" + (f": {self.words}" if self.words else "")


@dataclass(frozen=True)
class Delivered:
    """A message that a provider has accepted: by its key, and when."""

    key: str
    at: datetime


@dataclass
class Report:
    """``looked``: by assertion, how many things it was asked about. ``figures``: counts that are no complaint."""

    at: datetime
    looked: dict[str, int] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def content(self) -> bool:
        return not self.complaints

    @property
    def codes(self) -> set[str]:
        return {complaint.code for complaint in self.complaints}

    @property
    def idle(self) -> list[str]:
        """Assertions that had nothing to look at: they prove nothing."""
        return sorted(code for code, count in self.looked.items() if not count)

    def asked(self, code: str, looked: int, wrong: Iterable[Complaint] = ()) -> None:
        """One assertion was made about so many things."""
        self.looked[code] = self.looked.get(code, 0) + looked
        self.complaints += wrong

    def by_code(self) -> dict[str, int]:
        found = dict.fromkeys(self.looked, 0)
        for complaint in self.complaints:
            found[complaint.code] = found.get(complaint.code, 0) + 1
        return found

    def data(self) -> dict[str, Any]:
        """For machines."""
        wrong = self.by_code()
        return {
            "at": self.at.isoformat(),
            "content": self.content,
            "seconds": round(self.seconds, 3),
            "looked_at": sum(self.looked.values()),
            "assertions": {
                code: {"looked_at": self.looked.get(code, 0), "complaints": count}
                for code, count in sorted(wrong.items())
            },
            "nothing_to_look_at": self.idle,
            "figures": self.figures,
            "complaints": [vars(complaint) for complaint in sorted(self.complaints, key=str)],
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        for code, count in sorted(self.by_code().items()):
            looked = self.looked.get(code, 0)
            said = f"{looked} looked at" if looked else "nothing to look at"
            yield f"{code:<34}{said:<24}{f'{count} wrong' if count else 'ok' if looked else ''}".rstrip()
            shown = [complaint for complaint in sorted(self.complaints, key=str) if complaint.code == code]
            yield from (f"    {complaint}" for complaint in shown[:SHOWN])
            if count > SHOWN:
                yield f"    … and {count - SHOWN} more"
        for name, figure in sorted(self.figures.items()):
            yield f"{name:<34}{figure}"
        state = "content" if self.content else f"{len(self.complaints)} complaints"
        yield f"{state}: {sum(self.looked.values())} things looked at in {self.seconds:.2f} s"
