"""Results by MLLP: stored, acknowledged and applied, with one listener and one worker, PostgreSQL waiting for its disk.

Beside it, with the same messages on the same machine: ``hl7.parse`` alone, and an INSERT of the raw bytes alone, each
in its own commit. Then the listener's memory while many more messages come:
``python -m bench.inbound --messages 2000 --memory 100000`` names both numbers.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from zoneinfo import ZoneInfo

MESSAGES = 1000
MEMORY_MESSAGES = 10_000
CONNECTIONS = 8
ZONE = "America/New_York"
START_SECONDS = 60
APPLY_SECONDS = 1200
LOOKS = 5


def main(*, quick: bool = False, messages: int = MESSAGES, memory: int = MEMORY_MESSAGES) -> int:
    if quick:
        messages, memory = messages // 10, memory // 10
    raws = cases(messages)
    with processes() as (port, pids):
        began = time.perf_counter()
        waits, seconds = send(port, raws)
        applied, parts = until_applied(len(raws))
        whole = time.perf_counter() - began
        report(raws, waits, seconds, whole, parts)
        held(port, pids, raws[0], memory)
    return 0 if applied else 1


# --- what is sent ------------------------------------------------------------------------------
def cases(count: int) -> list[bytes]:
    """A case after its needle for each message, which has cell count, glucose and protein of it."""
    from django.utils import timezone

    from bench.fill import staff
    from bench.model_cases import Maker
    from clinic.models import Room
    from procedures.models import Laboratory

    Laboratory.objects.create(
        name="Bench", sending_application="BENCH", sending_facility="LAB", zone=ZONE, authorities={"LAB": "CLINIC"}
    )
    maker = Maker(people=staff(), room=Room.objects.create(name="Bench"))
    first = timezone.now() - timedelta(hours=3 * count + 4)
    return [_case(maker, number, first + timedelta(hours=3 * number)) for number in range(count)]


def _case(maker: object, number: int, start: datetime) -> bytes:
    from bench.model_cases import Maker
    from procedures.models import LabTest

    assert isinstance(maker, Maker)
    done = {"arrived_at": start, "started_at": start, "completed_at": start, "outcome": "done", "disposition": "home"}
    case = maker.case("lumbar_puncture", start, maker.patient(), status="completed", **done)
    LabTest.objects.filter(procedure=case).update(status="received", collected_at=start, received_at=start)
    mrn = case.patient.identifiers.get().value
    return message(f"N{number}", mrn, start, start + timedelta(hours=1))


def message(control_id: str, mrn: str, taken: datetime, said: datetime) -> bytes:
    at, then = (when.astimezone(ZoneInfo(ZONE)).strftime("%Y%m%d%H%M%S") for when in (taken, said))
    fluid = "258450006^Cerebrospinal fluid sample^SCT^CSF^Cerebral spinal fluid^HL70487"
    values = (
        ("34563-7", (("806-0", "3", "/uL"), ("26454-9", "12", "/uL"), ("26512-4", "2", "%"))),
        ("2342-4", (("2342-4", "62", "mg/dL"),)),
        ("2880-3", (("2880-3", "38", "mg/dL"),)),
    )
    lines = [
        f"MSH|^~\\&|BENCH|LAB|TRACKER|CLINIC|{then}||ORU^R01^ORU_R01|{control_id}|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||{mrn}^^^LAB^MR||Case^Model||19610309|F",
    ]
    for number, (service, observations) in enumerate(values, start=1):
        lines.append(f"ORC|RE||{control_id}-{number}")
        lines.append(f"OBR|{number}||{control_id}-{number}|{service}^^LN|||{at}|||||||{then}||||||||{then}|||F")
        lines += [
            f"OBX|{place}|NM|{code}^^LN||{value}|{unit}|||||F"
            for place, (code, value, unit) in enumerate(observations, 1)
        ]
        lines.append(f"SPM|1|{control_id}||{fluid}|||||||||||||{at}|{then}")
    return "".join(line + "\r" for line in lines).encode()


# --- the processes -------------------------------------------------------------------------------
@contextmanager
def processes() -> Iterator[tuple[int, dict[str, int]]]:
    """One listener and one worker with one process; the port, and their process ids."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    env = dict(os.environ) | {"LOG_LEVEL": "INFO", "PYTHONWARNINGS": "ignore"}
    worker_command = ["-m", "celery", "-A", "clinic", "worker", "--pool", "solo", "--loglevel", "INFO"]
    children = [
        _start([sys.executable, "manage.py", "receive_results", "--port", str(port)], env, "inbound listening"),
        _start([sys.executable, *worker_command, "--without-gossip", "--without-mingle"], env, "ready."),
    ]
    try:
        yield port, {"listener": children[0].pid, "worker": children[1].pid}
    finally:
        for child in children:
            child.terminate()
            child.wait(30)


