"""The patient search at 100,000 patients, with its trigram index and without: the same searches, side by side."""

from __future__ import annotations

from django.db import connection

from bench import ground
from bench.fill import FAMILY, GIVEN
from procedures.models import Patient
from procedures.selectors import patients

ROWS = 100_000
TIMES = 40
INDEX = "patient_search"
#: What people type: (in words, the text).
SEARCHES = (
    ("family name", "Quintero"),
    ("part of a family name", "quint"),
    ("family and given name", "quintero hugo"),
    ("number", "B0005007"),
    ("family name and birth date", "quintero 17 Sep 1930"),
    ("common name (more than fit)", "maier"),
    ("no such patient", "xyzzyx"),
)


def main(*, quick: bool = False) -> int:
    rows = ROWS // 10 if quick else ROWS
    fill(rows)
    fast = measure()
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [INDEX])
        definition = cursor.fetchone()[0]
        cursor.execute(f"DROP INDEX {INDEX}")
        slow = measure()
        cursor.execute(definition)
    print(f"{rows:,} patients; {TIMES} searches each through procedures.selectors.patients.search; milliseconds\n")
    head = ("search", "found", "index: median", "p95", "no index: median", "p95", "ratio of medians")
    print(ground.table(head, [_row(words, fast[words], slow[words]) for words, _ in SEARCHES]))
    return 0


def _row(words: str, fast: tuple[int, list[float]], slow: tuple[int, list[float]]) -> tuple[object, ...]:
    with_index, without = ground.median(fast[1]), ground.median(slow[1])
    ratio = f"{without / with_index:.1f}"
    return words, fast[0], with_index, ground.p95(fast[1]), without, ground.p95(slow[1]), ratio


def measure() -> dict[str, tuple[int, list[float]]]:
    """How many each search shows, and how long it takes."""
    found = {}
    for words, text in SEARCHES:
        shown = len(patients.search(text).patients)
        found[words] = (shown, ground.timed(lambda text=text: patients.search(text), times=TIMES))
    return found


def fill(rows: int) -> None:
    """Patients with made-up names; one family name in a thousand is rare."""
    table, identifiers = Patient._meta.db_table, "procedures_patientidentifier"
    given = ", ".join(f"'{name}'" for name in GIVEN)
    family = ", ".join(f"'{name}'" for name in FAMILY)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} (given_name, family_name, birth_date, sex, search_text, phone, email, reach_by,
              voicemail_allowed, consent_email, consent_sms, caregiver_name, caregiver_phone, facility, language,
              interpreter_needed, encounter_class, created_at)
            SELECT given, family, DATE '1930-01-01' + n * 37 %% 29000, 'unknown',
              upper(family || ' ' || given || ' B' || lpad(n::text, 7, '0')), '', '', 'phone', false, false, false,
              '', '', '', 'English', false, 'outpatient', now()
            FROM (SELECT n, (ARRAY[{given}])[1 + n %% {len(GIVEN)}] AS given,
                    CASE WHEN n %% 1000 = 7 THEN 'Quintero'
                         ELSE (ARRAY[{family}])[1 + (n / 7) %% {len(FAMILY)}] || (n %% 200) END AS family
                  FROM generate_series(1, %s) n) made ORDER BY n
            """,
            [rows],
        )
        cursor.execute(
            f"INSERT INTO {identifiers} (patient_id, authority, value) "
            f"SELECT id, 'CLINIC', right(search_text, 8) FROM {table}"
        )
        cursor.execute("VACUUM ANALYZE")
