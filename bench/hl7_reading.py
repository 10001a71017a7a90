"""Reading a result message beside the bare parser ``hl7.parse``: the same messages in the same run, side by side.

The bare parser only takes a message apart, and gets each with the line ends and without the byte-order mark it needs;
``read`` also tells character sets, values, statuses, specimens, people and times, and what is wrong.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

import hl7

from bench import ground
from procedures.interfaces.hl7 import framing, reading
from tests.factories.hl7 import ascites_oru, csf_cell_count, csf_culture, csf_glucose, csf_gram, csf_oru, csf_protein

SAMPLES = Path(__file__).resolve().parent.parent / "tests" / "data" / "hl7"
ZONE = "America/New_York"
TIMES = 200
MANY = 100_000
#: ``read`` may take so many times what the bare parser takes.
MOST_RATIO = 1.5


def main(*, quick: bool = False) -> int:
    times = TIMES // 10 if quick else TIMES
    rows, worst = [], 0.0
    for name, raws in _messages().items():
        ours = _microseconds(lambda raws=raws: [reading.read(raw, zone=ZONE) for raw in raws], times)
        texts = [_prepared(raw) for raw in raws]
        bare = _microseconds(lambda texts=texts: [hl7.parse(text) for text in texts], times)
        worst = max(worst, ours / bare)
        size = sum(map(len, raws))
        rows.append((name, f"{size:,}", f"{ours:,.0f}", f"{bare:,.0f}", f"{ours / bare:.2f}"))
    print(f"{times} times each, median of processor time in microseconds\n")
    print(ground.table(("messages", "bytes", "read", "hl7.parse", "ratio"), rows))
    _large(MANY // 10 if quick else MANY)
    return 1 if worst > MOST_RATIO else 0


def _large(count: int) -> None:
    """One message of very many observations: seconds, and what it adds to the memory of the process."""
    line = "OBX|%d|NM|806-0^White cells^LN||%d|/uL|0-5|H|||F|||20261123083000\r"
    raw = csf_oru().raw() + "".join(line % (number, number) for number in range(count)).encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    found = reading.read(raw, zone=ZONE)
    seconds = time.process_time() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = sum(len(group.observations) for group in found.groups)
    size, more = len(raw) / 1e6, (after - before) / 1024
    print(f"\n{read:,} observations in one message ({size:.1f} MB): {seconds:.1f} s, {more:.0f} MB more")
    began = time.process_time()
    pieces = framing.split(raw * 5)
    print(f"cutting {len(raw) * 5 / 1e6:.0f} MB into {len(pieces)} messages: {time.process_time() - began:.2f} s")


def _messages() -> dict[str, list[bytes]]:
    panel = csf_oru(csf_cell_count(), csf_glucose(), csf_protein(), csf_gram(), csf_culture())
    published = [
        piece.raw
        for path in sorted(SAMPLES.glob("*.hl7"))
        for piece in framing.split(path.read_bytes())
        if piece.is_message
    ]
    return {
        "one cell count of spinal fluid": [csf_oru(csf_cell_count()).raw()],
        "five tests of spinal fluid": [panel.raw()],
        "three tests of ascites": [ascites_oru().raw()],
        f"the {len(published)} published messages": published,
    }


def _prepared(raw: bytes) -> str:
    return raw.decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r").rstrip("\r") + "\r"


def _microseconds(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1e6)
    return ground.median(taken)