def _start(command: Sequence[str], env: dict[str, str], ready: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert child.stdout is not None
    until, seen = time.monotonic() + START_SECONDS, b""
    while ready.encode() not in seen and time.monotonic() < until:
        if select.select([child.stdout], [], [], 1)[0]:
            seen += os.read(child.stdout.fileno(), 65536)
        if child.poll() is not None:
            raise SystemExit(seen.decode(errors="replace"))
    threading.Thread(target=lambda: [None for _ in child.stdout or ()], daemon=True).start()
    return child


# --- sending -------------------------------------------------------------------------------------
def send(port: int, raws: Sequence[bytes]) -> tuple[list[float], float]:
    """Milliseconds from the last byte of each message to its acknowledgement, and seconds until the last."""
    left: SimpleQueue[bytes] = SimpleQueue()
    for raw in raws:
        left.put(raw)
    waits: list[float] = []
    threads = [threading.Thread(target=_line, args=(port, left, waits)) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if len(waits) != len(raws):
        raise SystemExit(f"{len(raws) - len(waits)} messages were not acknowledged")
    return waits, seconds


def _line(port: int, left: SimpleQueue[bytes], waits: list[float]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                raw = left.get_nowait()
            except Empty:
                return
            line.sendall(b"\x0b" + raw + b"\x1c\r")
            began = time.perf_counter()
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                data = line.recv(65536)
                if not data:
                    return
                answer += data
            if b"MSA|AA|" in answer:
                waits.append((time.perf_counter() - began) * 1000)


def until_applied(count: int) -> tuple[bool, dict[str, int]]:
    """Whether nothing is left to be read, and what became of the parts."""
    from collections import Counter

    from procedures.models import InboundItem, InboundMessage

    until = time.monotonic() + APPLY_SECONDS
    while InboundMessage.objects.filter(state="stored").exists() and time.monotonic() < until:
        time.sleep(0.05)
    done = InboundMessage.objects.filter(state="done").count() == count
    return done, dict(Counter(InboundItem.objects.values_list("state", flat=True)))


# --- the numbers ---------------------------------------------------------------------------------
def report(raws: Sequence[bytes], waits: list[float], seconds: float, whole: float, parts: dict[str, int]) -> None:
    from bench import ground

    count = len(raws)
    parse, insert = bare_parse(raws), bare_insert(raws)
    rows = [
        ("stored and acknowledged", f"{count / seconds:.0f}", 1000 * seconds / count),
        ("stored, acknowledged and applied", f"{count / whole:.0f}", 1000 * whole / count),
        ("hl7.parse alone", f"{count / parse:.0f}", 1000 * parse / count),
        ("INSERT of the bytes alone, one commit each", f"{count / insert:.0f}", 1000 * insert / count),
    ]
    size = sum(map(len, raws)) // count
    print(f"{count:,} messages of {size} bytes over {CONNECTIONS} connections; one listener, one worker\n")
    print(ground.table(("", "messages/s", "ms for each"), rows))
    ordered = sorted(waits)
    p99 = ordered[max(0, -(-99 * count // 100) - 1)]
    print(f"\nFrom the last byte to the acknowledgement: median {ground.median(waits):.1f} ms, p99 {p99:.1f} ms.")
    print(f"What became of their parts: {', '.join(f'{n} {state}' for state, n in sorted(parts.items()))}.")


def bare_parse(raws: Sequence[bytes]) -> float:
    import hl7

    texts = [raw.decode() for raw in raws]
    began = time.perf_counter()
    for text in texts:
        hl7.parse(text)
    return time.perf_counter() - began


def bare_insert(raws: Sequence[bytes]) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_raw (id bigserial PRIMARY KEY, raw bytea NOT NULL)")
        began = time.perf_counter()
        for raw in raws:
            cursor.execute("INSERT INTO bench_raw (raw) VALUES (%s)", [raw])
        return time.perf_counter() - began


def held(port: int, pids: dict[str, int], sample: bytes, count: int) -> None:
    """Resident megabytes while ``count`` further messages come, about nobody."""
    from bench import ground

    if not Path("/proc/self/status").exists():
        print("\nMemory needs /proc (Linux).")
        return
    rows = [("before", *(f"{_megabytes(pid):.0f}" for pid in pids.values()))]
    head = sample.split(b"|N0|", 1)[0].replace(b"ORU^R01", b"ADT^A01")
    for look in range(LOOKS):
        share = range(count * look // LOOKS, count * (look + 1) // LOOKS)
        send(port, [head + b"|M%d|P|2.5.1\rPID|1\r" % number for number in share])
        rows.append((f"{share.stop:,}", *(f"{_megabytes(pid):.0f}" for pid in pids.values())))
    print(f"\nResident megabytes while {count:,} more messages come\n")
    print(ground.table(("messages", *pids), rows))


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.inbound", description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--memory", type=int, default=MEMORY_MESSAGES)
    given = parser.parse_args()
    from bench import ground

    print(f"\n== inbound ==  {ground.machine()}", flush=True)
    with ground.throw_away():
        sys.exit(main(messages=given.messages, memory=given.memory))
