"""Every list page and the case page at 10,000 procedures and at many more: queries, the server's time, and plans.

Both databases are on one server and are asked in turn, page by page, so that whatever else the machine does slows both.
In one process through Django's test client: middleware, session, audit, query, template; no network, no browser.

    python -m bench pages                              # 10,000 and 100,000
    python -m bench.pages --rows 1000000               # as much open, a long history behind it
    python -m bench.pages --rows 100000 --open-share   # and ten times as much open
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bench import ground

if __name__ == "__main__":  # a throw-away database first: what is imported below needs Django
    parser = argparse.ArgumentParser(prog="python -m bench.pages")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--open-share", action="store_true")
    parser.add_argument("--times", type=int, default=40)
    given = parser.parse_args()
    print(f"\n== pages ==  {ground.machine()}", flush=True)
    with ground.throw_away():
        from bench import pages

        sys.exit(pages.main(rows=given.rows, open_share=given.open_share, times=given.times))

import psycopg
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bench.fill import Filler
from clinic.models import User
from followups.selectors import loop
from procedures.models import InboundMessage, Laboratory, Procedure

SMALL, LARGE = 10_000, 100_000
TIMES = 40
#: What the product promises of a list page: queries, and milliseconds in the median.
MOST_QUERIES = 12
MOST_MILLISECONDS = 20
#: A table of more rows is not read from one end to the other.
MANY_ROWS = 10_000


@dataclass
class Measured:
    queries: int
    times: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main(*, quick: bool = False, rows: int = LARGE, open_share: bool = False, times: int = TIMES) -> int:
    small_rows, large_rows = (SMALL // 10, rows // 10) if quick else (SMALL, rows)
    filler, began = Filler(), time.monotonic()
    filler.to(small_rows)
    print(_size(), flush=True)
    use(copy("small"))
    small_asks, small_size = asked(filler), Procedure.objects.count()
    small_connection = connections["default"]
    use(open_connection(connections.settings["default"]["NAME"]))
    filler.to(large_rows, open_share=open_share)
    print(f"{_size()}\nfilled in {time.monotonic() - began:.0f} s", flush=True)
    print(_tables(), flush=True)
    large_asks, large_size = asked(filler), Procedure.objects.count()
    sides = {small_connection: small_asks, connections["default"]: large_asks}
    small, large = ({name: counted(side, asks[name]) for name in asks} for side, asks in sides.items())
    for name in small_asks:
        in_turn({side: asks[name] for side, asks in sides.items()}, [small[name], large[name]], times)
    print(f"\n{times} requests each, in turn; milliseconds: server's time, and the processor's without the database\n")
    head = ["page", "queries", "", "median", "", "ratio", "p95", "", "processor", ""]
    sizes = [f"{small_size:,}", f"{large_size:,}"]
    under = ["", *sizes, *sizes, "large/small", *sizes, *sizes]
    print(ground.table(head, [under, *[_row(name, small[name], large[name]) for name in small]]))
    use(connections["default"])
    scans = {name: found for name, ask in large_asks.items() if (found := scanned(ask))}
    return _verdict(small, large, scans)


def _verdict(small: dict[str, Measured], large: dict[str, Measured], scans: dict[str, set[str]]) -> int:
    wrong = [name for name in small if not _as_promised(name, small[name], large[name])]
    medians = {name: max(ground.median(side[name].times) for side in (small, large)) for name in small}
    slow = [name for name, median in medians.items() if median > MOST_MILLISECONDS]
    print(f"\nMore than {MOST_QUERIES} queries, or not as many at both sizes: {', '.join(wrong) or 'none'}.")
    print(f"More than {MOST_MILLISECONDS} ms in the median: {', '.join(slow) or 'none'}.")
    print(f"Whole tables of more than {MANY_ROWS:,} rows read: {'none.' if not scans else ''}")
    for name, tables in scans.items():
        print(f"  {name}: {', '.join(sorted(tables))}")
    return 1 if wrong or slow or scans else 0


# --- plans ---------------------------------------------------------------------------------
def scanned(ask: Callable[[], int]) -> set[str]:
    """The large tables that the queries of a page read from one end to the other."""
    big, whole = _big(), _whole()
    found: set[str] = set()

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(("SELECT", "WITH")):
            with _same_kind(context["cursor"].cursor) as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                plan = cursor.fetchone()[0]
            plan = json.loads(plan) if isinstance(plan, str) else plan
            found.update(f"{node} on {table}" for node, table in _reads(plan[0]["Plan"], whole) if table in big)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        ask()
    return found


def _same_kind(cursor: Any) -> Any:
    """A cursor that reads the statement's placeholders as the given one does: ``$1`` or ``%s``."""
    raw = connection.connection
    return psycopg.RawCursor(raw) if isinstance(cursor, psycopg.RawCursor) else raw.cursor()


