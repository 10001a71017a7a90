"""The closing table of a year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from django.db.models import Count

from followups.models import FollowUp, Message
from followups.simulation import digest
from followups.simulation.year import Year
from procedures.models import InboundMessage, Procedure

#: From one acceptance to the copy after a worker was lost: its lease and the first pause; two looks come to it.
WINDOW = timedelta(minutes=5)
#: Kinds of refusals that are shown, the most frequent first.
REFUSALS = 20


def lines(year: Year) -> Iterator[str]:
    """For people, one figure a line."""
    for title, figures in _groups(year):
        yield f"{title}"
        yield from (f"  {name:<34}{figures[name]:>9}" for name in figures)
    if year.world.refused:
        yield "steps that the product refused"
        yield from (f"  {count:>5}  {what}" for what, count in year.world.refused.most_common(REFUSALS))
    for report in year.reports[-1:]:
        yield "the checker, at the end"
        yield from (f"  {line}" for line in report.lines())
    bad = [report for report in year.reports[:-1] if not report.content]
    for report in bad[:1]:
        yield "the checker, on the way"
        yield from (f"  {line}" for line in report.lines())
    for fault in year.failed:
        yield f"FAILED {fault.name} at {fault.at:%Y-%m-%d %H:%M}: {fault.failed}"
    yield from (f"FAILED a promise about nothing: {what}" for what in year.world.baseless)
    for table, found in digest.by_table().items():
        yield f"  {table:<34}{found:>14}"
    number, lived = Procedure.objects.count(), year.world.time.now - year.world.time.begin
    yield f"digest {digest.of_rows()[:16]}, seed {year.wanted.seed}"
    yield (
        f"{number} procedures, {round(lived / timedelta(days=1))} of {year.wanted.days} days in {year.seconds:.0f} s "
        f"({year.cpu:.0f} s of CPU): "
        f"{number / year.seconds:.1f} procedures/s"
    )
    yield "content" if year.content else "NOT CONTENT"


def _groups(year: Year) -> Iterator[tuple[str, dict[str, int]]]:
    yield (
        "procedures",
        _by(Procedure.objects.values_list("status"))
        | {"closed": Procedure.objects.filter(closed_at__isnull=False).count()},
    )
    yield (
        "promises",
        _by(FollowUp.objects.filter(closed_at__isnull=False).values_list("closed_because"))
        | {
            "open": FollowUp.objects.filter(closed_at__isnull=True).count(),
            "escalated to another role": FollowUp.objects.exclude(escalated_role="").count(),
        },
    )
    yield "messages", _by(Message.objects.values_list("state")) | {"accepted by a provider": len(year.accepted)}
    yield "laboratories' messages", _by(InboundMessage.objects.values_list("state"))
    yield "the engine", dict(sorted(year.world.time.figures.items()))
    injected = Counter(fault.name for fault in year.injected)
    yield "faults", {**dict(sorted(injected.items())), "doubled inside the crash window": len(doubled(year))}


def doubled(year: Year) -> list[str]:
    """Keys that a provider took twice, a copy soon after the one before."""
    by_key: dict[str, list[float]] = {}
    for row in year.accepted:
        by_key.setdefault(row.key, []).append(row.at.timestamp())
    return [
        key
        for key, times in sorted(by_key.items())
        for earlier, later in pairwise(sorted(times))
        if later - earlier <= (WINDOW + 2 * year.wanted.look).total_seconds()
    ]


def _by(rows: object) -> dict[str, int]:
    return dict(rows.annotate(n=Count("pk")).order_by("-n"))  # type: ignore[attr-defined]
