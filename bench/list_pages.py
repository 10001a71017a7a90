"""Every list page at 10,000 procedures and at three times as many: queries, and the server's time.

Both databases are on one server and are asked in turn, page by page, so that whatever else the machine does slows both.
In one process through Django's test client: middleware, session, audit, query, template; no network, no browser.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench import ground
from bench.fill import Filler
from clinic.models import User
from followups.selectors import loop
from procedures.models import Procedure

ROWS = (10_000, 30_000)
TIMES = 40
#: What the product promises of a list page.
MOST_QUERIES = 12


@dataclass
class Measured:
    queries: int
    times: list[float] = field(default_factory=list)


def main(*, quick: bool = False) -> int:
    small_rows, large_rows = (rows // 10 if quick else rows for rows in ROWS)
    filler = Filler()
    filler.to(small_rows)
    print(_size(), flush=True)
    use(copy("small"))
    small_asks, small_size = asked(filler), Procedure.objects.count()
    small_connection = connections["default"]
    use(open_connection(connections.settings["default"]["NAME"]))
    filler.to(large_rows)
    print(_size(), flush=True)
    large_asks, large_size = asked(filler), Procedure.objects.count()
    sides = {small_connection: small_asks, connections["default"]: large_asks}
    small, large = ({name: counted(side, asks[name]) for name in asks} for side, asks in sides.items())
    for name in small_asks:
        in_turn({side: asks[name] for side, asks in sides.items()}, [small[name], large[name]])
    print(f"\n{TIMES} requests each, in turn; server's time in milliseconds\n")
    head = ["page", "queries", "", "median", "", "ratio", "p95", "", "ratio"]
    sizes = [f"{small_size:,}", f"{large_size:,}"]
    under = ["", *sizes, *sizes, "3×/1×", *sizes, "3×/1×"]
    print(ground.table(head, [under, *[_row(name, small[name], large[name]) for name in small]]))
    wrong = [name for name in small if not _as_promised(name, small[name], large[name])]
    if wrong:
        print(f"\nNOT as promised: {', '.join(wrong)}.")
    else:
        print(f"\nAs promised: at most {MOST_QUERIES} queries for a list, and as many at three times the rows.")
    return 1 if wrong else 0


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


def in_turn(asks: dict[BaseDatabaseWrapper, Callable[[], int]], results: list[Measured]) -> None:
    for _ in range(TIMES):
        for (side, ask), result in zip(asks.items(), results, strict=True):
            use(side)
            began = time.perf_counter()
            ask()
            result.times.append((time.perf_counter() - began) * 1000)


def asked(filler: Filler) -> dict[str, Callable[[], int]]:
    """Each page by name: a call that asks for it once and returns its length."""
    scheduler, nurse, physician, director = (
        _client(filler.people[role][0]) for role in ("schedulers", "nurses", "physicians", "directors")
    )
    open_case = Procedure.objects.filter(closed_at__isnull=True, status="completed").order_by("pk")[0]
    closed_case = Procedure.objects.filter(closed_at__isnull=False, status="completed").order_by("pk")[0]
    pages = {
        "day board (scheduler)": (scheduler, "followups:board", ""),
        "day board (physician)": (physician, "followups:board", ""),
        "week board": (scheduler, "followups:week", ""),
        "checklist queue": (nurse, "followups:checklists", ""),
        "inbox": (physician, "followups:inbox", ""),
        "inbox, all": (physician, "followups:inbox", "?of=all"),
        "chase list": (nurse, "followups:chase", ""),
        "chase list, waiting": (nurse, "followups:chase", "?show=waiting"),
        "loop board": (director, "followups:loop", ""),
        "figures of 30 days": (director, "followups:indicators", ""),
        "figures of 90 days": (director, "followups:indicators", "?days=90"),
        "overrides of 90 days": (director, "followups:overrides", "?days=90"),
        "open items, to print": (nurse, "followups:open_items", ""),
        **{f"loop board: {figure}": (director, "followups:loop", f"?show={figure}") for figure in loop.FIGURES},
    }
    calls: dict[str, Callable[[], int]] = {
        name: _getting(client, reverse(view) + query) for name, (client, view, query) in pages.items()
    }
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


def _row(name: str, small: Measured, large: Measured) -> list[object]:
    medians = [ground.median(small.times), ground.median(large.times)]
    tails = [ground.p95(small.times), ground.p95(large.times)]
    return [
        name,
        small.queries,
        large.queries,
        *medians,
        f"{medians[1] / medians[0]:.2f}",
        *tails,
        f"{tails[1] / tails[0]:.2f}",
    ]


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