def _reads(plan: dict[str, Any], whole: frozenset[str], limited: bool = False) -> Iterator[tuple[str, str]]:
    """Whole tables, and whole indexes (``whole``: those of all rows) that are not read for their first few alone."""
    kind = plan["Node Type"]
    limited = limited or kind == "Limit"
    if kind == "Seq Scan":
        yield kind, plan["Relation Name"]
    by_index = kind in {"Index Scan", "Index Only Scan"} and "Index Cond" not in plan
    if by_index and plan["Index Name"] in whole and not limited:
        yield kind, plan["Relation Name"]
    # what is sorted or grouped below a limit is read to its end first
    limited = limited and kind in {"Limit", "Nested Loop", "Subquery Scan", "Result", "Merge Append", "LockRows"}
    for below in plan.get("Plans", ()):
        # what costs more than that for which it is read is not read to its end: a merge stops with its other side
        stops = below["Total Cost"] > plan["Total Cost"]
        yield from _reads(below, whole, limited or stops)


def _whole() -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NULL")
        return frozenset(name for (name,) in cursor.fetchall())


def _big() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s", [MANY_ROWS])
        return {name for (name,) in cursor.fetchall()}


def _tables() -> str:
    """The largest tables: rows, and megabytes with their indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint, pg_total_relation_size(oid) / 1000000 FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 3 DESC LIMIT 20"
        )
        return ground.table(["table", "rows", "MB"], [[name, f"{n:,}", f"{mb:,}"] for name, n, mb in cursor.fetchall()])


# --- two databases -------------------------------------------------------------------------
def copy(name: str) -> BaseDatabaseWrapper:
    """The database as it is now, under another name on the same server; and a connection to it."""
    original = connections.settings["default"]["NAME"]
    connections["default"].close()
    maintenance = open_connection("postgres")
    with maintenance.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
    maintenance.close()
    found = open_connection(name)
    with found.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return found


def open_connection(name: str) -> BaseDatabaseWrapper:
    """A connection that can stand in for the default one."""
    settings = {**connections.settings["default"], "NAME": name}
    backend = load_backend(settings["ENGINE"])
    made: BaseDatabaseWrapper = backend.DatabaseWrapper(settings, "default")
    return made


def use(side: BaseDatabaseWrapper) -> None:
    """Every query of this thread goes to that database."""
    connections["default"] = side


# --- asking --------------------------------------------------------------------------------
def counted(side: BaseDatabaseWrapper, ask: Callable[[], int]) -> Measured:
    """How many queries one request makes.

    The fewest of three: once a minute a request also renews the log-in's time stamp. Templates and protocols are read
    once per process and do not count either.
    """
    use(side)
    ask()
    numbers = []
    for _ in range(3):
        with CaptureQueriesContext(side) as captured:
            ask()
        numbers.append(len(captured))
    return Measured(min(numbers))


def in_turn(asks: dict[BaseDatabaseWrapper, Callable[[], int]], results: list[Measured], times: int) -> None:
    for _ in range(times):
        for (side, ask), result in zip(asks.items(), results, strict=True):
            use(side)
            began, busy = time.perf_counter(), time.process_time()
            ask()
            result.times.append((time.perf_counter() - began) * 1000)
            result.cpu.append((time.process_time() - busy) * 1000)


def asked(filler: Filler) -> dict[str, Callable[[], int]]:
    """Each page by name: a call that asks for it once and returns its length."""
    scheduler, nurse, physician, director = (
        _client(filler.people[role][0]) for role in ("schedulers", "nurses", "physicians", "directors")
    )
    open_case = Procedure.objects.filter(closed_at__isnull=True, status="completed").order_by("pk")[0]
    closed_case = Procedure.objects.filter(closed_at__isnull=False, status="completed").order_by("pk")[0]
    number = InboundMessage.objects.filter(state="waiting").order_by("pk")[0].pk
    pages = {
        "day board (scheduler)": (scheduler, "followups:board", ""),
        "day board (physician)": (physician, "followups:board", ""),
        "day board, a month ago": (scheduler, "followups:board", f"?day={_month_ago()}"),
        "week board": (scheduler, "followups:week", ""),
        "checklist queue": (nurse, "followups:checklists", ""),
        "inbox": (physician, "followups:inbox", ""),
        "inbox, all": (physician, "followups:inbox", "?of=all"),
        "chase list": (nurse, "followups:chase", ""),
        "chase list, waiting": (nurse, "followups:chase", "?show=waiting"),
        "loop board": (director, "followups:loop", ""),
        **{f"loop board: {figure}": (director, "followups:loop", f"?show={figure}") for figure in loop.FIGURES},
        "figures of 30 days": (director, "followups:indicators", ""),
        "figures of 90 days": (director, "followups:indicators", "?days=90"),
        "overrides of 90 days": (director, "followups:overrides", "?days=90"),
        "critical results": (physician, "followups:criticals", ""),
        "open items, to print": (nurse, "followups:open_items", ""),
        "hand over the shift": (nurse, "followups:handover", ""),
        "results to place": (nurse, "procedures:unmatched", ""),
        "messages of laboratories": (nurse, "procedures:inbound_messages", ""),
        "laboratories": (nurse, "procedures:laboratories", ""),
        "series": (scheduler, "procedures:series_list", ""),
        "texts from patients": (nurse, "followups:texts", ""),
        "engine and mail": (director, "followups:engine", ""),
        "audit": (director, "audit", ""),
        "absences": (nurse, "absences", ""),
        "on call": (director, "on_call", ""),
        "rooms and hours": (director, "places", ""),
        "rule sets": (director, "procedures:rule_sets", ""),
    }
    calls: dict[str, Callable[[], int]] = {
        name: _getting(client, reverse(view) + query) for name, (client, view, query) in pages.items()
    }
    calls["a result to place"] = _getting(nurse, reverse("procedures:unmatched_message", args=[number]))
    lab = Laboratory.objects.order_by("pk")[0]
    calls["a laboratory"] = _getting(nurse, reverse("procedures:laboratory", args=[lab.pk]))
    calls["patient search: name"] = _searching(scheduler, "okafor hugo")
    calls["patient search: number"] = _searching(scheduler, str(open_case.patient.mrn))
    calls["patient page"] = _getting(scheduler, reverse("procedures:patient", args=[closed_case.patient_id]))
    calls["case page (open)"] = _getting(physician, reverse("followups:case", args=[open_case.code]))
    calls["case page (closed)"] = _getting(physician, reverse("followups:case", args=[closed_case.code]))
    calls["case page (scheduler)"] = _getting(scheduler, reverse("followups:case", args=[open_case.code]))
    return calls


def _client(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _getting(client: Client, url: str) -> Callable[[], int]:
    def ask() -> int:
        response = client.get(url)
        if response.status_code != 200:
            raise SystemExit(f"{url}: {response.status_code}")
        return len(response.content)

    return ask


def _searching(client: Client, text: str) -> Callable[[], int]:
    url = reverse("procedures:patients")

    def ask() -> int:
        response = client.post(url, {"q": text})
        if response.status_code != 200:
            raise SystemExit(f"{url}: {response.status_code}")
        return len(response.content)

    return ask


def _month_ago() -> str:
    return (timezone.localdate() - timedelta(days=30)).isoformat()


def _row(name: str, small: Measured, large: Measured) -> list[object]:
    medians = [ground.median(small.times), ground.median(large.times)]
    tails = [ground.p95(small.times), ground.p95(large.times)]
    busy = [ground.median(small.cpu), ground.median(large.cpu)]
    ratio = f"{medians[1] / medians[0]:.2f}"
    return [name, small.queries, large.queries, *medians, ratio, *tails, *busy]


def _as_promised(name: str, small: Measured, large: Measured) -> bool:
    """The case page is no list: it has more queries, but as many whatever the size."""
    few = name.startswith("case page") or small.queries <= MOST_QUERIES
    return few and small.queries == large.queries


def _size() -> str:
    tables = ("procedures_procedure", "procedures_labtest", "procedures_answer", "followups_followup")
    with connection.cursor() as cursor:
        counts = []
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts.append(f"{cursor.fetchone()[0]:,} {table.partition('_')[2]}")
        cursor.execute("SELECT count(*) FROM procedures_procedure WHERE closed_at IS NULL")
        still = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM followups_followup WHERE closed_at IS NULL")
        return f"{', '.join(counts)} rows; open: {still:,} procedures, {cursor.fetchone()[0]:,} promises"
